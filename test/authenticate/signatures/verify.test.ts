import { createHmac, generateKeyPairSync, sign as signBytes } from "node:crypto";

import { sign as signForGithub } from "@octokit/webhooks-methods";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import twilio from "twilio";
import { describe, expect, test } from "vitest";

import { signRequest } from "../../../src/authenticate/signatures/sign.ts";
import { verifySignature } from "../../../src/authenticate/signatures/verify.ts";
import type { SignatureOption, SignatureScheme } from "../../../src/model/hook-options.ts";

interface Sent {
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly url?: string;
}

const NOW = 1_731_705_121_000;
const SECONDS = String(NOW / 1_000);
const SECRET = "whsec_plJ3nmyCDGBKInavdOK15jsl";
const BODY = '{"event_type":"ping","data":{"success":true}}';

const judge = (
  scheme: SignatureScheme,
  { headers, body, url = "https://hooks.example/v1/hooks/web/x" }: Sent,
  secrets: readonly string[],
  { now = NOW, ...option }: Partial<SignatureOption> & { now?: number } = {},
) => {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const verdict = verifySignature(
    { headers: lower, body: Buffer.from(body), url, now },
    { scheme, secret: "kv", ...option },
    secrets,
  );
  return verdict.kind === "good" ? "good" : verdict.why;
};

describe("vectors that vendors publish", () => {
  test("Standard Webhooks", () => {
    const headers = {
      "webhook-id": "msg_loFOjxBNrRLzqYUf",
      "webhook-timestamp": SECONDS,
      "webhook-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    };
    expect(judge("standard-webhooks", { headers, body: BODY }, [SECRET])).toBe("good");
    // What its first sender calls them.
    const svix = {
      "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "svix-timestamp": "1614265330",
      "svix-signature": "v1,unrelated v2,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    };
    const at = { now: 1_614_265_330_000 };
    expect(
      judge(
        "standard-webhooks",
        { headers: svix, body: '{"test": 2432232314}' },
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        at,
      ),
    ).toBe("good");
  });

  test("GitHub", () => {
    const headers = {
      "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b04e17e",
    };
    const good = { "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" };
    const secrets = ["It's a Secret to Everybody"];
    expect(judge("github", { headers: good, body: "Hello, World!" }, secrets)).toBe("good");
    expect(judge("github", { headers, body: "Hello, World!" }, secrets)).toBe("no-match");
  });

  test("Slack", () => {
    const body =
      "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const headers = {
      "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
      "X-Slack-Request-Timestamp": "1531420618",
    };
    const secrets = ["8f742231b10e8888abcd99yyyzzz85a5"];
    expect(judge("slack", { headers, body }, secrets, { now: 1_531_420_618_000 })).toBe("good");
    expect(judge("slack", { headers, body }, secrets)).toBe("outside-window");
  });

  test("Twilio", () => {
    const body = new URLSearchParams({
      Digits: "1234",
      CallSid: "CA1234567890ABCDE",
      Caller: "+14158675309",
      To: "+18005551212",
      From: "+14158675309",
    }).toString();
    const headers = {
      "X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
      "content-type": "application/x-www-form-urlencoded",
    };
    const url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    expect(judge("twilio", { headers, body, url }, ["12345"])).toBe("good");
    expect(judge("twilio", { headers, body, url: `${url}1` }, ["12345"])).toBe("no-match");
  });
});

describe("what the vendors' own signers sign", () => {
  test("standardwebhooks", () => {
    const headers = {
      "webhook-id": "m1",
      "webhook-timestamp": SECONDS,
      "webhook-signature": new Webhook(SECRET).sign("m1", new Date(NOW), BODY),
    };
    expect(judge("standard-webhooks", { headers, body: BODY }, [SECRET])).toBe("good");
    expect(judge("gitlab", { headers, body: BODY }, [SECRET])).toBe("good");
    expect(judge("standard-webhooks", { headers: { ...headers, "webhook-id": "m2" }, body: BODY }, [SECRET])).toBe(
      "no-match",
    );
  });

  test("@octokit/webhooks-methods", async () => {
    const headers = { "x-hub-signature-256": await signForGithub("s1", BODY) };
    expect(judge("github", { headers, body: BODY }, ["s1"])).toBe("good");
    expect(judge("github", { headers, body: `${BODY} ` }, ["s1"])).toBe("no-match");
  });

  test("stripe", () => {
    const header = Stripe.webhooks.generateTestHeaderString({
      payload: BODY,
      secret: "whsec_a",
      timestamp: NOW / 1_000,
    });
    const headers = { "stripe-signature": header };
    expect(judge("stripe", { headers, body: BODY }, ["whsec_a"])).toBe("good");
    expect(judge("stripe", { headers, body: BODY }, ["whsec_b"])).toBe("no-match");
    expect(judge("stripe", { headers, body: BODY }, ["whsec_a"], { now: NOW + 301_000 })).toBe("outside-window");
    expect(judge("stripe", { headers, body: BODY }, ["whsec_a"], { now: NOW + 301_000, toleranceSeconds: 600 })).toBe(
      "good",
    );
  });

  test("twilio, of a form and of JSON, whatever port its address names", () => {
    const url = "https://hooks.example/v1/hooks/web/x";
    const params = { Body: "Grüße & mehr", To: "+1", From: "+2" };
    const form = {
      headers: {
        "x-twilio-signature": twilio.getExpectedTwilioSignature("t1", url, params),
        "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
      },
      body: new URLSearchParams(params).toString(),
    };
    expect(judge("twilio", { ...form, url }, ["t1"])).toBe("good");
    expect(judge("twilio", { ...form, url: "https://hooks.example:443/v1/hooks/web/x" }, ["t1"])).toBe("good");
    const jsonUrl = `${url}?bodySHA256=${twilio.getExpectedBodyHash(BODY)}`;
    const json = {
      headers: { "x-twilio-signature": twilio.getExpectedTwilioSignature("t1", jsonUrl, {}) },
      url: jsonUrl,
    };
    expect(judge("twilio", { ...json, body: BODY }, ["t1"])).toBe("good");
    expect(judge("twilio", { ...json, body: `${BODY} ` }, ["t1"])).toBe("no-match");
  });
});

describe("schemes whose pages describe them", () => {
  const hmac = (algorithm: string, secret: string, text: string, encoding: "hex" | "base64") =>
    createHmac(algorithm, secret).update(text).digest(encoding);

  test("Shopify, Zoom, GitLab's token and Kustomer", () => {
    const shopify = { "x-shopify-hmac-sha256": hmac("sha256", "s", BODY, "base64") };
    expect(judge("shopify", { headers: shopify, body: BODY }, ["s"])).toBe("good");
    const zoom = {
      "x-zm-signature": `v0=${hmac("sha256", "s", `v0:${SECONDS}:${BODY}`, "hex")}`,
      "x-zm-request-timestamp": SECONDS,
    };
    expect(judge("zoom", { headers: zoom, body: BODY }, ["s"])).toBe("good");
    expect(judge("zoom", { headers: zoom, body: BODY }, ["s"], { now: NOW - 400_000 })).toBe("outside-window");
    expect(judge("gitlab", { headers: { "x-gitlab-token": "s" }, body: BODY }, ["r", "s"])).toBe("good");
    expect(judge("gitlab", { headers: { "x-gitlab-token": "s2" }, body: BODY }, ["s"])).toBe("no-match");
    for (const algorithm of ["sha1", "sha256"]) {
      const headers = { "x-kustomer-webhook-signature": hmac(algorithm, "s", BODY, "hex") };
      expect(judge("kustomer", { headers, body: BODY }, ["s"])).toBe("good");
      expect(judge("kustomer", { headers, body: `${BODY} ` }, ["s"])).toBe("no-match");
    }
  });

  test("the generic HMAC takes its parts from the options", () => {
    const headers = { "x-sig": `v1=${hmac("sha512", "s", `${SECONDS}|${BODY}`, "base64")}`, "x-time": SECONDS };
    const option = {
      algorithm: "sha512",
      header: "X-Sig",
      encoding: "base64",
      prefix: "v1=",
      timestampHeader: "X-Time",
      signed: "{timestamp}|{body}",
    };
    expect(judge("hmac", { headers, body: BODY }, ["s"], option)).toBe("good");
    expect(judge("hmac", { headers, body: BODY }, ["s"], { ...option, now: NOW + 301_000 })).toBe("outside-window");
    expect(judge("hmac", { headers: { "x-signature": hmac("sha256", "s", BODY, "hex") }, body: BODY }, ["s"])).toBe(
      "good",
    );
    expect(judge("hmac", { headers: { "x-sig": "zz" }, body: BODY }, ["s"], { header: "x-sig" })).toBe("no-match");
  });

  test("Ed25519 as Discord signs, ECDSA as SendGrid signs, and Standard Webhooks with a public key", () => {
    const ed = generateKeyPairSync("ed25519");
    const raw = ed.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
    const discord = {
      "x-signature-ed25519": signBytes(null, Buffer.from(SECONDS + BODY), ed.privateKey).toString("hex"),
      "x-signature-timestamp": SECONDS,
    };
    expect(judge("ed25519", { headers: discord, body: BODY }, [raw.toString("hex")])).toBe("good");
    expect(judge("ed25519", { headers: discord, body: `${BODY}x` }, [raw.toString("hex")])).toBe("no-match");
    expect(
      judge("ed25519", { headers: discord, body: BODY }, [
        "no key",
        String(ed.publicKey.export({ format: "pem", type: "spki" })),
      ]),
    ).toBe("good");
    const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const key = ec.publicKey.export({ format: "der", type: "spki" }).toString("base64");
    const sendgrid = {
      "X-Twilio-Email-Event-Webhook-Signature": signBytes(
        "sha256",
        Buffer.from(SECONDS + BODY),
        ec.privateKey,
      ).toString("base64"),
      "X-Twilio-Email-Event-Webhook-Timestamp": SECONDS,
    };
    expect(judge("ecdsa", { headers: sendgrid, body: BODY }, [key])).toBe("good");
    expect(judge("ecdsa", { headers: sendgrid, body: `${BODY} ` }, [key])).toBe("no-match");
    const standard = {
      "webhook-id": "m1",
      "webhook-timestamp": SECONDS,
      "webhook-signature": `v1a,${signBytes(null, Buffer.from(`m1.${SECONDS}.${BODY}`), ed.privateKey).toString("base64")}`,
    };
    expect(judge("standard-webhooks", { headers: standard, body: BODY }, [`whpk_${raw.toString("base64")}`])).toBe(
      "good",
    );
    expect(judge("standard-webhooks", { headers: standard, body: "x" }, [`whpk_${raw.toString("base64")}`])).toBe(
      "no-match",
    );
  });
});

const schemes: readonly SignatureScheme[] = [
  "standard-webhooks",
  "github",
  "gitlab",
  "stripe",
  "shopify",
  "slack",
  "twilio",
  "zoom",
  "kustomer",
  "hmac",
  "ed25519",
  "ecdsa",
];

test.each(schemes)("%s: no header is missing, nonsense never throws, no secret opens nothing", (scheme) => {
  expect(judge(scheme, { headers: {}, body: BODY }, ["s"])).toBe("missing");
  const names = [
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "x-hub-signature-256",
    "x-gitlab-token",
    "stripe-signature",
    "x-shopify-hmac-sha256",
    "x-slack-signature",
    "x-slack-request-timestamp",
    "x-twilio-signature",
    "x-zm-signature",
    "x-zm-request-timestamp",
    "x-kustomer-webhook-signature",
    "x-signature",
    "x-signature-ed25519",
    "x-signature-timestamp",
    "x-twilio-email-event-webhook-signature",
    "x-twilio-email-event-webhook-timestamp",
  ];
  for (const nonsense of ["", "=", ",", "v0=", "v1,", "t=1,v1=zz", "a".repeat(5_000), "\u0000ÿ", SECONDS]) {
    const headers = Object.fromEntries(names.map((name) => [name, nonsense]));
    for (const secrets of [[], [""], ["s"], ["whpk_AAAA"]])
      expect(judge(scheme, { headers, body: BODY }, secrets)).not.toBe("good");
  }
});

test("a secret that was never filled in lets nobody sign", () => {
  const empty = (text: string, encoding: "hex" | "base64") => createHmac("sha256", "").update(text).digest(encoding);
  const github = { "x-hub-signature-256": `sha256=${empty(BODY, "hex")}` };
  expect(judge("github", { headers: github, body: BODY }, [""])).toBe("no-match");
  const standard = {
    "webhook-id": "m",
    "webhook-timestamp": SECONDS,
    "webhook-signature": `v1,${empty(`m.${SECONDS}.${BODY}`, "base64")}`,
  };
  expect(judge("standard-webhooks", { headers: standard, body: BODY }, ["whsec_"])).toBe("no-match");
});

test.each(schemes)("%s: what posthorn send signs is taken, and by no other secret", (scheme) => {
  const option = { scheme, secret: "kv", timestampHeader: "x-time", signed: "{timestamp}:{body}" } as const;
  const secret = "whsec_plJ3nmyCDGBKInavdOK15jsl";
  const sent = { body: "a=1&b=2", url: "https://hooks.example/v1/hooks/web/x" };
  const contentType = "application/x-www-form-urlencoded";
  const headers = signRequest({ option, secret, contentType, now: NOW, url: sent.url, body: Buffer.from(sent.body) });
  if (headers === undefined) return expect(["ed25519", "ecdsa"]).toContain(scheme);
  const all = { ...headers, "content-type": contentType };
  expect(judge(scheme, { ...sent, headers: all }, [secret], option)).toBe("good");
  expect(judge(scheme, { ...sent, headers: all }, [`${secret}BBBB`], option)).toBe("no-match");
});
