import { BlockList } from "node:net";

import { cookieIn } from "../../src/admin/cookies.ts";
import { localPath } from "../../src/admin/guard.ts";
import { parseJsonTree } from "../../src/admin/json-tree.ts";
import { markedHtml } from "../../src/admin/marked-html.ts";
import { claimOf } from "../../src/authenticate/arc/claim.ts";
import { presentedKey } from "../../src/authenticate/api-key.ts";
import { relayedSpfOf } from "../../src/authenticate/authentication-results.ts";
import { authorAddresses } from "../../src/authenticate/author-addresses.ts";
import { hashBody } from "../../src/authenticate/dkim/canonical-body.ts";
import { canonicalField } from "../../src/authenticate/dkim/canonical-header.ts";
import { parseTagList, solidTagOf, tagOf, withoutSignature } from "../../src/authenticate/dkim/tag-list.ts";
import { checkDmarc } from "../../src/authenticate/dmarc.ts";
import { answerHandshake } from "../../src/authenticate/handshakes.ts";
import { headerRowsOf } from "../../src/authenticate/header-rows.ts";
import { authenticateMail } from "../../src/authenticate/mail.ts";
import { verifySignature } from "../../src/authenticate/signatures/verify.ts";
import { evaluateSpf } from "../../src/authenticate/spf.ts";
import { forwardingConfirmationOf } from "../../src/engine/forwarding-confirmation.ts";
import { authorOf, whyNotAllowed } from "../../src/engine/sender-policy.ts";
import { lineOfPointer } from "../../src/lib/json-line.ts";
import { Remembered } from "../../src/lib/remembered.ts";
import type { HandshakeKind, SignatureOption } from "../../src/model/hook-options.ts";
import { cutHookIds } from "../../src/model/cut-hook-ids.ts";
import type { MailSummary } from "../../src/model/mail.ts";
import type { ReceivedRequest } from "../../src/model/request.ts";
import { parseBodyType } from "../../src/parse/body-kind.ts";
import { readHeaders } from "../../src/parse/headers.ts";
import { formOf } from "../../src/engine/form-fields.ts";
import { incomingEventsOf } from "../../src/engine/incoming-cloudevents.ts";
import { readBody } from "../../src/engine/request-payload.ts";
import { isOriginAllowed, preflightHeaders } from "../../src/receive/http/cors.ts";
import { languageOf, prefersHtml } from "../../src/receive/http/negotiate.ts";
import { redirectOf } from "../../src/receive/http/redirect.ts";
import { remoteAddressOf } from "../../src/receive/http/remote-address.ts";
import { parseTarget } from "../../src/receive/http/target.ts";
import { readAddressCommand } from "../../src/receive/smtp/address-command.ts";
import { readProxyHeader } from "../../src/receive/smtp/proxy-header.ts";
import { isMailLoop } from "../../src/receive/smtp/received-fields.ts";
import { readAppDefinition } from "../../src/registry/app-definition.ts";
import type { Subject } from "../support/growth.ts";
import { testGrowth } from "../support/growth.ts";

const alone = (text: string) => text;
const NO_RECORD = () => Promise.reject(Object.assign(new Error("none"), { code: "ENOTFOUND" }));

/** As it is authenticated once its header was read, whatever the header's length. */
function authenticated(text: string) {
  const bytes = Buffer.from(text);
  const header = readHeaders(bytes, 0, Number.POSITIVE_INFINITY);
  return authenticateMail(
    { bytes, header, envelope: { from: "b@shop.example", helo: "x", remoteAddress: "127.0.0.1" }, peer: "relay" },
    {
      dns: { forMail: () => NO_RECORD, isDown: false },
      authservIds: ["mx.example"],
      policies: new Remembered(1),
      onFault: (error) => {
        throw error;
      },
    },
    Date.now() + 60_000,
  ).whole;
}

const signature = (tags: string) => `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=a.b; s=c; ${tags}\r\n`;
const SIGNED = signature("h=from:x; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=yy==");
const REST = "From: a@b.c\r\n\r\nhello\r\n";

function summaryOf(from: string, mailSubject: string, text: string): MailSummary {
  return {
    from: [{ name: "", address: from }],
    headers: [{ name: "From", value: from }],
    mailSubject,
    text,
    html: text,
  } as unknown as MailSummary;
}

function asked(headers: Readonly<Record<string, string>>, body = ""): ReceivedRequest {
  return { headers, body: Buffer.from(body), query: "", method: "POST" } as unknown as ReceivedRequest;
}

const SCHEMES: readonly SignatureOption[] = (
  ["standard-webhooks", "github", "stripe", "shopify", "slack", "twilio", "gitlab", "zoom", "kustomer"] as const
).map((scheme) => ({ scheme, secret: { from: "kv" } }) as unknown as SignatureOption);
const SIGNATURE_HEADERS = [
  "webhook-signature",
  "webhook-id",
  "webhook-timestamp",
  "x-hub-signature-256",
  "stripe-signature",
  "x-shopify-hmac-sha256",
  "x-slack-signature",
  "x-twilio-signature",
  "x-gitlab-token",
  "x-zm-signature",
  "x-kustomer-signature",
];
const HANDSHAKES: readonly HandshakeKind[] = [
  "slack",
  "meta",
  "microsoft-graph",
  "dropbox",
  "zoom",
  "x",
  "cloudevents",
];

const HOOK = '{"eventName":"kustomer.app.shop.a","type":"form"';
const definition = (hooks: string) => `{"app":"shop","version":"1","title":"x","hooks":[${hooks}]}`;

const SUBJECTS: readonly Subject[] = [
  { name: "a header's rows", run: (text) => headerRowsOf(Buffer.from(text)) },
  {
    name: "who sent a mail",
    run: authenticated,
    around: [
      (text) => signature(`x=${text}`) + REST,
      (text) => signature(`h=from:${text}; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=yy==`) + REST,
      (text) => `${SIGNED}X: ${text}\r\n${REST}`,
      (text) => SIGNED.repeat(10) + REST + text,
      (text) => SIGNED.replace(/relaxed/g, "simple") + REST + text,
      (text) => `From: ${text}\r\n\r\n`,
      (text) => `From: a@${text}\r\n\r\n`,
      (text) => `Authentication-Results: mx.example; ${text}\r\n${REST}`,
      (text) =>
        `ARC-Seal: i=1; cv=none; ${text}\r\nARC-Message-Signature: i=1; ${text}\r\nARC-Authentication-Results: i=1; ${text}\r\n${REST}`,
    ],
  },
  { name: "a tag-list", run: (text) => withoutSignature(tagged(text)), around: [alone, (text) => `a=${text}; b=x`] },
  {
    name: "a canonical field",
    run: (text) => canonicalField(text, "relaxed"),
    around: [(text) => `a:${text}`, (text) => `${text}:a`],
  },
  {
    name: "a relaxed body",
    run: (text) => hashBody(Buffer.from(text), "relaxed", [100, 1_000]),
    around: [alone, (text) => `${text}x`],
  },
  {
    name: "a simple body",
    run: (text) => hashBody(Buffer.from(text), "simple", [100, 1_000]),
    around: [alone, (text) => `${text}x`],
  },
  { name: "the authors of a mail", run: authorAddresses, around: [alone, (text) => `"${text}`, (text) => `<${text}`] },
  {
    name: "a relay's verdict",
    run: (text) => relayedSpfOf([`mx.example; spf=pass smtp.mailfrom=${text}`, text], ["mx.example", "b"]),
  },
  { name: "a sealer's claim", run: claimOf, around: [alone, (text) => `i=1; a; dmarc=pass ${text}`] },
  {
    name: "DMARC",
    run: (text) =>
      checkDmarc(
        { headerFrom: [`a@${text}`], fromFields: 1, spfDomains: [text], signatures: [{ domain: text }] },
        NO_RECORD,
      ),
  },
  {
    name: "SPF",
    run: (text) => evaluateSpf({ from: text, helo: "a.b", remoteAddress: "192.0.2.1" }, spfRecord),
    around: [(text) => `${text.slice(0, 500)}@a.b`, (text) => `a@${text.slice(0, 500)}`],
  },
  {
    name: "a key in a request",
    run: (text) => presentedKey({ authorization: text }),
    around: [alone, (text) => `Bearer ${text}`, (text) => `Basic ${text}`],
  },
  ...SCHEMES.map((option) => ({
    name: `a signature of ${option.scheme}`,
    run: (text: string) =>
      verifySignature(
        {
          headers: Object.fromEntries(SIGNATURE_HEADERS.map((name) => [name, text])),
          body: Buffer.from(text),
          url: `https://a.b/?${text.slice(0, 16_000)}`,
          now: 0,
        },
        option,
        ["whsec_AAAA"],
      ),
  })),
  {
    name: "handshakes",
    run: (text) =>
      HANDSHAKES.map((kind) =>
        answerHandshake(
          kind,
          {
            method: "POST",
            query: text,
            headers: { "webhook-request-origin": text },
            body: Buffer.from(text),
            now: 0,
          } as never,
          ["a"],
        ),
      ),
  },
  {
    name: "who may send",
    run: (text) => whyNotAllowed(authorOf(summaryOf(text, "", "")), ["*@shop.example", "*a*b@c*"]),
    around: [alone, (text) => `"${text}`, (text) => `<${text}`, (text) => `${text}@a.b`],
  },
  {
    name: "a question about forwarding",
    run: (text) => [
      forwardingConfirmationOf(summaryOf(`noreply${text}@google.com`, "confirm forwarding", "a"), false),
      forwardingConfirmationOf(summaryOf("noreply@google.com", `confirm forwarding ${text}`, text), false),
    ],
    around: [alone, (text) => `code ${text}`, (text) => `https://mail.google.com/${text}x`],
  },
  {
    name: "the line of a pointer",
    run: (text) => lineOfPointer(text, "/a/b/0"),
    around: [alone, (text) => `{"a":${text}`],
  },
  { name: "hook ids in a text", run: (text) => cutHookIds(text, () => false) },
  {
    name: "the body of a request",
    run: (text) =>
      [
        "application/json",
        "application/x-ndjson",
        "application/xml",
        "text/plain",
        "application/x-www-form-urlencoded",
        "",
      ].map((type) => readBody(Buffer.from(text), parseBodyType(type))),
    around: [alone, (text) => `{"a":"${text}"}`, (text) => `[1${text}]`],
  },
  {
    name: "the fields of a form",
    run: (text) =>
      formOf(
        text.split("&").map((part) => [part, part] as const),
        { honeypot: "_gotcha" } as never,
      ),
  },
  {
    name: "CloudEvents",
    run: (text) =>
      incomingEventsOf(
        asked({ "ce-specversion": text, "content-type": "application/cloudevents+json" }, text),
        parseBodyType("application/cloudevents+json"),
      ),
    around: [(text) => `{"specversion":"1.0","id":"a","source":"b","type":"c","data_base64":"${text}"}`, alone],
  },
  {
    name: "CORS",
    run: (text) => [
      isOriginAllowed({ origins: ["https://a.b"] }, { origin: text }),
      preflightHeaders({ "access-control-request-headers": text }),
    ],
  },
  { name: "Accept", run: (text) => [prefersHtml(text), languageOf(text)] },
  {
    name: "where to go on",
    run: (text) => redirectOf({ redirect: text, origins: ["https://a.b"] }, text, "https://c.d"),
    around: [alone, (text) => `https://a.b/${text}`],
  },
  {
    name: "Forwarded",
    run: (text) => [
      remoteAddressOf("127.0.0.1", { forwarded: text }, LOOPBACK),
      remoteAddressOf("127.0.0.1", { "x-forwarded-for": text }, LOOPBACK),
    ],
    around: [alone, (text) => `for=${text}`],
  },
  {
    name: "the target of a request",
    run: parseTarget,
    around: [(text) => `/v1/hooks/${text}`, (text) => `http://${text}`],
  },
  {
    name: "MAIL and RCPT",
    run: (text) => [readAddressCommand("MAIL FROM", text), readAddressCommand("RCPT TO", text)],
    around: [
      (text) => `MAIL FROM:${text}`,
      (text) => `RCPT TO:<${text}`,
      (text) => `MAIL FROM:<a@b> ${text}`,
      (text) => `RCPT TO:<"${text}`,
    ],
  },
  { name: "a PROXY header", run: (text) => readProxyHeader(Buffer.from(text)), around: [(text) => `PROXY ${text}`] },
  { name: "mail loops", run: (text) => isMailLoop(Buffer.from(text)), around: [alone, (text) => `Received: ${text}`] },
  {
    name: "an app definition",
    run: (text) => readAppDefinition(text, "app.json"),
    around: [
      alone,
      definition,
      // Sized by what comes again: a hook, a wrong hook, an option, a wrong value for each.
      (text) => definition(Array.from({ length: text.length / 60 }, () => `${HOOK}}`).join(",")),
      (text) => definition(Array.from({ length: text.length / 60 }, (_, at) => `{"eventName":"a b ${at}"}`).join(",")),
      (text) =>
        definition(
          `${HOOK},"x-posthorn":{${Array.from({ length: text.length / 20 }, (_, at) => `"o${at}":1`).join(",")}}}`,
        ),
      (text) =>
        definition(
          `${HOOK},"x-posthorn":{"origins":[${Array.from({ length: text.length / 10 }, () => "1").join(",")}]}}`,
        ),
      (text) => definition(`${HOOK},"x-posthorn":{"schema":{"a":"${text.replaceAll(/["\\\r\n\t\0]/g, " ")}"}}}`),
    ],
  },
  { name: "a cookie", run: (text) => cookieIn({ headers: { cookie: text } } as never, "posthorn_session") },
  { name: "where to go after the sign-in", run: localPath, around: [alone, (text) => `/a?${text}`] },
  { name: "the tree of an event", run: parseJsonTree, around: [alone, (text) => `{"a":"${text}"}`] },
  {
    name: "a page with its places marked",
    run: markedHtml,
    around: [alone, (text) => `<script type="application/json">${text}`],
  },
];

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8);

function tagged(text: string) {
  const list = parseTagList(text);
  for (const name of ["a", "b", "c", "h"]) tagOf(list, name)?.concat(solidTagOf(list, name) ?? "");
  return list;
}

/** Every macro, so that what a sender writes is expanded. */
function spfRecord(_name: string, type: string): Promise<unknown[]> {
  return type === "TXT" ? Promise.resolve([["v=spf1 exists:%{l}.%{s}.%{o}.%{d}.%{i}.%{h}.a.b -all"]]) : NO_RECORD();
}

testGrowth(SUBJECTS);
