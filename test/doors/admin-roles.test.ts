import { createServer } from "node:http";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createAdminServer } from "../../src/admin/server.ts";
import type { AdminServices } from "../../src/admin/services.ts";
import type { Role } from "../../src/admin/session.ts";
import { Sessions } from "../../src/admin/session.ts";
import type { Hook } from "../../src/model/hook.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { silentLog } from "../support/silent-log.ts";

// Every route of page and API, asked by everybody: who gets in, and who sees what.

const TOKEN = "a-token-for-this-test";
const KEY = "open-sesame-47";
const ROLES: readonly Role[] = ["viewer", "operator", "administrator"];
const RANK: Readonly<Record<string, number>> = { anybody: -1, viewer: 0, operator: 1, administrator: 2 };

let nats: NatsServer;
let posthorn: TestDaemon;
let order: Hook;
let strict: Hook;
let form: Hook;
let letter: number;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, {
    POSTHORN_ADMIN_TOKEN: TOKEN,
    POSTHORN_ARCHIVE: "all",
    POSTHORN_SECRET_SHOP_KEY: KEY,
  });
  [order, strict, form] = (await posthorn.install([
    { eventName: "kustomer.app.shop.order", displayEventName: "Order", type: "email" },
    {
      eventName: "kustomer.app.shop.strict",
      displayEventName: "Strict",
      type: "email",
      "x-posthorn": { key: "env:POSTHORN_SECRET_SHOP_KEY", senders: ["*@nobody.example"] },
    },
    { eventName: "kustomer.app.shop.form", displayEventName: "Form", type: "form" },
  ])) as [Hook, Hook, Hook];
  await posthorn.daemon.storage.registry.addAlias(order.eventName, "secret-alias@localhost", ["localhost"]);
  await posthorn.daemon.storage.keys.create({ app: "shop", expires: null }, Date.now());
  using relay = await posthorn.connectRelay();
  // The sender's own text and data name the address, which an event does not rewrite; the raw mail carries the key.
  const mail = (hook: Hook) =>
    [
      `To: "${hook.hookId}@localhost" <${hook.hookId}@localhost>`,
      "From: a@example.org",
      "Subject: Hello",
      `X-Hook-Key: ${KEY}`,
      'Content-Type: multipart/mixed; boundary="b"',
      "",
      "--b",
      "Content-Type: text/plain",
      "",
      `Write to ${hook.hookId}@localhost\\${hook.hookId}`,
      "--b",
      "Content-Type: text/html",
      "",
      `<p>${hook.hookId.toUpperCase()}</p><script type="application/ld+json" data-kustomer-key="${KEY}">{"@type":"Order"}</script>`,
      "--b",
      'Content-Type: application/json; name="a.json"',
      "",
      JSON.stringify({ address: `${hook.hookId}@localhost`, newline: `\n${hook.hookId}` }),
      "--b",
      'Content-Type: text/html; name="saved.html"',
      "",
      `<script type="application/ld+json" data-kustomer-key="${KEY}">{"@type":"Order"}</script>`,
      "--b--",
      "",
    ].join("\r\n");
  expect(await relay.send({ to: `${order.hookId}@localhost`, mail: mail(order) })).toMatch(/^250 /);
  expect(await relay.send({ to: `${strict.hookId}@localhost`, mail: mail(strict) })).toMatch(/^250 /);
  expect(await relay.send({ to: `nobody@localhost`, mail: "" })).toMatch(/^550 /);
  letter = (await storedIn(posthorn, "POSTHORN_DEAD_LETTERS"))[0]?.sequence ?? 0;
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

interface Route {
  readonly method: string;
  readonly url: string;
  readonly role: string;
}

/** Every route that there is, as the server itself has them. */
function allRoutes(): readonly Route[] {
  const services = { log: silentLog, now: Date.now } as unknown as AdminServices;
  const oidc = { issuer: "http://127.0.0.1:1", clientId: "c", clientSecret: "s", claim: "groups", roles: [] };
  const options = { token: TOKEN, adminUrl: "http://localhost:1", oidc };
  return createAdminServer(services, options, createServer()).adminRoutes;
}

const cookieOf = (role: Role) =>
  `posthorn_session=${new Sessions(TOKEN).begin({ name: role, role }, Date.now(), { isOfProvider: false })}`;

function ask(method: string, path: string, role: Role | undefined, body?: string): Promise<Response> {
  const base = `http://${posthorn.daemon.admin.address}`;
  return fetch(`${base}${path}`, {
    method,
    headers: {
      accept: path.startsWith("/api/") ? "application/json" : "text/html",
      ...(role !== undefined && { cookie: cookieOf(role), origin: base }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body }),
    redirect: "manual",
    signal: AbortSignal.timeout(20_000),
  });
}

/** A path of the route that leads to something. */
const pathOf = ({ url }: Route, event = order.eventName): string =>
  url
    .replace(":event", event)
    .replace(":sequence", /dead/.test(url) ? String(letter) : "1")
    .replace(":index", "0")
    .replace(":app", "shop")
    .replace(":key", posthorn.daemon.storage.keys.list()[0]?.keyId ?? "")
    .replace(":job", "none");

const isLive = ({ url }: Route) => url.endsWith("/live");

test("every route says whom it is for", () => {
  const routes = allRoutes();
  expect(routes.length).toBeGreaterThan(60);
  for (const { role } of routes) expect(Object.keys(RANK)).toContain(role);
  // Whatever changes something is for somebody who may change something.
  const open = routes.filter(({ method, role }) => !["GET", "HEAD"].includes(method) && (RANK[role] ?? 0) < 1);
  expect(open.map(({ method, url }) => `${method} ${url}`).sort()).toEqual([
    "POST /api/v1/extract",
    "POST /bench",
    "POST /login",
    "POST /logout",
  ]);
});

describe.each([undefined, ...ROLES])("as %s", (role) => {
  test("every route lets in whom it is for, and nobody else", async () => {
    for (const route of allRoutes()) {
      const mayEnter = role === undefined ? route.role === "anybody" : (RANK[role] ?? 0) >= (RANK[route.role] ?? 9);
      // What changes something is only asked for by those who may not.
      // The daemon has no provider; leaving for one is tested in admin-oidc.test.ts.
      if (isLive(route) || route.url.startsWith("/login/oidc") || (mayEnter && !["GET", "HEAD"].includes(route.method)))
        continue;
      const { status } = await ask(route.method, pathOf(route), role);
      const isOut = role === undefined ? status === 401 : status === 403;
      expect([route.method, route.url, status, mayEnter]).toEqual([route.method, route.url, status, !isOut]);
    }
  });
});

describe.each(["viewer", "operator"] as const)("a %s", (role) => {
  /** Everything that a GET of any route shows, for each of the hooks. */
  async function everything(): Promise<Map<string, string>> {
    const shown = new Map<string, string>();
    for (const route of allRoutes()) {
      if (route.method !== "GET" || isLive(route)) continue;
      for (const event of [order.eventName, strict.eventName, form.eventName])
        shown.set(pathOf(route, event), await (await ask("GET", pathOf(route, event), role)).text());
    }
    for (const index of [0, 1, 2, 3]) {
      const path = `/events/1/files/${index}`;
      shown.set(path, await (await ask("GET", path, role)).text());
    }
    for (const path of [`/bench?dead=${letter}`, "/events?q=Hello", "/dead-letters?q=Hello"])
      shown.set(path, await (await ask("GET", path, role)).text());
    return shown;
  }

  test("sees no address, no alias, no key and no raw mail, on no page and in no answer of the API", async () => {
    const shown = await everything();
    expect(shown.size).toBeGreaterThan(30);
    for (const [path, text] of shown) {
      // A file is what its sender attached, byte for byte; only a hook's key is kept from those who may not see it.
      const hooks = path.includes("/files/") ? [] : [order, strict, form];
      for (const hook of hooks) expect([path, text.toLowerCase().includes(hook.hookId)]).toEqual([path, false]);
      expect([path, text.includes("secret-alias")]).toEqual([path, false]);
      expect([path, text.includes(KEY)]).toEqual([path, false]);
      expect([path, text.includes("X-Hook-Key:")]).toEqual([path, false]);
    }
    // What is there to be seen is seen.
    expect(shown.get("/events/1")).toContain(`Write to ${order.hookId.slice(0, 4)}…@localhost`);
    expect(shown.get("/api/v1/events/1")).toContain('"@type":"Order"');
    expect(shown.get(`/dead-letters/${letter}`)).toContain("sender-not-allowed");
  });

  test("gets JSON that is still JSON, with all else as it was", async () => {
    const { value } = (await (await ask("GET", "/api/v1/events/1", role)).json()) as {
      value: { data: { payload: object; mail: { text: string } } };
    };
    const short = `${order.hookId.slice(0, 4)}…`;
    expect(value.data.payload).toEqual({ address: `${short}@localhost`, newline: `\n${short}` });
    expect(value.data.mail.text).toBe(`Write to ${short}@localhost\\${short}\n`.trimEnd());
  });

  test("learns nothing of what is hidden by searching for it", async () => {
    const counts = async (path: string, q: string) => {
      const text = await (await ask("GET", `${path}q=${encodeURIComponent(q)}`, role)).text();
      return text.includes("Hello");
    };
    const beyond = order.hookId.slice(2, 10);
    for (const path of ["/events?", "/api/v1/events?"]) {
      expect([path, await counts(path, "hello")]).toEqual([path, true]);
      expect([path, await counts(path, beyond)]).toEqual([path, false]);
    }
    for (const path of ["/dead-letters?", "/api/v1/dead-letters?"]) {
      expect([path, await counts(path, "hello")]).toEqual([path, true]);
      expect([path, await counts(path, strict.hookId.slice(2, 10))]).toEqual([path, false]);
    }
    const hooks = await (await ask("GET", `/?q=${beyond}`, role)).text();
    expect(hooks).not.toContain("kustomer.app.shop.order");
    expect(await (await ask("GET", "/?q=secret-alias", role)).text()).not.toContain("kustomer.app.shop.order");
    const live = await ask("GET", `/api/v1/events/live?q=${beyond}`, role);
    using relay = await posthorn.connectRelay();
    const reader = live.body?.getReader();
    await reader?.read();
    const mail = (n: number) => `Content-Type: application/json\r\n\r\n{"to":"${order.hookId}","n":${n}}\r\n`;
    await relay.send({ to: `${order.hookId}@localhost`, mail: mail(1) });
    const next = await Promise.race([reader?.read(), new Promise((resolve) => setTimeout(resolve, 500, "nothing"))]);
    expect(next).toBe("nothing");
    await reader?.cancel();
  });

  test("may not open a dead letter in the test bench, and may look at what it brings itself", async () => {
    expect((await ask("GET", `/bench?dead=${letter}`, role)).status).toBe(403);
    expect((await ask("GET", "/bench", role)).status).toBe(200);
    expect((await ask("GET", `/events/1/raw`, role)).status).toBe(403);
    expect((await ask("GET", `/dead-letters/${letter}/raw`, role)).status).toBe(403);
    expect((await ask("GET", `/dead-letters/${letter}/html`, role)).status).toBe(403);
  });
});

test("an administrator sees addresses, the raw mail and a dead letter in the test bench", async () => {
  const text = async (path: string) => (await ask("GET", path, "administrator")).text();
  expect(await text("/")).toContain(`${order.hookId}@localhost`);
  expect(await text("/")).toContain("secret-alias@localhost");
  expect(await text("/api/v1/hooks")).toContain(order.hookId);
  expect(await text(`/hooks/${form.eventName}/form.html`)).toContain(form.hookId);
  expect(await text("/openapi.json")).toContain(form.hookId);
  expect(await text(`/dead-letters/${letter}/raw`)).toContain(`X-Hook-Key: ${KEY}`);
  expect(await text(`/bench?dead=${letter}`)).toContain(KEY);
  expect(await text(`/?q=${order.hookId}`)).toContain("kustomer.app.shop.order");
  expect(await text(`/api/v1/events?q=${order.hookId}`)).toContain('"@type":"Order"');
});
