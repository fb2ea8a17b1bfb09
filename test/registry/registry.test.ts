import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { readSettings } from "../../src/config/settings.ts";
import type { Storage } from "../../src/daemon/storage.ts";
import { openStorage } from "../../src/daemon/storage.ts";
import { readAppDefinition } from "../../src/registry/app-definition.ts";
import type { AppDefinition } from "../../src/registry/app-definition.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { silentLog } from "../support/silent-log.ts";
import { eventually } from "../support/eventually.ts";

let nats: NatsServer;
/** Two replicas on one NATS. */
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
beforeEach(async () => {
  await here.snapshot.catchUp();
  for (const { app } of here.snapshot.apps()) await here.registry.uninstall(app);
  await eventually(() => expect([here, there].map(({ snapshot }) => snapshot.apps())).toEqual([[], []]));
});

function definition(app: string, hooks: readonly object[]): AppDefinition {
  const reading = readAppDefinition(JSON.stringify({ app, version: "1", title: app, hooks }), "test.json");
  if (reading.kind === "invalid") throw new Error(JSON.stringify(reading.problems));
  return reading.definition;
}
const order = { eventName: "kustomer.app.shop.order", type: "email" };
const parcel = { eventName: "kustomer.app.shop.parcel", type: "web" };

test("an installation on one replica is seen whole on the other, by id and by name", async () => {
  const { hooks } = await here.registry.install(definition("shop", [order, parcel]));
  await eventually(() => expect(there.snapshot.hooks()).toHaveLength(2));
  for (const hook of hooks) {
    expect(hook.hookId).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/);
    expect(there.snapshot.hookById(hook.hookId)).toEqual(hook);
    expect(there.snapshot.hookByEventName(hook.eventName)).toEqual(hook);
  }
});

test("a hook that the other replica has not heard of yet is read through, an unknown one is remembered as such", async () => {
  const { hooks } = await here.registry.install(definition("shop", [order]));
  const [hook] = hooks;
  if (hook === undefined) throw new Error("no hook was installed");
  expect(await there.snapshot.readThrough({ hookId: hook.hookId }, Date.now())).toEqual(hook);
  const unknown = hook.hookId.replace(/^./, (first) => (first === "0" ? "1" : "0")) as typeof hook.hookId;
  expect(await there.snapshot.readThrough({ hookId: unknown }, 1_000)).toBeUndefined();
  expect(there.snapshot.isKnownUnknown(unknown, 5_999)).toBe(true);
  expect(there.snapshot.isKnownUnknown(unknown, 6_001)).toBe(false);
});

test("an upgrade keeps ids, states and aliases; another type gets a new id with a warning; what is gone is gone", async () => {
  const first = await here.registry.install(definition("shop", [order, parcel]));
  await here.registry.setState(order.eventName, "paused");
  await here.registry.addAlias(order.eventName, "Orders@shop.example", ["shop.example"]);
  const second = await here.registry.install(definition("shop", [{ ...order, description: "new" }]));
  expect(second.hooks).toMatchObject([
    { hookId: first.hooks[0]?.hookId, state: "paused", aliases: ["orders@shop.example"], description: "new" },
  ]);
  await eventually(() => expect(there.snapshot.hooks()).toEqual(second.hooks));
  expect(there.snapshot.hookByAlias("ORDERS@shop.example")?.hookId).toBe(first.hooks[0]?.hookId);
  const third = await here.registry.install(definition("shop", [{ ...order, type: "form" }]));
  expect(third.warnings).toEqual(["kustomer.app.shop.order changed from email to form and has a new address"]);
  expect(third.hooks[0]?.hookId).not.toBe(first.hooks[0]?.hookId);
  await eventually(() => expect(there.snapshot.hooks()).toEqual(third.hooks));
});

test("a name of another app fails the whole installation, and nothing of it is stored", async () => {
  await here.registry.install(definition("shop", [order]));
  const other = definition("other", [{ eventName: "kustomer.app.other.a", type: "form" }, order]);
  await expect(there.registry.install(other)).rejects.toThrow(
    "nothing was installed: kustomer.app.shop.order belongs to the app shop",
  );
  expect(here.snapshot.apps().map(({ app }) => app)).toEqual(["shop"]);
  // Its other name is free again.
  await here.registry.install(definition("third", [{ eventName: "kustomer.app.other.a", type: "form" }]));
});

test("of two installations of one name at the same moment, one wins", async () => {
  const results = await Promise.allSettled([
    here.registry.install(definition("one", [order])),
    there.registry.install(definition("two", [order])),
  ]);
  expect(results.map(({ status }) => status).toSorted((a, b) => a.localeCompare(b))).toEqual(["fulfilled", "rejected"]);
  await eventually(() => expect(here.snapshot.apps()).toHaveLength(1));
});

test("rotate gives a new id at once, the old one is nobody's, and the alias stays", async () => {
  const { hooks } = await here.registry.install(definition("shop", [order]));
  await here.registry.addAlias(order.eventName, "orders@shop.example", ["shop.example"]);
  const [old] = hooks;
  if (old === undefined) throw new Error("no hook was installed");
  const rotated = await here.registry.rotate(order.eventName);
  expect(rotated.hookId).not.toBe(old.hookId);
  await eventually(() => {
    expect(there.snapshot.hookById(rotated.hookId)).toEqual(rotated);
    expect(there.snapshot.hookById(old.hookId)).toBeUndefined();
    expect(there.snapshot.hookByAlias("orders@shop.example")?.hookId).toBe(rotated.hookId);
  });
});

test("uninstall takes hooks and aliases away and frees their names", async () => {
  const { hooks } = await here.registry.install(definition("shop", [order]));
  await here.registry.addAlias(order.eventName, "orders@shop.example", ["shop.example"]);
  await here.registry.uninstall("shop");
  await eventually(() => expect(there.snapshot.hookByAlias("orders@shop.example")).toBeUndefined());
  expect(there.snapshot.isLoaded).toBe(true);
  const [hook] = hooks;
  if (hook === undefined) throw new Error("no hook was installed");
  expect(await there.snapshot.readThrough({ hookId: hook.hookId }, Date.now())).toBeUndefined();
  await there.registry.install(definition("heir", [order]));
  await there.registry.addAlias(order.eventName, "orders@shop.example", ["shop.example"]);
});

test.each([
  ["orders@elsewhere.example", "no address in shop.example"],
  ["orders", "no address in shop.example"],
  ["0123456789abcdefghjkmnpqrs@shop.example", "shaped like a hook's own address"],
  ["orders+tag@shop.example", "cannot be an alias"],
])("the alias %s is refused: %s", async (alias, message) => {
  await here.registry.install(definition("shop", [order]));
  await expect(here.registry.addAlias(order.eventName, alias, ["shop.example"])).rejects.toThrow(message);
});

test("an alias belongs to one hook", async () => {
  await here.registry.install(definition("shop", [order, { ...order, eventName: "kustomer.app.shop.return" }]));
  await here.registry.addAlias(order.eventName, "orders@shop.example", ["shop.example"]);
  await expect(
    there.registry.addAlias("kustomer.app.shop.return", "orders@shop.example", ["shop.example"]),
  ).rejects.toThrow("orders@shop.example belongs to kustomer.app.shop.order");
});

test("a hook without an app is named by its name, and asks for --event where that gives none", async () => {
  const hook = await here.registry.createHook({ type: "form", name: "Crème brûlée, 2 Größen" });
  expect(hook.eventName).toBe("kustomer.app.adhoc.creme-brulee-2-gro-en");
  await expect(here.registry.createHook({ type: "form", name: "!" })).rejects.toThrow("gives no event name");
  await expect(here.registry.createHook({ type: "web", name: "Crème brûlée 2 Größen" })).rejects.toThrow("is taken");
  const named = await here.registry.createHook({ type: "web", name: "!", eventName: "orders.new" });
  expect(named.eventName).toBe("orders.new");
  const { config } = await here.jsm.streams.info("POSTHORN_EVENTS");
  expect(config.subjects).toContain("orders.new");
});

test("another stream on a name is an install error, and nothing is stored", async () => {
  await here.jsm.streams.add({ name: "FOREIGN", subjects: ["foreign.>"] });
  const foreign = definition("foreign", [{ eventName: "foreign.order", type: "form" }]);
  await expect(here.registry.install(foreign)).rejects.toThrow("another stream already takes foreign.order");
  expect(here.snapshot.apps()).toEqual([]);
  await here.jsm.streams.delete("FOREIGN");
});

test(
  "a bucket that somebody made anew is read again, and until an app is installed nobody hears that a hook never was",
  { timeout: 60_000 },
  async () => {
    await here.registry.install(definition("shop", [order]));
    await here.jsm.streams.delete("KV_posthorn_registry");
    await here.jsm.streams.add({
      name: "KV_posthorn_registry",
      subjects: ["$KV.posthorn_registry.>"],
      max_msgs_per_subject: 1,
      allow_rollup_hdrs: true,
      deny_delete: true,
    });
    await eventually(() => expect([here, there].map(({ snapshot }) => snapshot.hooks())).toEqual([[], []]));
    expect([here, there].map(({ snapshot }) => snapshot.isLoaded)).toEqual([false, false]);
    await here.registry.install(definition("shop", [order]));
    await eventually(() => expect(there.snapshot.hooks()).toHaveLength(1));
    expect([here, there].map(({ snapshot }) => snapshot.isLoaded)).toEqual([true, true]);
  },
);

test("a value in the registry that nobody can read is left out, and the rest stays", async () => {
  await here.registry.install(definition("shop", [order]));
  await here.snapshot.kv.put("hook.00000000000000000000000000", "{not json");
  await here.snapshot.kv.put("app.broken", "[]");
  await here.registry.install(definition("second", [{ eventName: "kustomer.app.second.a", type: "web" }]));
  await eventually(() => expect(there.snapshot.hooks()).toHaveLength(2));
  await here.snapshot.kv.purge("hook.00000000000000000000000000");
  await here.snapshot.kv.purge("app.broken");
});
