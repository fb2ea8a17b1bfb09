import { afterAll, beforeAll, expect, test } from "vitest";

import type { Hook } from "../../src/model/hook.ts";
import { REFUSED, REQUEST_REFUSED, TRY_LATER } from "../../src/receive/answers.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { RawAnswer } from "../support/raw-http.ts";
import { converse, requestText } from "../support/raw-http.ts";

let nats: NatsServer;
let posthorn: TestDaemon;
let hooks: Readonly<Record<string, Hook>>;
let key: string;
let foreignKey: string;
let narrowKey: string;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, { POSTHORN_MAX_BODY_BYTES: "2000" });
  const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
  const made = await posthorn.install([
    { eventName: "kustomer.app.shop.form", type: "form" },
    { eventName: "kustomer.app.shop.web", type: "web" },
    { eventName: "kustomer.app.shop.checked", type: "web", "x-posthorn": { schema } },
    { eventName: "kustomer.app.shop.off", type: "web" },
    { eventName: "kustomer.app.shop.waits", type: "web" },
    { eventName: "kustomer.app.shop.few", type: "web", "x-posthorn": { rateLimit: { perMinute: 1 } } },
    { eventName: "kustomer.app.shop.own", type: "form", "x-posthorn": { origins: ["https://shop.example"] } },
    { eventName: "kustomer.app.shop.mail", type: "email" },
  ]);
  hooks = Object.fromEntries(made.map((hook) => [hook.eventName.split(".").at(-1), hook]));
  await posthorn.install([{ eventName: "kustomer.app.bank.web", type: "web" }], "bank");
  const { keys, registry } = posthorn.daemon.storage;
  await registry.setState("kustomer.app.shop.off", "disabled");
  await registry.setState("kustomer.app.shop.waits", "paused");
  const now = Date.now();
  ({ key } = await keys.create({ app: "shop", expires: null }, now));
  ({ key: foreignKey } = await keys.create({ app: "bank", expires: null }, now));
  ({ key: narrowKey } = await keys.create({ app: "shop", expires: null, eventNames: ["kustomer.app.shop.off"] }, now));
  const { snapshot } = posthorn.daemon.storage;
  while (snapshot.hookByEventName("kustomer.app.shop.waits")?.state !== "paused")
    await new Promise((resolve) => setTimeout(resolve, 10));
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const pathOf = (name: string, type?: string) => `/v1/hooks/${type ?? hooks[name]?.type}/${hooks[name]?.hookId}`;
const ask = async (text: string): Promise<RawAnswer> => {
  const [answer] = await converse(posthorn.daemon.http.address ?? "", text);
  if (answer === undefined) throw new Error("no answer");
  return answer;
};
const JSON_TYPE = "Content-Type: application/json";
const post = (name: string, headers: readonly string[], body = '{"n":1}') =>
  ask(requestText("POST", pathOf(name), headers, body));
const withKey = (name: string, headers: readonly string[] = [JSON_TYPE], body = '{"n":1}') =>
  post(name, [`Authorization: Bearer ${key}`, ...headers], body);

interface Row {
  readonly cause: string;
  readonly status: number;
  readonly provoke: () => Promise<RawAnswer>;
  readonly headers?: Readonly<Record<string, RegExp>>;
}

const rows: readonly Row[] = [
  { cause: "malformed", status: 400, provoke: () => withKey("web", [JSON_TYPE], '{"n":1,}') },
  {
    cause: "key-missing",
    status: 401,
    provoke: () => post("web", [JSON_TYPE]),
    headers: { "www-authenticate": /^Bearer realm=/ },
  },
  { cause: "key-wrong", status: 401, provoke: () => post("web", [`X-API-Key: ${key.slice(0, -1)}x`, JSON_TYPE]) },
  { cause: "key-of-another-app", status: 403, provoke: () => post("web", [`X-API-Key: ${foreignKey}`, JSON_TYPE]) },
  { cause: "key-of-another-app", status: 403, provoke: () => post("web", [`X-API-Key: ${narrowKey}`, JSON_TYPE]) },
  { cause: "origin-not-allowed", status: 403, provoke: () => post("own", ["Origin: https://evil.example", JSON_TYPE]) },
  {
    cause: "no-such-hook",
    status: 404,
    provoke: () => ask(requestText("POST", "/v1/hooks/web/none", [JSON_TYPE], "{}")),
  },
  {
    cause: "no-such-hook",
    status: 404,
    provoke: () => ask(requestText("POST", `/v1/hooks/web/${"0".repeat(26)}`, [], "{}")),
  },
  // Before authentication: strangers do not learn which kind a hook is of.
  {
    cause: "no-such-hook",
    status: 404,
    provoke: () => ask(requestText("POST", pathOf("form", "web"), [JSON_TYPE], "{}")),
  },
  {
    cause: "no-such-hook",
    status: 404,
    provoke: () => ask(requestText("POST", pathOf("mail", "form"), [JSON_TYPE], "{}")),
  },
  { cause: "no-such-hook", status: 404, provoke: () => ask(requestText("GET", "/", [])) },
  {
    cause: "wrong-method",
    status: 405,
    provoke: () => ask(requestText("DELETE", pathOf("web"), [])),
    headers: { allow: /^POST, PUT$/ },
  },
  { cause: "wrong-method", status: 405, provoke: () => ask(requestText("PUT", pathOf("form"), [JSON_TYPE], "{}")) },
  { cause: "hook-disabled", status: 410, provoke: () => withKey("off") },
  { cause: "hook-paused", status: 503, provoke: () => withKey("waits"), headers: { "retry-after": /^\d+$/ } },
  { cause: "too-large", status: 413, provoke: () => withKey("web", [JSON_TYPE], `"${"x".repeat(2_000)}"`) },
  { cause: "media-type", status: 415, provoke: () => withKey("web", ["Content-Type: image/png"], "\x89PNG") },
  { cause: "media-type", status: 415, provoke: () => withKey("web", [JSON_TYPE, "Content-Encoding: rot13"]) },
  { cause: "schema-failed", status: 422, provoke: () => withKey("checked", [JSON_TYPE], '{"n":"one"}') },
  {
    cause: "id-reused",
    status: 422,
    provoke: async () => {
      expect((await withKey("web", [JSON_TYPE, "Idempotency-Key: k1"], '{"n":1}')).status).toBe(202);
      return withKey("web", [JSON_TYPE, "Idempotency-Key: k1"], '{"n":2}');
    },
  },
  {
    cause: "rate-limited",
    status: 429,
    provoke: async () => {
      let answer = await withKey("few");
      for (let sent = 0; sent < 3 && answer.status === 202; sent += 1) answer = await withKey("few");
      return answer;
    },
    headers: { "retry-after": /^\d+$/, ratelimit: /^"hook";r=0;t=\d+$/ },
  },
  { cause: "headers-too-large", status: 431, provoke: () => withKey("web", [`X-Long: ${"x".repeat(40_000)}`]) },
];

test.each(rows)("$cause is answered $status", async ({ cause, status, provoke, headers = {} }) => {
  const answer = await provoke();
  expect(answer.status).toBe(status);
  expect(answer.headers["content-type"]).toBe("application/problem+json");
  const table: Readonly<Record<string, { readonly text: string }>> = { ...TRY_LATER, ...REFUSED, ...REQUEST_REFUSED };
  expect(JSON.parse(answer.body)).toMatchObject({ type: "about:blank", status, title: table[cause]?.text });
  for (const [name, shape] of Object.entries(headers)) expect(answer.headers[name]).toMatch(shape);
});

test("a schema's problems come with JSON Pointers", async () => {
  const { body } = await withKey("checked", [JSON_TYPE], '{"n":"one"}');
  expect(JSON.parse(body)).toMatchObject({ errors: [{ pointer: "/n", detail: "must be integer" }] });
  const missing = await withKey("checked", [JSON_TYPE], "{}");
  expect(JSON.parse(missing.body)).toMatchObject({ errors: [{ pointer: "/n", detail: "is required" }] });
  expect((await withKey("checked", [JSON_TYPE], '{"n":12345678901234567890}')).status).toBe(202);
});

test("while the ack is held back no 2xx arrives, NATS that hangs gives 503, and the retry is stored once", async () => {
  const before = (await storedIn(posthorn, "POSTHORN_EVENTS")).length;
  nats.pause();
  const answer = await withKey("web", [JSON_TYPE, "Idempotency-Key: held"]);
  nats.resume();
  expect([answer.status, answer.headers["retry-after"]]).toEqual([503, expect.stringMatching(/^\d+$/)]);
  let retried = await withKey("web", [JSON_TYPE, "Idempotency-Key: held"]);
  while (retried.status === 503) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    retried = await withKey("web", [JSON_TYPE, "Idempotency-Key: held"]);
  }
  expect(retried.status).toBe(202);
  expect(await storedIn(posthorn, "POSTHORN_EVENTS")).toHaveLength(before + 1);
});

test("a full stream gives 507, and room makes it 202 again", async () => {
  const { jsm } = posthorn.daemon.storage;
  const { config, state } = await jsm.streams.info("POSTHORN_EVENTS");
  await jsm.streams.update("POSTHORN_EVENTS", { ...config, max_msgs: state.messages });
  const full = await withKey("web");
  expect([full.status, full.headers["retry-after"]]).toEqual([507, expect.stringMatching(/^\d+$/)]);
  await jsm.streams.update("POSTHORN_EVENTS", { ...config, max_msgs: -1 });
  expect((await withKey("web")).status).toBe(202);
});

test("with NATS gone the answer is 503 with Retry-After, and 202 when it is back", async () => {
  await nats.kill();
  const away = await withKey("web");
  expect([away.status, away.headers["retry-after"]]).toEqual([503, expect.stringMatching(/^\d+$/)]);
  await nats.start();
  let answer = await withKey("web");
  while (answer.status === 503) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    answer = await withKey("web");
  }
  expect(answer.status).toBe(202);
});
