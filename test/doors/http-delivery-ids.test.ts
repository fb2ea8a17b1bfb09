import { createHmac, generateKeyPairSync, sign as signBytes } from "node:crypto";

import twilio from "twilio";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Hook } from "../../src/model/hook.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

// What makes a provider's retry the same event, and what lets nobody make two of one.

const SECRET = "whsec_plJ3nmyCDGBKInavdOK15jsl";
const JSON_TYPE = { "content-type": "application/json" };
const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" });

let nats: NatsServer;
let posthorn: TestDaemon;
let hooks: Readonly<Record<string, Hook>>;
let key: string;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, {
    POSTHORN_SECRET_SHOP_A: SECRET,
    POSTHORN_SECRET_SHOP_EC: ec.publicKey.export({ format: "der", type: "spki" }).toString("base64"),
  });
  const web = (name: string, options: object = {}) => ({
    eventName: `kustomer.app.shop.${name}`,
    type: "web",
    "x-posthorn": options,
  });
  const secret = "env:POSTHORN_SECRET_SHOP_A";
  const signed = (scheme: string, more: object = {}) => web(scheme, { signature: { scheme, secret, ...more } });
  const made = await posthorn.install([
    web("plain"),
    web("header", { deliveryId: { header: "X-Order-Event" } }),
    web("pointer", { deliveryId: { pointer: "/event/id" } }),
    signed("standard-webhooks"),
    signed("github"),
    signed("gitlab"),
    signed("stripe"),
    signed("shopify"),
    signed("slack"),
    signed("twilio"),
    signed("zoom"),
    signed("hmac"),
    web("numbered", { signature: { scheme: "hmac", secret }, deliveryId: { header: "X-Number" } }),
    web("sendgrid", { signature: { scheme: "ecdsa", secret: "env:POSTHORN_SECRET_SHOP_EC" } }),
  ]);
  hooks = Object.fromEntries(made.map((hook) => [hook.eventName.split(".").at(-1), hook]));
  ({ key } = await posthorn.daemon.storage.keys.create({ app: "shop", expires: null }, Date.now()));
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

interface Answer {
  readonly id: string;
  readonly duplicate: boolean;
}

const urlOf = (name: string, query = "") =>
  `http://${posthorn.daemon.http.address}/v1/hooks/web/${hooks[name]?.hookId}${query}`;
async function post(name: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(urlOf(name), { method: "POST", body, headers: { ...JSON_TYPE, ...headers } });
  expect([name, response.status, response.status === 202 ? "" : await response.clone().text()]).toEqual([
    name,
    202,
    "",
  ]);
  return (await response.json()) as Answer;
}
const withKey = (name: string, body: string, headers: Record<string, string> = {}) =>
  post(name, body, { "x-api-key": key, ...headers });

const hmac = (text: string, encoding: "hex" | "base64" = "hex") =>
  createHmac("sha256", SECRET).update(text).digest(encoding);
const now = () => Math.floor(Date.now() / 1_000);
const symmetricKey = Buffer.from(SECRET.slice("whsec_".length), "base64");
const standard = (id: string, body: string, family = "webhook", time = String(now())) => ({
  [`${family}-id`]: id,
  [`${family}-timestamp`]: time,
  [`${family}-signature`]: `v1,${createHmac("sha256", symmetricKey).update(`${id}.${time}.${body}`).digest("base64")}`,
});
const stripe = (body: string, time = now()) => ({ "stripe-signature": `t=${time},v1=${hmac(`${time}.${body}`)}` });
const slack = (body: string, time = now()) => ({
  "x-slack-request-timestamp": String(time),
  "x-slack-signature": `v0=${hmac(`v0:${time}:${body}`)}`,
});
const zoom = (body: string, time = now()) => ({
  "x-zm-request-timestamp": String(time),
  "x-zm-signature": `v0=${hmac(`v0:${time}:${body}`)}`,
});
const github = (body: string) => ({ "x-hub-signature-256": `sha256=${hmac(body)}` });
const sendgrid = (body: string, time = now()) => ({
  "x-twilio-email-event-webhook-timestamp": String(time),
  "x-twilio-email-event-webhook-signature": signBytes("sha256", Buffer.from(`${time}${body}`), ec.privateKey).toString(
    "base64",
  ),
});

describe("with an API key", () => {
  test.each([
    "Idempotency-Key",
    "webhook-id",
    "svix-id",
    "X-GitHub-Delivery",
    "X-Gitea-Delivery",
    "X-Gogs-Delivery",
    "X-Forgejo-Delivery",
    "X-Gitlab-Event-UUID",
    "X-Shopify-Webhook-Id",
    "X-Kustomer-Webhook-Id",
    "x-amz-sns-message-id",
    "I-Twilio-Idempotency-Token",
    "PAYPAL-TRANSMISSION-ID",
    "X-WC-Webhook-Delivery-ID",
    "Linear-Delivery",
    "X-Request-UUID",
  ])("%s names the delivery", async (name) => {
    const first = await withKey("plain", '{"n":1}', { [name]: `${name}-d1` });
    expect(await withKey("plain", '{"n":1}', { [name]: `${name}-d1` })).toEqual({ ...first, duplicate: true });
    expect((await withKey("plain", '{"n":1}', { [name]: `${name}-d2` })).id).not.toBe(first.id);
  });

  test.each([
    ["Slack", '{"type":"event_callback","event_id":"Ev0PV52K25","event":{"type":"message","text":"x"}}'],
    ["Stripe", '{"id":"evt_1","object":"event"}'],
    ["SendGrid", '[{"sg_event_id":"a"}]'],
  ])("an id in the body counts only under the signature of its provider: %s", async (_name, body) => {
    const first = await withKey("plain", body);
    expect((await withKey("plain", body)).id).not.toBe(first.id);
  });
});

describe("the option deliveryId", () => {
  test("names a header field, and then no other one counts", async () => {
    const first = await withKey("header", "{}", { "x-order-event": "1", "idempotency-key": "a" });
    const same = await withKey("header", '{"retry":true}', { "x-order-event": "1", "idempotency-key": "b" });
    expect(same).toEqual({ ...first, duplicate: true });
    expect((await withKey("header", "{}", { "x-order-event": "2", "idempotency-key": "a" })).id).not.toBe(first.id);
    const [one, other] = [await withKey("header", "{}"), await withKey("header", "{}")];
    expect(one.id).not.toBe(other.id);
  });

  test("names a place in the payload, whatever the body is written in", async () => {
    const first = await withKey("pointer", '{"event":{"id":"e1"},"n":1}');
    expect(await withKey("pointer", '{"n":2,"event":{"id":"e1"}}')).toEqual({ ...first, duplicate: true });
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect(await withKey("pointer", "event[id]=e1", form)).toEqual({ ...first, duplicate: true });
    const xml = "<event><id>e1</id></event>";
    expect(await withKey("pointer", xml, { "content-type": "application/xml" })).toEqual({ ...first, duplicate: true });
    expect((await withKey("pointer", '{"event":{"id":"e2"}}')).id).not.toBe(first.id);
  });

  test("takes numbers by their digits, and neither an empty text nor anything bigger", async () => {
    const big = await withKey("pointer", '{"event":{"id":12345678901234567890}}');
    expect((await withKey("pointer", '{"event":{"id":12345678901234567891}}')).id).not.toBe(big.id);
    expect(await withKey("pointer", '{"event":{"id":12345678901234567890}}')).toEqual({ ...big, duplicate: true });
    for (const id of ['""', "null", "{}", "[1]", "true"]) {
      const first = await withKey("pointer", `{"event":{"id":${id}}}`);
      expect((await withKey("pointer", `{"event":{"id":${id}}}`)).id).not.toBe(first.id);
    }
  });

  test("counts under a signature too: the app's author chose it", async () => {
    const headers = { "x-signature": hmac("{}"), "x-number": "7" };
    const first = await post("numbered", "{}", headers);
    expect(await post("numbered", "{}", headers)).toEqual({ ...first, duplicate: true });
    expect((await post("numbered", "{}", { ...headers, "x-number": "8" })).id).not.toBe(first.id);
  });
});

/** Header fields by which somebody who caught a signed call could try to make another event of it. */
const UNSIGNED = {
  "idempotency-key": "evil",
  "x-github-delivery": "evil",
  "x-gitlab-event-uuid": "evil",
  "x-shopify-webhook-id": "evil",
  "x-amz-sns-message-id": "evil",
  "linear-delivery": "evil",
  "x-request-uuid": "evil",
};
const BINARY_CLOUDEVENT = { "ce-specversion": "1.0", "ce-id": "evil", "ce-source": "/evil", "ce-type": "evil" };

describe("under a signature only what it covers names the delivery", () => {
  const orderBody = '{"n":1,"at":"2026-11-24T10:00:00Z"}';
  const cases: readonly [name: string, body: string, headers: () => Record<string, string>][] = [
    ["standard-webhooks", orderBody, () => standard("msg_1", orderBody)],
    ["standard-webhooks", '{"svix":1}', () => standard("msg_2", '{"svix":1}', "svix")],
    ["gitlab", '{"gitlab":1}', () => standard("msg_3", '{"gitlab":1}')],
    ["stripe", '{"id":"evt_1","type":"a"}', () => stripe('{"id":"evt_1","type":"a"}')],
    ["slack", '{"event_id":"Ev1","type":"event_callback"}', () => slack('{"event_id":"Ev1","type":"event_callback"}')],
    ["zoom", '{"event":"meeting.started","event_ts":1}', () => zoom('{"event":"meeting.started","event_ts":1}')],
    ["github", orderBody, () => ({ ...github(orderBody), "x-github-delivery": "d1", "x-github-event": "push" })],
    [
      "shopify",
      orderBody,
      () => ({ "x-shopify-hmac-sha256": hmac(orderBody, "base64"), "x-shopify-webhook-id": "d1" }),
    ],
    ["hmac", orderBody, () => ({ "x-signature": hmac(orderBody), "linear-delivery": "d1" })],
    [
      "sendgrid",
      '[{"sg_event_id":"a"},{"sg_event_id":"b"}]',
      () => sendgrid('[{"sg_event_id":"a"},{"sg_event_id":"b"}]'),
    ],
  ];

  test.each(cases)("%s %s: a replay is the same event, whatever is added", async (name, body, headers) => {
    const sent = headers();
    const first = await post(name, body, sent);
    expect(first.duplicate).toBe(false);
    const same = { ...first, duplicate: true };
    expect(await post(name, body, sent)).toEqual(same);
    for (const [added, value] of Object.entries(UNSIGNED))
      expect([added, await post(name, body, { ...sent, [added]: value })]).toEqual([added, same]);
    expect(await post(name, body, { ...sent, ...UNSIGNED })).toEqual(same);
    expect(await post(name, body, { ...sent, ...BINARY_CLOUDEVENT })).toEqual(same);
    expect(await post(name, body, { ...sent, "content-type": "text/plain" })).toEqual(same);
    expect(await post(name, body, { ...sent, "content-type": "application/x-ndjson" })).toEqual(same);
  });

  test.each([
    ["stripe", '{"id":"evt_9","type":"a"}', stripe],
    ["slack", '{"event_id":"Ev9","type":"event_callback"}', slack],
    ["zoom", '{"event":"meeting.ended","event_ts":9}', zoom],
    ["sendgrid", '[{"sg_event_id":"x"}]', sendgrid],
  ] as const)(
    "%s: a retry that is signed anew is the same event, another delivery is not",
    async (name, body, sign) => {
      const first = await post(name, body, sign(body, now() - 60));
      expect(await post(name, body, sign(body))).toEqual({ ...first, duplicate: true });
      const other = body.replaceAll("9", "10").replace("x", "y");
      expect((await post(name, other, sign(other))).id).not.toBe(first.id);
    },
  );

  test("the id of one family beside the signature of the other counts for nothing", async () => {
    const sent = standard("msg_7", "{}", "svix");
    const first = await post("standard-webhooks", "{}", sent);
    const same = { ...first, duplicate: true };
    expect(await post("standard-webhooks", "{}", { ...sent, "webhook-id": "evil" })).toEqual(same);
    const time = sent["svix-timestamp"] ?? "";
    expect(await post("standard-webhooks", "{}", standard("msg_7", "{}", "webhook", time))).toEqual(same);
  });

  test("Twilio's retry is named by the fields that it signs, in whatever order they are sent again", async () => {
    const url = `http://localhost:8080/v1/hooks/web/${hooks["twilio"]?.hookId}`;
    const params = { MessageSid: "SM1", MessageStatus: "sent" };
    const type = { "content-type": "application/x-www-form-urlencoded" };
    const sent = { ...type, "x-twilio-signature": twilio.getExpectedTwilioSignature(SECRET, url, params) };
    const first = await post("twilio", "MessageSid=SM1&MessageStatus=sent", sent);
    const same = { ...first, duplicate: true };
    expect(await post("twilio", "MessageStatus=sent&MessageSid=SM1", { ...sent, ...UNSIGNED })).toEqual(same);
    const delivered = { ...params, MessageStatus: "delivered" };
    const signature = twilio.getExpectedTwilioSignature(SECRET, url, delivered);
    const next = await post("twilio", "MessageSid=SM1&MessageStatus=delivered", {
      ...type,
      "x-twilio-signature": signature,
    });
    expect(next.id).not.toBe(first.id);
    // The signature of a call without fields covers no other body.
    const bare = twilio.getExpectedTwilioSignature(SECRET, url, {});
    const forged = await fetch(urlOf("twilio"), {
      method: "POST",
      body: '{"forged":true}',
      headers: { ...JSON_TYPE, "x-twilio-signature": bare },
    });
    expect(forged.status).toBe(401);
  });

  test("GitLab's token is sent in the clear like a key, so what GitLab says beside it counts", async () => {
    const headers = { "x-gitlab-token": SECRET, "idempotency-key": "k1" };
    const first = await post("gitlab", '{"object_kind":"push"}', headers);
    expect(await post("gitlab", '{"object_kind":"push"}', headers)).toEqual({ ...first, duplicate: true });
    expect((await post("gitlab", '{"object_kind":"push"}', { ...headers, "idempotency-key": "k2" })).id).not.toBe(
      first.id,
    );
  });

  test("two calls that nothing names are two events, though they are alike", async () => {
    const headers = { "x-signature": hmac('{"alarm":true}') };
    const first = await post("hmac", '{"alarm":true}', headers);
    expect((await post("hmac", '{"alarm":true}', headers)).id).not.toBe(first.id);
    const order = '{"id":"order_1"}';
    const second = await post("stripe", order, stripe(order));
    expect((await post("stripe", order, stripe(order))).id).not.toBe(second.id);
  });

  test("topics of one provider are two deliveries, though their bodies are alike", async () => {
    const sent = { "x-shopify-hmac-sha256": hmac('{"id":1}', "base64") };
    const first = await post("shopify", '{"id":1}', { ...sent, "x-shopify-topic": "orders/create" });
    expect((await post("shopify", '{"id":1}', { ...sent, "x-shopify-topic": "orders/updated" })).id).not.toBe(first.id);
  });

  test("a CloudEvent in a signed body is named by its source and id, whatever the media type says", async () => {
    const body = '{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{}}';
    const sent = { "x-signature": hmac(body) };
    const first = await post("hmac", body, { ...sent, "content-type": "application/cloudevents+json" });
    expect(await post("hmac", body, sent)).toEqual({ ...first, duplicate: true });
  });
});
