import { expect, test } from "vitest";

import type { MailSummary } from "../../src/model/mail.ts";
import { confirmationInWords, forwardingConfirmationOf } from "../../src/engine/forwarding-confirmation.ts";

const summaryOf = (from: string, mailSubject: string, text: string): MailSummary => ({
  from: [{ name: "", address: from }],
  to: [],
  cc: [],
  replyTo: [],
  mailSubject,
  date: null,
  messageId: null,
  inReplyTo: null,
  references: [],
  autoSubmitted: null,
  automaticBecause: null,
  text,
  html: null,
  textTruncated: false,
  headers: [],
  attachments: [],
  size: 1,
  identity: { messageId: "", date: "", from, received: "", bodySha256: "" },
});

const GMAIL = "forwarding-noreply@google.com";

test("Gmail's question is known in any language, with its code and the link that says yes", () => {
  const text = [
    "joe@gmail.com has requested to automatically forward mail to your email address.",
    "Confirmation code: 728394651",
    "To cancel: https://mail-settings.google.com/mail/uf-%5BAAA%5D-abc.",
    "To allow it: https://mail-settings.google.com/mail/vf-%5BANG%5D-abc.",
  ].join("\n");
  const found = forwardingConfirmationOf(
    summaryOf(GMAIL, "(#728394651) Gmail Forwarding Confirmation - Receive Mail from joe@gmail.com", text),
    false,
  );
  expect(found).toEqual({
    provider: "Gmail",
    code: "728394651",
    link: "https://mail-settings.google.com/mail/vf-%5BANG%5D-abc",
  });
  expect(found && confirmationInWords(found)).toBe(
    "Gmail asks whether mail may be forwarded here; its code is 728394651; open https://mail-settings.google.com/mail/vf-%5BANG%5D-abc",
  );
  for (const subject of ["(#123456789) Confirmación de reenvío de Gmail", "(Gmail) 转发确认", ""])
    expect(forwardingConfirmationOf(summaryOf(GMAIL, subject, ""), true)).toMatchObject({ provider: "Gmail" });
});

test.each([
  ["Outlook", "account-noreply@microsoft.com", "Verify your forwarding address", "Your code: 4821 77", "482177"],
  ["Yahoo", "no-reply@cc.yahoo-inc.com", "Please verify your email address", "to forward mail. Code 552211", "552211"],
  ["Zoho", "noreply@zoho.eu", "Email Forwarding - Verification code", "Verification code is 90817263", "90817263"],
  ["Yandex", "noreply@yandex.ru", "Подтверждение пересылки", "Код подтверждения: 123456", "123456"],
])("%s asks too", (provider, from, subject, text, code) => {
  expect(forwardingConfirmationOf(summaryOf(from, subject, text), false)).toMatchObject({ provider, code });
});

test("a provider we do not know has to say so in its subject, with a code or a link", () => {
  const asks = summaryOf(
    "x@mail.example",
    "Confirm mail forwarding",
    "See https://mail.example/confirm?t=1&amp;u=2 now",
  );
  expect(forwardingConfirmationOf(asks, false)).toEqual({
    provider: "mail.example",
    code: undefined,
    link: "https://mail.example/confirm?t=1&u=2",
  });
  expect(forwardingConfirmationOf({ ...asks, text: "yes?" }, false)).toBeUndefined();
  expect(forwardingConfirmationOf({ ...asks, mailSubject: "Your parcel" }, false)).toBeUndefined();
});

test("mail with data, people's mail and a provider's other mail is no question", () => {
  const order = summaryOf("orders@forwarder.example", "Forwarding confirmed: your parcel", "code 123456");
  expect(forwardingConfirmationOf(order, true)).toBeUndefined();
  const person = summaryOf("joe@outlook.com", "Please confirm", "Can you forward me invoice code 123456?");
  expect(forwardingConfirmationOf(person, false)).toBeUndefined();
  const alert = summaryOf("no-reply@accounts.google.com", "Security alert", "New sign-in. https://google.com/verify");
  expect(forwardingConfirmationOf(alert, false)).toBeUndefined();
});

test("a forged question leads nowhere but to the provider", () => {
  const forged = summaryOf(
    GMAIL,
    "(#123456789) x",
    "https://evil.example/mail/vf-1 https://google.com.evil.example/mail/vf-1",
  );
  expect(forwardingConfirmationOf(forged, false)?.link).toBeUndefined();
});
