import { readFile, readdir } from "node:fs/promises";

import { expect, test } from "vitest";

import { READ_LIMITS } from "../../src/engine/budgets.ts";
import { mailJson } from "../../src/event/mail-json.ts";
import { hookIdCutter } from "../../src/model/cut-hook-ids.ts";
import type { Hook } from "../../src/model/hook.ts";
import type { Envelope } from "../../src/model/mail.ts";
import type { Decision } from "../../src/engine/decide.ts";
import { decide } from "../../src/engine/decide.ts";
import { readAppDefinition } from "../../src/registry/app-definition.ts";
import type { MailReading } from "../../src/engine/read-mail.ts";
import { readMail } from "../../src/engine/read-mail.ts";

const FOLDER = new URL("../../fixtures/mail/options/", import.meta.url);
const names = (await readdir(FOLDER)).filter((file) => file.endsWith(".eml")).map((file) => file.slice(0, -4));
const ENVELOPE: Envelope = {
  from: "bounces@shop.example",
  remoteAddress: "192.0.2.1",
  helo: "mx.shop.example",
  protocol: "ESMTP",
  tls: null,
};
const NOBODY = { result: "none", domain: null };
const VERDICTS = { spf: NOBODY, dkim: NOBODY, dmarc: NOBODY, arc: NOBODY };

test.each(names)("the option that %s shows does what stands beside it", async (name) => {
  const hook = hookOf(await readFile(new URL(`${name}.hook.json`, FOLDER), "utf8"));
  const reading = await readMail(await readFile(new URL(`${name}.eml`, FOLDER)), [hook], READ_LIMITS);
  const [choice] = reading.kind === "read" ? reading.choices : [];
  if (reading.kind !== "read" || choice === undefined) throw new Error(`${name} was not read`);
  const authentication = {
    verdicts: VERDICTS,
    authorDomain: null,
    proofs: { dkim: "not-met", dmarc: "not-met" },
  } as const;
  const decision = decide({ hook, envelope: ENVELOPE, summary: reading.summary, authentication, choice });
  const expected: unknown = JSON.parse(await readFile(new URL(`${name}.expected.json`, FOLDER), "utf8"));
  expect(told(decision, reading, hook)).toEqual(expected);
  expect(JSON.stringify(told(decision, reading, hook))).not.toContain("open-sesame");
});

test("every mail of the folder is in its README.md, and the other way round", async () => {
  const readme = await readFile(new URL("README.md", FOLDER), "utf8");
  const listed = [...readme.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
  expect(new Set(listed)).toEqual(new Set(names));
});

/** A hook with these `x-posthorn` options, read as an app's definition is. */
function hookOf(options: string): Hook {
  const text = `{"app":"shop","version":"1","title":"Shop","hooks":[{"eventName":"kustomer.app.shop.order","type":"email","x-posthorn":${options}}]}`;
  const reading = readAppDefinition(text, "hook.json");
  if (reading.kind === "invalid") throw new Error(reading.problems.map(({ message }) => message).join("; "));
  const { hooks, app, version } = reading.definition;
  const [hook] = hooks;
  if (hook === undefined) throw new Error("no hook");
  return { ...hook, app, appVersion: version, hookId: "0".repeat(26) as Hook["hookId"], state: "enabled", aliases: [] };
}

/** What becomes of the mail, with the part of the event that options speak of. */
function told(decision: Decision, reading: MailReading & { kind: "read" }, { options }: Hook): unknown {
  if (decision.kind !== "publish") return decision;
  const mail = JSON.parse(
    mailJson(
      {
        summary: reading.summary,
        envelope: ENVELOPE,
        envelopeTo: [],
        tag: null,
        verdicts: VERDICTS,
        attachmentObjects: new Map(),
        object: null,
        cut: hookIdCutter([]),
      },
      options,
    ),
  ) as Record<string, unknown>;
  const { text, html, headers, attachments } = mail;
  return {
    kind: "publish",
    payload: JSON.parse(decision.payload) as unknown,
    mail: {
      ...("text" in mail && { text }),
      ...("html" in mail && { html }),
      ...("headers" in mail && { headers }),
      attachments,
    },
  };
}
