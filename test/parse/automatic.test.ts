import { expect, test } from "vitest";

import { parseMail } from "../../src/parse/mail.ts";

const LIMITS = { parts: 1_000, mimeDepth: 50, headerBytes: 262_144, rfc822Depth: 8, textBytes: 65_536 };

function markOf(fields: string) {
  const parsing = parseMail(Buffer.from(`From: a@shop.example\r\n${fields}\r\n\r\nHello`), LIMITS);
  if (parsing.kind === "limit") throw new Error(parsing.detail);
  const { autoSubmitted, automaticBecause } = parsing.summary;
  return [autoSubmitted, automaticBecause];
}

test.each([
  ["Auto-Submitted: auto-replied", "auto-replied", "Auto-Submitted is auto-replied"],
  ["Auto-Submitted: auto-generated (cron); owner=x", "auto-generated", "Auto-Submitted is auto-generated"],
  [
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
    "auto-replied",
    "Content-Type is multipart/report",
  ],
  ["X-Autoreply: yes", "auto-replied", "X-Autoreply is set"],
  ["X-Failed-Recipients: a@shop.example", "auto-replied", "X-Failed-Recipients is set"],
  ["Precedence: auto_reply", "auto-replied", "Precedence is auto_reply"],
  ["Precedence: bulk", "auto-generated", "Precedence is bulk"],
  ["List-Id: <orders.shop.example>", "auto-generated", "List-Id is set"],
  ["X-Auto-Response-Suppress: All\r\nPrecedence: list", "auto-generated", "Precedence is list"],
])("%j makes a mail automatic, and that field is named", (fields, value, because) => {
  expect(markOf(fields)).toEqual([value, because]);
});

test.each([
  ["Auto-Submitted: no"],
  ["Auto-Submitted: no\r\nList-Id: <orders.shop.example>"],
  ["X-Auto-Response-Suppress: All"],
  ["X-Auto-Response-Suppress: OOF"],
  ["X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply"],
  ["X-Autoreply: no"],
  ["Precedence: normal"],
  ["Subject: Auto-Submitted: auto-replied"],
])("%j does not", (fields) => {
  expect(markOf(fields)).toEqual([null, null]);
});
