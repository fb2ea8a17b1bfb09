import { afterAll, beforeAll, expect, test } from "vitest";

import type { Hook } from "../../src/model/hook.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";

const TOKEN = "a-token-for-this-test";
const FLOOD = 1_000;

let nats: NatsServer;
let posthorn: TestDaemon;
let hook: Hook & { readonly address: string };
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, { POSTHORN_ADMIN_TOKEN: TOKEN });
  hook = await posthorn.emailHook();
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
  const isBytes = body instanceof Uint8Array;
  const response = await fetch(`http://${posthorn.daemon.admin.address}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(body !== undefined && { "content-type": isBytes ? "application/octet-stream" : "application/json" }),
    },
    ...(body !== undefined && { body: isBytes ? new Uint8Array(body) : JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
  const { text } = await call(method, path, body);
  return JSON.parse(text) as T;
}

async function send(mail: string): Promise<string> {
  using relay = await posthorn.connectRelay();
  return await relay.send({ to: hook.address, mail });
}

test("apps and hooks are installed, seen, changed and taken away", async () => {
  const definition = {
    app: "press",
    version: "1",
    title: "Press",
    hooks: [{ eventName: "kustomer.app.press.news", type: "form" }],
  };
  const preview = await json<{ kind: string }>("POST", "/apps?dryRun=true", definition);
  expect(preview.kind).toBe("ready");
  expect(posthorn.daemon.storage.snapshot.app("press")).toBeUndefined();
  expect(await json("POST", "/apps", definition)).toMatchObject({ app: "press", hooks: 1 });
  const wrong = await call("POST", "/apps", { ...definition, hooks: [{ eventName: "a b", type: "form" }] });
  expect(wrong.status).toBe(409);
  expect(wrong.text).toContain("/hooks/0/eventName");
  const [news] = await json<{ eventName: string; url: string; state: string }[]>("GET", "/hooks?app=press");
  expect(news).toMatchObject({ eventName: "kustomer.app.press.news", state: "enabled" });
  expect(await json("PUT", "/hooks/kustomer.app.press.news/state", { state: "paused" })).toMatchObject({
    state: "paused",
  });
  expect((await call("PUT", "/hooks/kustomer.app.press.news/state", { state: "gone" })).status).toBe(400);
  const rotated = await json<{ url: string }>("POST", "/hooks/kustomer.app.press.news/rotate");
  expect(rotated.url).not.toBe(news?.url);
  expect((await call("DELETE", "/apps/press")).status).toBe(204);
  expect((await call("DELETE", "/apps/press")).status).toBe(404);
  const made = await call("POST", "/hooks", { type: "web", name: "Ünïcode Name" });
  expect(made.status).toBe(201);
  expect(made.text).toContain("kustomer.app.adhoc.unicode-name");
  const audit = (await storedIn(posthorn, "POSTHORN_AUDIT")).map(({ subject }) =>
    subject.split(".").slice(2).join("."),
  );
  expect(audit).toEqual(["app.install", "hook.state", "hook.rotate", "app.uninstall", "hook.create"]);
});

test("a definition that nests too deep is answered with a message", async () => {
  const deep = (levels: number) =>
    `{"app":"deep","hooks":[{"eventName":"kustomer.app.deep.a","type":"web","x-posthorn":{"schema":${'{"not":'.repeat(levels)}{}${"}".repeat(levels)}}}]}`;
  const install = async (path: string, text: string, type: string) => {
    const response = await fetch(`http://${posthorn.daemon.admin.address}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": type },
      body: type === "application/json" ? text : new URLSearchParams({ definition: text }),
    });
    return { status: response.status, text: await response.text() };
  };
  for (const levels of [300, 5_000, 100_000]) {
    for (const query of ["", "?dryRun=true"]) {
      const answer = await install(`/api/v1/apps${query}`, deep(levels), "application/json");
      expect([levels, [200, 409]]).toEqual([levels, expect.arrayContaining([answer.status])]);
      expect(answer.text).toMatch(/(?:nested deeper than 200|nests too deep)/);
    }
    const page = await install("/apps/install", deep(levels), "application/x-www-form-urlencoded");
    expect([levels, page.status]).toEqual([levels, 422]);
    expect(page.text).toContain("nested deeper than 200");
  }
});

test("events keep their digits, whatever reads them", async () => {
  await send(
    'Subject: Big\r\nMessage-ID: <b@x>\r\nContent-Type: application/json\r\n\r\n{"n":1152921506151679042,"p":1.10}\r\n',
  );
  const { text } = await call("GET", `/events?hook=${hook.eventName}&q=BIG`);
  expect(text).toContain('"payload":{"n":1152921506151679042,"p":1.10}');
  const { entries } = JSON.parse(text) as { entries: { sequence: number }[] };
  const one = await call("GET", `/events/${entries[0]?.sequence}`);
  expect(one.text).toContain("1152921506151679042");
  expect((await call("GET", "/events/999999")).status).toBe(404);
  expect(await json("GET", "/events?hook=a%20b")).toEqual({ entries: [], next: null });
});

/** What is sent of new events until `enough` says so; `onConnected` is called once nothing can be missed any more. */
async function live(
  enough: (said: string) => boolean,
  onConnected: () => Promise<unknown>,
  headers: Record<string, string> = {},
): Promise<string> {
  const ended = new AbortController();
  const response = await fetch(`http://${posthorn.daemon.admin.address}/api/v1/events/live`, {
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    signal: ended.signal,
  });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  let said = "";
  let isConnected = false;
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    said += decoder.decode(bytes, { stream: true });
    if (said.includes(": connected") && !isConnected) {
      isConnected = true;
      await onConnected();
    }
    if (enough(said)) break;
  }
  ended.abort();
  return said;
}

test("new events are sent as they arrive, and who was cut off misses none", async () => {
  const mail = (subject: string) =>
    `Subject: ${subject}\r\nMessage-ID: <${subject}@x>\r\nContent-Type: application/json\r\n\r\n{"n":1}\r\n`;
  const said = await live(
    (text) => text.includes("data:"),
    () => send(mail("first")),
  );
  expect(said).toContain('"about":"first"');
  await send(mail("second"));
  const id = /^id: (\d+)$/m.exec(said)?.[1] ?? "";
  const later = await live(
    (text) => text.includes("third"),
    () => send(mail("third")),
    { "last-event-id": id },
  );
  expect(later).toMatch(/"about":"second"[^]*"about":"third"/);
});

test("of more than can be read some are shown, and how many were passed over is said", async () => {
  const { js } = posthorn.daemon.storage;
  const publish = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, number) => js.publish("kustomer.app.flood", `{"id":"${number}"}`)));
  // What was passed over is told with the next one that is shown, which another second brings.
  const feed = async (): Promise<void> => {
    await publish(FLOOD);
    while (!isTold) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await publish(1);
    }
  };
  let isTold = false;
  let feeding: Promise<void> | undefined;
  const said = await live(
    (text) => (isTold = text.includes("event: passed")),
    async () => {
      feeding = feed();
    },
  );
  await feeding;
  const shown = [...said.matchAll(/^id: /gm)].length;
  const passed = [...said.matchAll(/event: passed\ndata: (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  expect(passed).toBeGreaterThan(0);
  expect(shown).toBeLessThan(FLOOD);
});

test("dead letters are listed by reason, replayed and discarded", async () => {
  await send("Subject: Words\r\nMessage-ID: <w@x>\r\n\r\nJust words.\r\n");
  const list = await json<{ entries: { sequence: number; value: { reason: { code: string } } }[] }>(
    "GET",
    "/dead-letters?reason=nothing-extracted",
  );
  const [letter] = list.entries;
  expect(letter?.value.reason.code).toBe("nothing-extracted");
  expect(await json("GET", "/dead-letters?reason=honeypot")).toMatchObject({ entries: [] });
  expect(await json("POST", `/dead-letters/${letter?.sequence}/replay`)).toMatchObject({ kind: "dead-again" });
  await posthorn.emailHook({ empty: "publish" });
  expect(await json("POST", `/dead-letters/${letter?.sequence}/replay`)).toMatchObject({ kind: "published" });
  expect((await call("DELETE", `/dead-letters/${letter?.sequence}`)).status).toBe(404);
});

test("the test bench answers without storing anything", async () => {
  const before = (await storedIn(posthorn, "POSTHORN_EVENTS")).length;
  const page = Buffer.from('<script type="application/ld+json">{"@type":"Order","n":12345678901234567890}</script>');
  const { text } = await call("POST", "/extract", page);
  expect(text).toContain('"payload":{"@type":"Order","n":12345678901234567890}');
  expect(await storedIn(posthorn, "POSTHORN_EVENTS")).toHaveLength(before);
});

test("the test bench sends JSON to form and web hooks through its own doors, and leaves no key behind", async () => {
  const made = await posthorn.install(
    [
      { eventName: "kustomer.app.bench.form", type: "form" },
      { eventName: "kustomer.app.bench.web", type: "web" },
      { eventName: "kustomer.app.bench.off", type: "web" },
    ],
    "bench",
  );
  await posthorn.daemon.storage.registry.setState("kustomer.app.bench.off", "disabled");
  for (const { eventName } of made) {
    const body = new FormData();
    for (const [name, value] of Object.entries({ input: `{"from":"${eventName}","n":1.10}`, eventName, do: "send" }))
      body.set(name, value);
    const response = await fetch(`http://${posthorn.daemon.admin.address}/bench`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}` },
      body,
    });
    const isOff = eventName.endsWith("off");
    expect(await response.text()).toContain(isOff ? "the hook is disabled" : "Sent: it is the event");
    const stored = (await storedIn(posthorn, "POSTHORN_EVENTS")).filter(({ subject }) => subject === eventName);
    expect(stored.map(({ text }) => text.includes('"n":1.10'))).toEqual(isOff ? [] : [true]);
  }
  await expect.poll(() => posthorn.daemon.storage.keys.list(), { timeout: 20_000 }).toEqual([]);
});

test("keys are made once and revoked; health, refused calls and the audit log answer", async () => {
  const { keyId, key } = await json<{ keyId: string; key: string }>("POST", "/keys", { app: "shop", expiresInDays: 1 });
  expect(key).toMatch(/^phk_/);
  const [unused] = await json<{ lastUsed: string | null }[]>("GET", "/keys");
  expect(unused?.lastUsed).toBeNull();
  posthorn.daemon.storage.keys.noteUse(keyId, Date.now());
  const list = (await call("GET", "/keys")).text;
  expect(list).not.toContain(key);
  expect(list).toMatch(/"lastUsed":"2/);
  expect((await call("DELETE", `/keys/${keyId}`)).status).toBe(204);
  expect((await call("DELETE", `/keys/${keyId}`)).status).toBe(404);
  const health = await json<{ streams: { name: string }[] }>("GET", "/health");
  expect(health.streams.map(({ name }) => name)).toContain("POSTHORN_EVENTS");
  for (const path of ["/refused", "/audit"]) expect((await call("GET", path)).status).toBe(200);
});

test("the OpenAPI document names every call, and none answers without the token", async () => {
  const { paths } = await json<{ paths: Record<string, Record<string, unknown>> }>("GET", "/openapi.json");
  const calls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => [method, path]),
  );
  expect(calls.length).toBeGreaterThan(20);
  for (const [method = "", path = ""] of calls) {
    const address = `http://${posthorn.daemon.admin.address}${path.replaceAll(/\{\w+\}/g, "1")}`;
    expect([method, path, (await fetch(address, { method: method.toUpperCase() })).status]).toEqual([
      method,
      path,
      401,
    ]);
  }
});

test("while nobody answers for storage, the API says 503 with Retry-After, and the page says so too", async () => {
  nats.pause();
  const at = (path: string) => `http://${posthorn.daemon.admin.address}${path}`;
  const headers = { authorization: `Bearer ${TOKEN}` };
  const [read, change, page] = await Promise.all([
    fetch(at("/api/v1/events"), { headers }),
    fetch(at(`/api/v1/hooks/${hook.eventName}/rotate`), { method: "POST", headers }),
    fetch(at("/events"), { headers: { ...headers, accept: "text/html" } }),
  ]);
  nats.resume();
  for (const response of [read, change, page])
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await read.json()).toMatchObject({ status: 503, title: "Storage unavailable, try again later" });
  await expect.poll(async () => (await call("GET", "/events")).status).toBe(200);
});
