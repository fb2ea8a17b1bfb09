import { createHmac, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { sign as signForGithub } from "@octokit/webhooks-methods";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { Hook } from "../../src/model/hook.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

const SECRET = "env:POSTHORN_SECRET_SHOP_A";
const APP_SECRET = "app-secret";

/** Stands in for the captcha vendors: speaks their documented protocol. */
interface Vendor {
  readonly url: string;
  readonly asked: URLSearchParams[];
  reply: { readonly status: number; readonly body: unknown };
  close(): void;
}

async function startVendor(): Promise<Vendor> {
  const vendor: { url: string; asked: URLSearchParams[]; reply: Vendor["reply"]; close: () => void } = {
    url: "",
    asked: [],
    reply: { status: 200, body: { success: true } },
    close: () => server.close(),
  };
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    request.on("end", () => {
      vendor.asked.push(new URLSearchParams(text));
      response.writeHead(vendor.reply.status, { "content-type": "application/json" });
      response.end(JSON.stringify(vendor.reply.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  vendor.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/siteverify`;
  return vendor;
}

let nats: NatsServer;
let posthorn: TestDaemon;
let vendor: Vendor;
let hooks: Readonly<Record<string, Hook>>;
beforeAll(async () => {
  nats = await startNatsServer();
  vendor = await startVendor();
  posthorn = await startTestDaemon(nats, {
    POSTHORN_SECRETS_KEY: randomBytes(32).toString("hex"),
    POSTHORN_SECRET_SHOP_A: APP_SECRET,
    POSTHORN_CAPTCHA_URL: vendor.url,
  });
  const web = (name: string, options: object) => ({
    eventName: `kustomer.app.shop.${name}`,
    type: "web",
    "x-posthorn": options,
  });
  const made = await posthorn.install([
    web("github", { signature: { scheme: "github", secret: "kv" } }),
    web("rotating", { signature: { scheme: "github", secret: [SECRET, "kv"] } }),
    web("unset", { signature: { scheme: "github", secret: "env:POSTHORN_SECRET_SHOP_NOT_SET" } }),
    web("slack", { handshake: "slack", signature: { scheme: "slack", secret: SECRET } }),
    web("meta", { handshake: { kind: "meta", secret: SECRET } }),
    web("graph", { handshake: "microsoft-graph" }),
    web("dropbox", { handshake: "dropbox" }),
    web("zoom", { handshake: "zoom", signature: { scheme: "zoom", secret: SECRET } }),
    web("x", { handshake: { kind: "x", secret: SECRET } }),
    web("cloudevents", { handshake: "cloudevents" }),
    {
      eventName: "kustomer.app.shop.form",
      type: "form",
      "x-posthorn": { captcha: { provider: "turnstile", secret: SECRET } },
    },
    {
      eventName: "kustomer.app.shop.anything",
      type: "form",
      "x-posthorn": { captcha: { provider: "turnstile", secret: SECRET }, schema: true },
    },
  ]);
  hooks = Object.fromEntries(made.map((hook) => [hook.eventName.split(".").at(-1), hook]));
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
  vendor.close();
});

const urlOf = (name: string, query = "") =>
  `http://${posthorn.daemon.http.address}/v1/hooks/${hooks[name]?.type}/${hooks[name]?.hookId}${query}`;
const post = (name: string, body: string | URLSearchParams, headers: Record<string, string> = {}) =>
  fetch(urlOf(name), { method: "POST", body, headers });
const eventCount = async () => (await storedIn(posthorn, "POSTHORN_EVENTS")).length;
const hmac = (text: string, encoding: "hex" | "base64" = "hex") =>
  createHmac("sha256", APP_SECRET).update(text).digest(encoding);

test("a signature made with the secret in KV opens the hook, another one does not, and neither is stored in the clear", async () => {
  const { secrets, nats: connected } = posthorn.daemon.storage;
  const eventName = "kustomer.app.shop.github";
  const signed = async (secret: string) =>
    (
      await post("github", '{"n":1.10}', {
        "content-type": "application/json",
        "x-hub-signature-256": await signForGithub(secret, '{"n":1.10}'),
      })
    ).status;
  expect(await signed("s1")).toBe(503);
  await secrets.set(eventName, "s1-long-enough-to-find", { isNext: false, now: Date.now() });
  while (secrets.secretsOf(eventName).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect([await signed("s1-long-enough-to-find"), await signed("s2")]).toEqual([202, 401]);
  expect((await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text).toContain('"payload":{"n":1.10}');
  await secrets.set(eventName, "s2", { isNext: true, now: Date.now() });
  while (secrets.secretsOf(eventName).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  expect([await signed("s1-long-enough-to-find"), await signed("s2"), await signed("s3")]).toEqual([202, 202, 401]);
  expect(secrets.list()).toEqual([{ eventName, setAt: expect.any(String), nextSetAt: expect.any(String) }]);
  const bucket = await storedIn(posthorn, "KV_posthorn_secrets");
  expect(JSON.stringify(bucket)).not.toContain("s1-long-enough-to-find");
  expect(connected.isConnected()).toBe(true);
  await secrets.remove(eventName);
  while (secrets.secretsOf(eventName).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await signed("s2")).toBe(503);
});

test("during a rotation either secret opens the hook, and a secret that is not set is our fault, not the sender's", async () => {
  const signature = { "x-hub-signature-256": `sha256=${hmac("{}")}` };
  expect((await post("rotating", "{}", signature)).status).toBe(202);
  const unset = await post("unset", "{}", {
    "x-hub-signature-256": `sha256=${createHmac("sha256", "").update("{}").digest("hex")}`,
  });
  expect([unset.status, unset.headers.get("retry-after")]).toEqual([503, expect.stringMatching(/^\d+$/)]);
});

test("an unsigned request is 401, and an API key does not stand in for a signature", async () => {
  const { key } = await posthorn.daemon.storage.keys.create({ app: "shop", expires: null }, Date.now());
  expect((await post("rotating", "{}", { "x-api-key": key })).status).toBe(401);
});

test("each provider's ownership check is answered as its vendor documents it, and publishes nothing", async () => {
  const before = await eventCount();
  const slack = await post("slack", '{"token":"t","challenge":"3eZbrw1aB","type":"url_verification"}', {
    "content-type": "application/json",
  });
  expect([slack.status, slack.headers.get("content-type"), await slack.text()]).toEqual([
    200,
    "text/plain",
    "3eZbrw1aB",
  ]);
  const meta = await fetch(
    urlOf("meta", `?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=${APP_SECRET}`),
  );
  expect([meta.status, await meta.text()]).toEqual([200, "1158201444"]);
  expect((await fetch(urlOf("meta", "?hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong"))).status).toBe(403);
  const graph = await fetch(
    urlOf("graph", "?validationToken=Validation%3A%20Testing%20client%20application%20reachability%3Cb%3E"),
    { method: "POST" },
  );
  expect([graph.status, graph.headers.get("content-type"), await graph.text()]).toEqual([
    200,
    "text/plain",
    "Validation: Testing client application reachability<b>",
  ]);
  const dropbox = await fetch(urlOf("dropbox", "?challenge=abc123"));
  expect([dropbox.status, dropbox.headers.get("x-content-type-options"), await dropbox.text()]).toEqual([
    200,
    "nosniff",
    "abc123",
  ]);
  const validation =
    '{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}';
  const seconds = String(Math.floor(Date.now() / 1_000));
  const zoom = await post("zoom", validation, {
    "content-type": "application/json",
    "x-zm-request-timestamp": seconds,
    "x-zm-signature": `v0=${hmac(`v0:${seconds}:${validation}`)}`,
  });
  expect((await post("zoom", validation, { "content-type": "application/json" })).status).toBe(401);
  expect([zoom.status, await zoom.json()]).toEqual([
    200,
    { plainToken: "qgg8vlvZRS6UYooatFL8Aw", encryptedToken: hmac("qgg8vlvZRS6UYooatFL8Aw") },
  ]);
  const x = await fetch(urlOf("x", "?crc_token=foo&nonce=bar"));
  expect(await x.json()).toEqual({ response_token: `sha256=${hmac("foo", "base64")}` });
  const options = await fetch(urlOf("cloudevents"), {
    method: "OPTIONS",
    headers: { "webhook-request-origin": "eventemitter.example.com", "webhook-request-rate": "120" },
  });
  expect(options.status).toBe(200);
  expect(Object.fromEntries(options.headers)).toMatchObject({
    "webhook-allowed-origin": "eventemitter.example.com",
    "webhook-allowed-rate": "*",
    allow: "POST",
  });
  expect(await eventCount()).toBe(before);
});

test("an answer to an ownership check opens no hook whose secret it was made with", async () => {
  const before = await eventCount();
  for (const body of ["12345", "alarm", "YWJj", "a=b"]) {
    const x = await fetch(urlOf("x", `?crc_token=${encodeURIComponent(body)}`));
    const { response_token: token = "" } = x.ok ? ((await x.json()) as { response_token?: string }) : {};
    const hex = Buffer.from(token.replace("sha256=", ""), "base64").toString("hex");
    const sent = { "content-type": "text/plain", "x-hub-signature-256": `sha256=${hex}` };
    expect([body, (await post("rotating", body, sent)).status]).toEqual([body, 401]);
  }
  expect(await eventCount()).toBe(before);
  // What no token can be is taken as before.
  const sent = { "x-hub-signature-256": `sha256=${hmac('{"n":1}')}` };
  expect((await post("rotating", '{"n":1}', sent)).status).toBe(202);
});

test("what is no ownership check goes the ordinary way, signature and key included", async () => {
  const body = '{"type":"event_callback","event":{"type":"message"}}';
  const time = String(Math.floor(Date.now() / 1_000));
  expect((await post("slack", body)).status).toBe(401);
  const signed = { "x-slack-request-timestamp": time, "x-slack-signature": `v0=${hmac(`v0:${time}:${body}`)}` };
  expect((await post("slack", body, signed)).status).toBe(202);
  expect((await post("graph", "{}")).status).toBe(401);
  const get = await fetch(urlOf("graph"));
  expect([get.status, get.headers.get("allow")]).toEqual([405, "POST, PUT"]);
  expect((await fetch(urlOf("dropbox"))).status).toBe(405);
});

test("a form's captcha is asked of its vendor with its secret, and its answer never reaches the event", async () => {
  vendor.reply = { status: 200, body: { success: true } };
  const good = await post("form", new URLSearchParams({ a: "1", "cf-turnstile-response": "token-1" }));
  expect(good.status).toBe(202);
  expect(Object.fromEntries(vendor.asked.at(-1) ?? [])).toEqual({
    secret: APP_SECRET,
    response: "token-1",
    remoteip: "127.0.0.1",
  });
  expect((await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text).toContain('"payload":{"a":"1"}');
});

test.each([
  ["a captcha that was not solved is 403", 200, { success: false, "error-codes": ["invalid-input-response"] }, 403],
  ["a score too low is 403", 200, { success: true, score: 0.1 }, 403],
  ["a score of a person is taken", 200, { success: true, score: 0.9 }, 202],
  ["a vendor in trouble is 503", 500, {}, 503],
  ["a vendor that says nothing understandable is 503", 200, ["?"], 503],
  ["a vendor's internal error is 503", 200, { success: false, "error-codes": ["internal-error"] }, 503],
  ["a secret that the vendor refuses is 503", 200, { success: false, "error-codes": ["invalid-input-secret"] }, 503],
])("%s, never silent acceptance", async (_, status, body, answer) => {
  const before = await eventCount();
  vendor.reply = { status, body };
  expect((await post("form", new URLSearchParams({ a: "1", "cf-turnstile-response": "t" }))).status).toBe(answer);
  expect(await eventCount()).toBe(before + (answer === 202 ? 1 : 0));
});

test("a form without an answer to its captcha is 403, and nobody is asked", async () => {
  const before = vendor.asked.length;
  expect((await post("form", new URLSearchParams({ a: "1" }))).status).toBe(403);
  expect(vendor.asked).toHaveLength(before);
});

test.each([
  "application/octet-stream",
  "image/png",
  "",
  "application/json",
  "application/x-ndjson",
  "text/plain",
  "application/xml",
  "application/cloudevents+json",
  "multipart/form-data; boundary=b",
])("a captcha is asked before any kind of body: %s", async (type) => {
  const before = [await eventCount(), vendor.asked.length];
  const { jsm } = posthorn.daemon.storage;
  const objects = async () => (await jsm.streams.info("OBJ_posthorn_objects")).state.messages;
  const stored = await objects();
  const bodies: Readonly<Record<string, string>> = {
    "application/json": "[1]",
    "application/x-ndjson": "1\n2",
    "application/xml": "<a/>",
    "application/cloudevents+json": '{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{}}',
    "multipart/form-data; boundary=b": "--b--\r\n",
  };
  const body = new Blob([bodies[type] ?? "\u0000\u0001"]);
  const response = await fetch(urlOf("anything"), {
    method: "POST",
    body,
    headers: type === "" ? {} : { "content-type": type },
  });
  expect(response.status).toBe(403);
  expect([await eventCount(), vendor.asked.length]).toEqual(before);
  expect(await objects()).toBe(stored);
});
