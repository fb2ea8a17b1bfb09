import { createHmac } from "node:crypto";

import { describe, expect, test } from "vitest";

import { answerHandshake } from "../../src/authenticate/handshakes.ts";
import { verifySignature } from "../../src/authenticate/signatures/verify.ts";
import type { HandshakeKind, SignatureOption, SignatureScheme } from "../../src/model/hook-options.ts";

const NOW = 1_731_705_121_000;
const SECONDS = String(NOW / 1_000);
const SECRET = "whsec_plJ3nmyCDGBKInavdOK15jsl";
const URL_OF_HOOK = "https://hooks.example/v1/hooks/web/x";

const KINDS: readonly HandshakeKind[] = ["slack", "meta", "microsoft-graph", "dropbox", "zoom", "x", "cloudevents"];

/** Everything that one ownership check of this kind can be made to say about a text, by somebody without the secret. */
function askedAbout(kind: HandshakeKind, text: string): string {
  const query = new URLSearchParams({
    "hub.mode": "subscribe",
    "hub.verify_token": text,
    "hub.challenge": text,
    validationToken: text,
    challenge: text,
    crc_token: text,
  }).toString();
  const bodies = [
    JSON.stringify({ type: "url_verification", challenge: text }),
    JSON.stringify({ event: "endpoint.url_validation", payload: { plainToken: text } }),
    text,
    "",
  ];
  const headers = {
    "webhook-request-origin": text,
    "x-zm-request-timestamp": SECONDS,
    "x-zm-signature": `v0=${"0".repeat(64)}`,
  };
  const answers = ["GET", "HEAD", "POST", "PUT", "OPTIONS"].flatMap((method) =>
    bodies.map((body) =>
      answerHandshake(kind, { method, query, headers, body: Buffer.from(body), now: NOW }, [SECRET]),
    ),
  );
  return JSON.stringify(answers);
}

/** Whatever in an answer could be a signature, as bytes. */
function signaturesIn(answer: string): Buffer[] {
  const words = answer.match(/[A-Za-z0-9+/_-]{20,}={0,2}/g) ?? [];
  return words.flatMap((word) => [Buffer.from(word, "hex"), Buffer.from(word, "base64")]);
}

interface Attack {
  readonly option: SignatureOption;
  /** What the scheme signs for this body. */
  readonly signed: (body: string) => string;
  readonly headers: (signature: Buffer) => Record<string, string>;
}

const option = (scheme: SignatureScheme, more: object = {}): SignatureOption => ({ scheme, secret: "kv", ...more });
const bodyOnly = (body: string) => body;
const ATTACKS: Readonly<Record<string, Attack>> = {
  "standard-webhooks": {
    option: option("standard-webhooks"),
    signed: (body) => `m.${SECONDS}.${body}`,
    headers: (signature) => ({
      "webhook-id": "m",
      "webhook-timestamp": SECONDS,
      "webhook-signature": `v1,${signature.toString("base64")}`,
    }),
  },
  github: {
    option: option("github"),
    signed: bodyOnly,
    headers: (signature) => ({ "x-hub-signature-256": `sha256=${signature.toString("hex")}` }),
  },
  gitlab: {
    option: option("gitlab"),
    signed: bodyOnly,
    headers: (signature) => ({ "x-gitlab-token": signature.toString("utf8") }),
  },
  stripe: {
    option: option("stripe"),
    signed: (body) => `${SECONDS}.${body}`,
    headers: (signature) => ({ "stripe-signature": `t=${SECONDS},v1=${signature.toString("hex")}` }),
  },
  shopify: {
    option: option("shopify"),
    signed: bodyOnly,
    headers: (signature) => ({ "x-shopify-hmac-sha256": signature.toString("base64") }),
  },
  slack: {
    option: option("slack"),
    signed: (body) => `v0:${SECONDS}:${body}`,
    headers: (signature) => ({
      "x-slack-request-timestamp": SECONDS,
      "x-slack-signature": `v0=${signature.toString("hex")}`,
    }),
  },
  twilio: {
    option: option("twilio"),
    signed: (body) => URL_OF_HOOK + body.replaceAll("=", ""),
    headers: (signature) => ({
      "content-type": "application/x-www-form-urlencoded",
      "x-twilio-signature": signature.toString("base64"),
    }),
  },
  zoom: {
    option: option("zoom"),
    signed: (body) => `v0:${SECONDS}:${body}`,
    headers: (signature) => ({
      "x-zm-request-timestamp": SECONDS,
      "x-zm-signature": `v0=${signature.toString("hex")}`,
    }),
  },
  kustomer: {
    option: option("kustomer"),
    signed: bodyOnly,
    headers: (signature) => ({ "x-kustomer-webhook-signature": signature.toString("hex") }),
  },
  "hmac over the body": {
    option: option("hmac", { encoding: "base64", prefix: "sha256=", header: "x-twitter-webhooks-signature" }),
    signed: bodyOnly,
    headers: (signature) => ({ "x-twitter-webhooks-signature": `sha256=${signature.toString("base64")}` }),
  },
  "hmac over time and body": {
    option: option("hmac", { timestampHeader: "x-time", signed: "{timestamp}{body}" }),
    signed: (body) => SECONDS + body,
    headers: (signature) => ({ "x-time": SECONDS, "x-signature": signature.toString("hex") }),
  },
  ed25519: {
    option: option("ed25519"),
    signed: (body) => SECONDS + body,
    headers: (signature) => ({
      "x-signature-timestamp": SECONDS,
      "x-signature-ed25519": signature.toString("hex"),
    }),
  },
  ecdsa: {
    option: option("ecdsa"),
    signed: (body) => SECONDS + body,
    headers: (signature) => ({
      "x-twilio-email-event-webhook-timestamp": SECONDS,
      "x-twilio-email-event-webhook-signature": signature.toString("base64"),
    }),
  },
};
const FORGED = [
  '{"event":"meeting.started","payload":{}}',
  "12345",
  "true",
  "alarm",
  "a=b",
  "YWJj",
  "a-b_c",
  "",
  "[1]",
];

describe.each(Object.entries(ATTACKS))("%s", (_name, { option: signature, signed, headers }) => {
  test.each(KINDS)("no answer of %s is a signature", (kind) => {
    for (const body of FORGED)
      for (const answer of signaturesIn(askedAbout(kind, signed(body)))) {
        const request = {
          headers: headers(answer),
          body: Buffer.from(body),
          url: URL_OF_HOOK,
          now: NOW,
          isAnsweredWith: () => true,
        };
        expect([body, verifySignature(request, signature, [SECRET]).kind]).toEqual([body, "bad"]);
      }
  });
});

test("the attack would succeed where answers are made with the secret and nothing is held back", () => {
  const { option: signature, headers } = ATTACKS["github"] as Attack;
  const answers = signaturesIn(askedAbout("x", "12345"));
  const request = (answer: Buffer) => ({ headers: headers(answer), body: Buffer.from("12345"), url: "", now: NOW });
  expect(answers.map((answer) => verifySignature(request(answer), signature, [SECRET]).kind)).toContain("good");
});

describe("Zoom's check", () => {
  const body = '{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1}';
  const hmac = (secret: string, text: string) => createHmac("sha256", secret).update(text).digest("hex");
  const ask = (text: string, secret: string, secrets: readonly string[], time = SECONDS) =>
    answerHandshake(
      "zoom",
      {
        method: "POST",
        query: "",
        headers: {
          "x-zm-request-timestamp": time,
          "x-zm-signature": `v0=${hmac(secret, `v0:${time}:${text}`)}`,
        },
        body: Buffer.from(text),
        now: NOW,
      },
      secrets,
    )?.body;

  test("is answered under Zoom's own signature, with the secret that it was signed with", () => {
    const encryptedToken = hmac("s2", "qgg8vlvZRS6UYooatFL8Aw");
    expect(ask(body, "s2", ["s1", "s2"])).toBe(
      JSON.stringify({ plainToken: "qgg8vlvZRS6UYooatFL8Aw", encryptedToken }),
    );
  });

  test("is none without that signature, with an old one, or about anything but a token", () => {
    expect(ask(body, "s3", ["s1", "s2"])).toBeUndefined();
    expect(ask(body, "s1", ["s1"], String(NOW / 1_000 - 400))).toBeUndefined();
    expect(ask(body, "s1", [])).toBeUndefined();
    for (const token of ["v0:1:{}", "a b", "", "x".repeat(200), '{"a":1}', "ü"])
      expect(ask(body.replace("qgg8vlvZRS6UYooatFL8Aw", token.replaceAll('"', '\\"')), "s1", ["s1"])).toBeUndefined();
  });
});

test("X's check is answered for tokens as X makes them, and for nothing else", () => {
  const ask = (token: string) =>
    answerHandshake(
      "x",
      {
        method: "GET",
        query: new URLSearchParams({ crc_token: token }).toString(),
        headers: {},
        body: new Uint8Array(0),
        now: NOW,
      },
      [SECRET],
    )?.body;
  for (const token of ["foo", "challenge_string", "NmM1ZjU=", "a+b/c=="])
    expect(ask(token)).toBe(
      JSON.stringify({ response_token: `sha256=${createHmac("sha256", SECRET).update(token).digest("base64")}` }),
    );
  for (const token of ['{"a":1}', "a b", "v0:1:x", "1.x", "[1]", '"a"', "x".repeat(300)])
    expect(ask(token)).toBeUndefined();
});
