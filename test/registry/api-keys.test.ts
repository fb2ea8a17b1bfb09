import { afterAll, beforeAll, expect, test } from "vitest";

import { readSettings } from "../../src/config/settings.ts";
import type { Storage } from "../../src/daemon/storage.ts";
import { openStorage } from "../../src/daemon/storage.ts";
import { readAppDefinition } from "../../src/registry/app-definition.ts";
import { eventually } from "../support/eventually.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { silentLog } from "../support/silent-log.ts";

let nats: NatsServer;
let here: Storage;
let there: Storage;
beforeAll(async () => {
  nats = await startNatsServer();
  const settings = readSettings({ POSTHORN_NATS_URL: nats.url });
  here = await openStorage(settings, silentLog);
  there = await openStorage(settings, silentLog);
});
afterAll(async () => {
  await here[Symbol.asyncDispose]();
  await there[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const NOW = Date.parse("2026-01-01T00:00:00Z");

test("a key opens its app on every replica at once, and its secret is stored nowhere", async () => {
  const { keyId, key, app } = await here.keys.create({ app: "shop", expires: null }, NOW);
  expect(key).toMatch(/^phk_[0-9a-z]{16}_[0-9a-z]{52}$/);
  expect(await there.keys.check(key, NOW)).toEqual({ kind: "ok", app, keyId });
  const stream = await here.jsm.streams.getMessage("KV_posthorn_keys", { last_by_subj: `$KV.posthorn_keys.${keyId}` });
  expect(stream?.string()).toContain(keyId);
  expect(stream?.string()).not.toContain(key.split("_")[2]);
});

test("a wrong secret, another's id and nonsense open nothing", async () => {
  const { key } = await here.keys.create({ app: "shop", expires: null }, NOW);
  const other = await here.keys.create({ app: "shop", expires: null }, NOW);
  const [, keyId = ""] = key.split("_");
  const [, , otherSecret = ""] = other.key.split("_");
  for (const wrong of [`${key}0`, key.slice(0, -1), `phk_${keyId}_${otherSecret}`, "phk_", "", "*", "phk_a.b_c"])
    expect(await here.keys.check(wrong, NOW), wrong).toEqual({ kind: "unknown" });
});

test("a key stops at the moment it expires", async () => {
  const { key } = await here.keys.create({ app: "shop", expires: new Date(NOW + 1_000) }, NOW);
  expect((await here.keys.check(key, NOW + 999)).kind).toBe("ok");
  expect((await here.keys.check(key, NOW + 1_000)).kind).toBe("expired");
});

test("a key may be for some hooks only", async () => {
  const { key } = await here.keys.create({ app: "shop", eventNames: ["kustomer.app.shop.a"], expires: null }, NOW);
  expect(await here.keys.check(key, NOW)).toMatchObject({ kind: "ok", eventNames: ["kustomer.app.shop.a"] });
});

test("the keys of an app go with it, and a later app of that name does not inherit them", async () => {
  const text = JSON.stringify({ app: "gone", hooks: [{ eventName: "kustomer.app.gone.a", type: "web" }] });
  const reading = readAppDefinition(text, "gone.json");
  if (reading.kind === "invalid") throw new Error(JSON.stringify(reading.problems));
  await here.registry.install(reading.definition);
  const { key } = await there.keys.create({ app: "gone", expires: null }, NOW);
  const other = await there.keys.create({ app: "stays", expires: null }, NOW);
  await here.registry.uninstall("gone");
  await here.registry.install(reading.definition);
  await eventually(async () => expect(await there.keys.check(key, NOW)).toEqual({ kind: "unknown" }));
  expect((await there.keys.check(other.key, NOW)).kind).toBe("ok");
});

test("a revoked key opens nothing on any replica", async () => {
  const { keyId, key } = await here.keys.create({ app: "shop", expires: null }, NOW);
  expect((await there.keys.check(key, NOW)).kind).toBe("ok");
  await here.keys.revoke(keyId);
  await eventually(async () => expect(await there.keys.check(key, NOW)).toEqual({ kind: "unknown" }));
  await expect(here.keys.revoke(keyId)).rejects.toThrow(`no key ${keyId}`);
});
