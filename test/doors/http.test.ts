import { afterAll, beforeAll, expect, test } from "vitest";

import type { Hook } from "../../src/model/hook.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

let nats: NatsServer;
let posthorn: TestDaemon;
let form: Hook;
let web: Hook;
let key: string;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats);
  const hooks = await posthorn.install([
    { eventName: "kustomer.app.shop.contact", type: "form" },
    { eventName: "kustomer.app.shop.parcel", type: "web" },
  ]);
  form = hooks.find(({ type }) => type === "form") as Hook;
  web = hooks.find(({ type }) => type === "web") as Hook;
  ({ key } = await posthorn.daemon.storage.keys.create({ app: "shop", expires: null }, Date.now()));
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const urlOf = ({ type, hookId }: Hook) => `http://${posthorn.daemon.http.address}/v1/hooks/${type}/${hookId}`;
const lastEvent = async () => (await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1);

test("a form post becomes one event, and its 202 names it", async () => {
  const response = await fetch(urlOf(form), {
    method: "POST",
    body: new URLSearchParams("email=you%40example.org&tag=a&tag=b&address[city]=Ulm"),
  });
  expect(response.status).toBe(202);
  const answer = (await response.json()) as { id: string };
  expect(answer).toEqual({
    id: expect.stringMatching(/^[0-9a-hjkmnp-tv-z]{26}$/),
    eventName: form.eventName,
    duplicate: false,
  });
  const stored = await lastEvent();
  expect(stored?.headers["Nats-Msg-Id"]).toBe(answer.id);
  expect(JSON.parse(stored?.text ?? "")).toMatchObject({
    id: answer.id,
    hooktype: "form",
    data: {
      payload: { email: "you@example.org", tag: ["a", "b"], address: { city: "Ulm" } },
      http: { method: "POST", mediaType: "application/x-www-form-urlencoded", remoteAddress: "127.0.0.1", query: {} },
    },
  });
});

test("a webhook's JSON keeps its digits, by a key in each of the three places", async () => {
  const places = [
    { authorization: `Bearer ${key}` },
    { "x-api-key": key },
    { authorization: `Basic ${Buffer.from(`anybody:${key}`).toString("base64")}` },
  ];
  for (const headers of places) {
    const response = await fetch(`${urlOf(web)}?a=1&token=secret`, {
      method: "PUT",
      headers: { ...headers, "content-type": "application/json" },
      body: '{"n": 12345678901234567890, "price":1.10}',
    });
    expect(response.status).toBe(202);
    const text = (await lastEvent())?.text ?? "";
    expect(text).toContain('"payload":{"n": 12345678901234567890, "price":1.10}');
    expect(text).not.toContain(key);
    expect(text).not.toContain(web.hookId);
    expect(JSON.parse(text)).toMatchObject({ data: { http: { method: "PUT", query: { a: "1" } } } });
  }
});

test("a key opens its hooks only, until it expires, and nothing within a second of its end; its last use is listed", async () => {
  const { keys } = posthorn.daemon.storage;
  const status = async (presented: string) =>
    (await fetch(urlOf(web), { method: "POST", headers: { "x-api-key": presented }, body: "{}" })).status;
  const now = Date.now();
  const narrow = await keys.create({ app: "shop", expires: null, eventNames: [form.eventName] }, now);
  const right = await keys.create({ app: "shop", expires: null, eventNames: [web.eventName] }, now);
  const old = await keys.create({ app: "shop", expires: new Date(now - 1) }, now);
  expect([await status(narrow.key), await status(right.key), await status(old.key)]).toEqual([403, 202, 401]);
  await expect
    .poll(() => keys.list().find(({ keyId }) => keyId === right.keyId)?.lastUsed)
    .toEqual(expect.stringMatching(/^\d{4}-/));
  const stored = await posthorn.daemon.storage.openBucket("keys");
  await expect.poll(async () => (await stored.get(`used.${right.keyId}`))?.string()).toMatch(/^\d{4}-/);
  expect(JSON.stringify(await storedIn(posthorn, "KV_posthorn_keys"))).not.toContain(right.key.split("_")[2]);
  await keys.revoke(right.keyId);
  await expect.poll(() => status(right.key)).toBe(401);
  expect(keys.list().map(({ keyId }) => keyId)).not.toContain(right.keyId);
});

test("the key in the query string opens nothing", async () => {
  const response = await fetch(`${urlOf(web)}?api_key=${key}&access_token=${key}`, { method: "POST", body: "{}" });
  expect(response.status).toBe(401);
});
