import { createHmac } from "node:crypto";

import { afterAll, beforeEach, beforeAll, expect, test } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

// A variable belongs to exactly one app: its author, and nobody else, may name it.

const TOKEN = "a-token-for-this-test";
let nats: NatsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, { POSTHORN_ADMIN_TOKEN: TOKEN, POSTHORN_SECRET_SHOP_EU_GH: "s3cret" });
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});
beforeEach(async () => {
  const { registry, snapshot } = posthorn.daemon.storage;
  for (const { app } of snapshot.apps()) await registry.uninstall(app);
});

const hooksOf = (app: string, variable?: string) => [
  {
    eventName: `kustomer.app.${app}.call`,
    type: "web",
    ...(variable !== undefined && {
      "x-posthorn": { signature: { scheme: "github", secret: ["env:" + variable] } },
    }),
  },
];
const install = (app: string, variable?: string) => posthorn.install(hooksOf(app, variable), app);
const SHOP_EU = "POSTHORN_SECRET_SHOP_EU_GH";

test("a variable belongs to the installed app with the longest prefix that it begins with", async () => {
  await install("shop", SHOP_EU);
  await posthorn.daemon.storage.registry.uninstall("shop");
  await install("shop-eu");
  await expect(install("shop", SHOP_EU)).rejects.toThrow(
    /\/hooks\/0\/x-posthorn\/signature\/secret\/0 names POSTHORN_SECRET_SHOP_EU_GH, which belongs to the app shop-eu/,
  );
  await install("shop", "POSTHORN_SECRET_SHOP_GH");
  await install("shop-eu", SHOP_EU);
  expect(posthorn.daemon.storage.snapshot.app("shop")).toBeDefined();
});

test("an app that would take over a variable which another one names is not installed", async () => {
  await install("shop", SHOP_EU);
  await expect(install("shop-eu")).rejects.toThrow(
    /the app shop names POSTHORN_SECRET_SHOP_EU_GH, which would belong to shop-eu/,
  );
  expect(posthorn.daemon.storage.snapshot.app("shop-eu")).toBeUndefined();
  // Neither is the app of single hooks, nor one whose prefix is longer still.
  await expect(install("SHOP_eu")).rejects.toThrow(/would belong to SHOP_eu/);
  await install("shop-eu-gh");
  await install("shop", SHOP_EU);
});

test("apps whose prefixes are equal are not both installed while one of them names a variable", async () => {
  await install("shop-eu");
  await install("shop_eu");
  await expect(install("SHOP-EU", SHOP_EU)).rejects.toThrow(/belongs to the apps? shop-eu/);
  await expect(install("shop-eu", SHOP_EU)).rejects.toThrow(/belongs to the app shop_eu/);
  await posthorn.daemon.storage.registry.uninstall("shop_eu");
  await install("shop-eu", SHOP_EU);
  await expect(install("shop_eu")).rejects.toThrow(/the app shop-eu names POSTHORN_SECRET_SHOP_EU_GH/);
});

test("the preview says so too, with the line", async () => {
  await install("shop-eu");
  const definition = { app: "shop", hooks: hooksOf("shop", SHOP_EU) };
  const response = await fetch(`http://${posthorn.daemon.admin.address}/api/v1/apps?dryRun=true`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(definition),
  });
  expect(await response.json()).toMatchObject({
    kind: "invalid",
    problems: [
      {
        pointer: "/hooks/0/x-posthorn/signature/secret/0",
        message: expect.stringContaining("belongs to the app shop-eu") as string,
        line: 1,
      },
    ],
  });
});

test("an app that came past the check, at the same moment on another replica, reads nobody else's variable", async () => {
  const { storage, http } = posthorn.daemon;
  const [hook] = await install("shop", SHOP_EU);
  const call = () =>
    fetch(`http://${http.address}/v1/hooks/web/${hook?.hookId}`, {
      method: "POST",
      body: "{}",
      headers: { "x-hub-signature-256": `sha256=${createHmac("sha256", "s3cret").update("{}").digest("hex")}` },
    });
  expect((await call()).status).toBe(202);
  const other = { app: "shop-eu", version: "1", title: "", eventNames: [], installedAt: new Date().toISOString() };
  await storage.snapshot.kv.put("app.shop-eu", JSON.stringify(other));
  await expect.poll(() => storage.snapshot.app("shop-eu")).toBeDefined();
  expect((await call()).status).toBe(503);
  // With a prefix equal to another's the one that names it has it.
  await storage.snapshot.kv.delete("app.shop-eu");
  await storage.snapshot.kv.put("app.SHOP", JSON.stringify({ ...other, app: "SHOP" }));
  await expect
    .poll(() => [storage.snapshot.app("shop-eu"), storage.snapshot.app("SHOP")?.app])
    .toEqual([undefined, "SHOP"]);
  expect((await call()).status).toBe(202);
});
