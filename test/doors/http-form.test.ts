import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, expect, test } from "vitest";

import { readSettings } from "../../src/config/settings.ts";
import { mailStages, publishOn } from "../../src/daemon/delivery.ts";
import { replayDeadLetter } from "../../src/daemon/replay.ts";
import type { Hook } from "../../src/model/hook.ts";
import { findDeadLetter } from "../../src/publish/dead-letters.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { silentLog } from "../support/silent-log.ts";
import { createTestEngine } from "../support/engine.ts";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
const SHOP = "https://shop.example";

let nats: NatsServer;
let posthorn: TestDaemon;
let open: Hook;
let shop: Hook;
let limited: Hook;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats);
  [open, shop, limited] = (await posthorn.install([
    { eventName: "kustomer.app.shop.open", type: "form" },
    {
      eventName: "kustomer.app.shop.own",
      type: "form",
      "x-posthorn": { origins: [SHOP, "https://other.example"], redirect: `${SHOP}/danke`, honeypot: "website" },
    },
    {
      eventName: "kustomer.app.shop.few",
      type: "form",
      "x-posthorn": { rateLimit: { perMinute: 100, perAddress: 2 } },
    },
  ])) as [Hook, Hook, Hook];
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const urlOf = ({ type, hookId }: Hook) => `http://${posthorn.daemon.http.address}/v1/hooks/${type}/${hookId}`;
const post = (hook: Hook, fields: string, headers: Record<string, string> = {}) =>
  fetch(urlOf(hook), { method: "POST", body: new URLSearchParams(fields), headers, redirect: "manual" });
const count = async (stream: string) => (await storedIn(posthorn, stream)).length;
const lastPayload = async () => {
  const stored = (await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1);
  return (JSON.parse(stored?.text ?? "") as { data: { payload: unknown } }).data.payload;
};

test("a browser is sent to a thank-you page in its language, a script gets JSON", async () => {
  const response = await post(open, "a=1", { accept: BROWSER });
  expect(response.status).toBe(303);
  const location = new URL(response.headers.get("location") ?? "", urlOf(open));
  for (const [language, title] of [
    ["de-AT,de;q=0.9,en;q=0.5", "Vielen Dank"],
    ["nl, fr;q=0.3, es;q=0.8", "Gracias"],
    ["fr", "Merci"],
    ["pt-BR", "Obrigado"],
    ["zh", "Thank you"],
  ] as const) {
    const page = await fetch(location, { headers: { accept: BROWSER, "accept-language": language } });
    expect(page.status).toBe(200);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(await page.text()).toContain(`<h1>${title}</h1>`);
  }
  expect((await post(open, "a=1", { accept: "application/json, text/plain, */*" })).status).toBe(202);
});

test("a browser goes to the hook's redirect, or to a _next whose origin is listed", async () => {
  const goes = async (fields: string) => {
    const response = await post(shop, fields, { accept: BROWSER, origin: SHOP });
    expect(response.status).toBe(303);
    return response.headers.get("location");
  };
  expect(await goes("a=1")).toBe(`${SHOP}/danke`);
  expect(await goes("a=1&_next=https%3A%2F%2Fother.example%2Fok%3Fx%3D1")).toBe("https://other.example/ok?x=1");
  expect(await lastPayload()).toEqual({ a: "1" });
  for (const next of [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "https://shop.example@evil.example",
    "https:/\\/evil.example",
    "/local",
  ])
    expect(await goes(`a=1&_next=${encodeURIComponent(next)}`)).toBe(`${SHOP}/danke`);
});

test("an Origin that is not listed is refused before the body, a listed one may read the answer", async () => {
  const before = await count("POSTHORN_EVENTS");
  const refused = await post(shop, "a=1", { origin: "https://evil.example" });
  expect(refused.status).toBe(403);
  expect(refused.headers.get("access-control-allow-origin")).toBeNull();
  expect((await post(shop, "a=1", { origin: "null" })).status).toBe(403);
  const taken = await post(shop, "a=1", { origin: SHOP });
  expect(taken.status).toBe(202);
  expect(taken.headers.get("access-control-allow-origin")).toBe(SHOP);
  expect(taken.headers.get("vary")).toContain("Origin");
  expect((await post(shop, "a=1")).status).toBe(202);
  expect((await post(open, "a=1", { origin: "https://any.example" })).headers.get("access-control-allow-origin")).toBe(
    "*",
  );
  expect(await count("POSTHORN_EVENTS")).toBe(before + 3);
});

test("a preflight is granted to listed origins only, and OPTIONS alone names the methods", async () => {
  const preflight = (origin: string) =>
    fetch(urlOf(shop), {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-app",
      },
    });
  const granted = await preflight(SHOP);
  expect(granted.status).toBe(204);
  expect(Object.fromEntries(granted.headers)).toMatchObject({
    "access-control-allow-origin": SHOP,
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "content-type,x-app",
  });
  expect((await preflight("https://evil.example")).status).toBe(403);
  const options = await fetch(urlOf(shop), { method: "OPTIONS" });
  expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, POST, OPTIONS"]);
});

test("a filled honeypot is kept as a dead letter and answered like success", async () => {
  const before = await count("POSTHORN_EVENTS");
  const trapped = await post(shop, "email=a%40b.example&website=http%3A%2F%2Fspam.example", { origin: SHOP });
  expect(trapped.status).toBe(202);
  expect(await trapped.json()).toEqual({ id: expect.any(String), eventName: shop.eventName, duplicate: false });
  const browser = await post(shop, "a=1&website=x", { origin: SHOP, accept: BROWSER });
  expect([browser.status, browser.headers.get("location")]).toEqual([303, `${SHOP}/danke`]);
  expect(await count("POSTHORN_EVENTS")).toBe(before);
  const letters = (await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).map(
    ({ text }) => JSON.parse(text) as { reason: { code: string }; object: string },
  );
  expect(letters.map(({ reason }) => reason.code)).toEqual(["honeypot", "honeypot"]);
  const raw = await posthorn.daemon.storage.objects.getBlob(letters[0]?.object ?? "");
  expect(Buffer.from(raw ?? []).toString()).toContain("spam.example");
  expect((await post(shop, "a=1&website=", { origin: SHOP })).status).toBe(202);
  expect(await lastPayload()).toEqual({ a: "1" });
});

const multipart = (parts: readonly (readonly [head: string, content: string])[]) =>
  `${parts.map(([head, content]) => `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`).join("")}--b--\r\n`;

test.each([
  ["filled and then empty", "application/x-www-form-urlencoded", "a=1&website=x&website="],
  ["empty and then filled", "application/x-www-form-urlencoded", "a=1&website=&website=x"],
  ["twice in JSON", "application/json", '{"a":1,"website":"x","website":""}'],
  ["in a line of NDJSON", "application/x-ndjson", '{"a":1}\n{"a":2,"website":"x"}\n'],
  ["in an array of JSON", "application/json", '[{"a":1,"website":"x"}]'],
  ["JSON under another media type", "text/plain", '{"a":1,"website":"x"}'],
  ["JSON that calls itself XML", "application/xml", '{"a":1,"website":"x"}'],
  ["in XML", "application/xml", "<form><a>1</a><website>x</website></form>"],
  [
    "twice in a multipart form",
    "multipart/form-data; boundary=b",
    multipart([
      ['name="website"', "x"],
      ['name="website"', ""],
    ]),
  ],
  ["with a file", "multipart/form-data; boundary=b", multipart([['name="website"; filename="x.txt"', "spam"]])],
])("a honeypot is filled in: %s", async (_name, type, body) => {
  const before = await Promise.all(["POSTHORN_EVENTS", "POSTHORN_DEAD_LETTERS"].map(count));
  const response = await fetch(urlOf(shop), { method: "POST", body, headers: { "content-type": type, origin: SHOP } });
  expect(response.status).toBe(202);
  const [events = 0, letters = 0] = before;
  expect([await count("POSTHORN_EVENTS"), await count("POSTHORN_DEAD_LETTERS")]).toEqual([events, letters + 1]);
});

test("control fields are taken out of every line of NDJSON, and an empty honeypot is no trap", async () => {
  const response = await fetch(urlOf(shop), {
    method: "POST",
    body: '{"a":1.10,"website":"","_next":"/x"}\n{"website":null,"b":[2]}\n7\n',
    headers: { "content-type": "application/x-ndjson", origin: SHOP },
  });
  expect(response.status).toBe(202);
  expect((await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text).toContain('"payload":[{"a":1.10},{"b":[2]},7]');
});

async function replay(id: string): Promise<string> {
  const { storage } = posthorn.daemon;
  const found = await findDeadLetter(storage.jsm, id);
  if (found === undefined) throw new Error("no dead letter");
  const settings = readSettings({ POSTHORN_NATS_URL: nats.url });
  const publish = publishOn(storage, undefined);
  await using engine = createTestEngine();
  const stages = mailStages({ storage, settings, publish, engine, log: silentLog, env: {} });
  return (await replayDeadLetter(storage, stages, found)).kind;
}

test.each<[string, Record<string, string>, Uint8Array<ArrayBuffer>, unknown]>([
  [
    "XML in Latin-1",
    { "content-type": "application/xml; charset=iso-8859-1" },
    Buffer.from("<form><a>M\u00fcller</a><website>x</website></form>", "latin1"),
    { form: { a: "Müller" } },
  ],
  [
    "XML that names its charset itself",
    { "content-type": "application/xml" },
    Buffer.from(
      '<?xml version="1.0" encoding="iso-8859-1"?><form><a>M\u00fcller</a><website>x</website></form>',
      "latin1",
    ),
    { form: { a: "Müller" } },
  ],
  [
    "a multipart form that was packed",
    { "content-type": "multipart/form-data; boundary=b", "content-encoding": "gzip" },
    gzipSync(
      multipart([
        ['name="a"', "1"],
        ['name="website"', "x"],
      ]),
    ),
    { a: "1" },
  ],
  [
    "a packed form",
    { "content-type": "application/x-www-form-urlencoded", "content-encoding": "gzip" },
    gzipSync("a=M%C3%BCller&website=x"),
    { a: "Müller" },
  ],
  ["NDJSON", { "content-type": "application/x-ndjson" }, Buffer.from('{"a":1}\n{"website":"x"}\n'), [{ a: 1 }, {}]],
])("a release reads the body as the post was read: %s", async (_name, headers, body, payload) => {
  const response = await fetch(urlOf(shop), { method: "POST", body, headers: { origin: SHOP, ...headers } });
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as { id: string };
  expect(await replay(id)).toBe("published");
  expect(await lastPayload()).toEqual(payload);
});

test("a form that was taken for spam is released by a replay, without its control fields", async () => {
  const { storage } = posthorn.daemon;
  const { id } = (await (await post(shop, "email=a%40b.example&website=x&_id=9", { origin: SHOP })).json()) as {
    id: string;
  };
  expect(await replay(id)).toBe("published");
  expect(await lastPayload()).toEqual({ email: "a@b.example" });
  expect((await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.headers["Nats-Msg-Id"]).toBe(id);
  expect(await findDeadLetter(storage.jsm, id)).toBeUndefined();
});

test("a form in latin1 that was taken for spam is released with its letters", async () => {
  const { storage } = posthorn.daemon;
  const answer = await fetch(urlOf(shop), {
    method: "POST",
    headers: { origin: SHOP, "content-type": "application/x-www-form-urlencoded; charset=iso-8859-1" },
    body: "name=J%FCrgen&website=x",
  });
  const { id } = (await answer.json()) as { id: string };
  const found = await findDeadLetter(storage.jsm, id);
  if (found === undefined) throw new Error("no dead letter");
  const settings = readSettings({ POSTHORN_NATS_URL: nats.url });
  await using engine = createTestEngine();
  const publish = publishOn(storage, undefined);
  const stages = mailStages({ storage, settings, publish, engine, log: silentLog, env: {} });
  expect((await replayDeadLetter(storage, stages, found)).kind).toBe("published");
  expect(await lastPayload()).toEqual({ name: "Jürgen" });
});

test("the same submit sent twice under its _id is one event, with other fields two", async () => {
  const before = await count("POSTHORN_EVENTS");
  const first = (await (await post(open, "_id=42&a=1")).json()) as { id: string };
  expect(await (await post(open, "_id=42&a=1")).json()).toEqual({ ...first, duplicate: true });
  const other = (await (await post(open, "_id=42&a=2")).json()) as { id: string };
  expect(other.id).not.toBe(first.id);
  expect(await count("POSTHORN_EVENTS")).toBe(before + 2);
  const json = (text: string) =>
    fetch(urlOf(open), { method: "POST", body: text, headers: { "content-type": "application/json" } });
  const [a, b] = [await json('{"_id":"7","n":1.10}'), await json('{"_id":"7","n":1.10}')];
  expect([a.status, ((await b.json()) as { duplicate: boolean }).duplicate]).toEqual([202, true]);
  expect((await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text).toContain('"payload":{"n":1.10}');
});

test("a rate limit tells how much is left, and how long to wait", async () => {
  const first = await post(limited, "a=1");
  expect(first.status).toBe(202);
  expect(first.headers.get("ratelimit-policy")).toBe('"address";q=2;w=60, "hook";q=100;w=60');
  expect(first.headers.get("ratelimit")).toMatch(/^"address";r=1;t=\d+, "hook";r=99;t=\d+$/);
  // Where a minute ends in between, one more is let in.
  let last = first;
  for (let sent = 0; sent < 4 && last.status !== 429; sent += 1) last = await post(limited, "a=1");
  expect(last.status).toBe(429);
  expect(Number(last.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("the address of a form explains itself to a browser and nothing to others", async () => {
  const page = await fetch(urlOf(open), { headers: { accept: BROWSER, "accept-language": "de" } });
  expect(page.status).toBe(200);
  const text = await page.text();
  expect(text).toContain("Die Adresse eines Formulars");
  expect(text).not.toContain(open.eventName);
  const head = await fetch(urlOf(open), { method: "HEAD", headers: { accept: BROWSER } });
  expect([head.status, await head.text()]).toEqual([200, ""]);
  expect((await fetch(urlOf(open))).status).toBe(405);
});

test("a browser reads what is wrong on a page that runs nothing and repeats nothing", async () => {
  const response = await post(shop, "secret=<script>", {
    accept: BROWSER,
    origin: "https://evil.example",
    "accept-language": "fr",
  });
  expect([response.status, response.headers.get("content-type")]).toEqual([403, "text/html; charset=utf-8"]);
  const text = await response.text();
  expect(text).toContain('<html lang="fr">');
  expect(text).not.toContain("secret");
  expect(text).not.toContain("<script");
});
