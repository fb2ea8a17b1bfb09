import { afterAll, beforeAll, expect, test } from "vitest";

import { readAppDefinition } from "../../src/registry/app-definition.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

// What the engine that runs a schema does not know is said when the app is installed, and never to a sender.

const problemsOf = (schema: unknown) => {
  const hook = { eventName: "kustomer.app.shop.call", type: "web", "x-posthorn": { schema } };
  const reading = readAppDefinition(JSON.stringify({ app: "shop", hooks: [hook] }), "shop.json");
  return reading.kind === "invalid" ? reading.problems.map(({ pointer, message }) => `${pointer} ${message}`) : [];
};
const patternProblem = (pattern: string) => problemsOf({ properties: { sku: { pattern } } }).join("\n");

test.each([
  ["^(?!test)", /a negative lookahead, .* instead, write what must not match as "not"/],
  ["^(?=.*[0-9])(?=.*[a-z])", /a lookahead, .* instead, write each condition as a pattern of its own under "allOf"/],
  ["(?<=EUR )[0-9]+", /a lookbehind, .* under "allOf"/],
  ["(?<!-)[0-9]+", /a negative lookbehind, .* as "not"/],
  ["([a-z])\\1", /a reference to a group, .* list what may stand there/],
  ["(?<q>['\"]).*\\k<q>", /a reference to a group, .* list what may stand there/],
  ["\\p{Script=Greek}", /a property with a name and a value is not supported; instead, write the value alone/],
  ["^.{1001}$", /repeats more than 1000 times; instead, bound the length/],
  ["(a{500}){500}", /repeats more than 1000 times/],
  ["(unclosed", /missing closing \)/],
])("the pattern %s is an install error that says what to write instead", (pattern, message) => {
  expect(patternProblem(pattern)).toMatch(/^\/hooks\/0\/x-posthorn\/schema\/properties\/sku\/pattern is /);
  expect(patternProblem(pattern)).toMatch(message);
});

test.each([
  "^[A-Z]{3}-\\d{4}$",
  "^\\S+@\\S+\\.\\S+$",
  "^[\\w.\\-]+$",
  "\\p{Lu}\\p{L}*",
  "\\p{Greek}",
  "\\(\\?!",
  "\\\\1",
  "(?<year>\\d{4})-\\d\\d",
  "^.{1,1000}$",
  "[^]",
  "a\\/b",
])("the pattern %s is taken", (pattern) => {
  expect(patternProblem(pattern)).toBe("");
});

test("every pattern is said at once, with its place, and what is data is no pattern", () => {
  expect(
    problemsOf({
      patternProperties: { "^(?!x-)/": true },
      properties: { pattern: { pattern: "(?=a)" }, tags: { items: { anyOf: [{ pattern: "(?!b)" }] } } },
      enum: [{ pattern: "(?=no)" }],
      default: { pattern: "(?=no)" },
      $defs: { "a~b": { propertyNames: { pattern: "\\1" } } },
    }).map((problem) => problem.split(" ", 1)[0]),
  ).toEqual([
    "/hooks/0/x-posthorn/schema/patternProperties/^(?!x-)~1",
    "/hooks/0/x-posthorn/schema/properties/pattern/pattern",
    "/hooks/0/x-posthorn/schema/properties/tags/items/anyOf/0/pattern",
    "/hooks/0/x-posthorn/schema/$defs/a~0b/propertyNames/pattern",
  ]);
});

test("a schema that the engine refuses at run time is refused at install", () => {
  expect(problemsOf({ $async: true })[0]).toMatch(/\/schema is no JSON Schema that can be used: \$async/);
  expect(problemsOf({ $ref: "#/$defs/missing" })[0]).toMatch(/can't resolve reference/);
  expect(problemsOf(true)).toEqual([]);
  expect(problemsOf(false)).toEqual([]);
});

let nats: NatsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats);
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

test("a schema that breaks at run time is our operator's mistake: senders keep what they sent", async () => {
  const { storage, http } = posthorn.daemon;
  const [form, mail] = await posthorn.install([
    { eventName: "kustomer.app.shop.form", type: "form" },
    { eventName: "kustomer.app.shop.mail", type: "email" },
  ]);
  if (form === undefined || mail === undefined) throw new Error("two hooks were asked for");
  // As an older version let it be installed.
  const schema = { properties: { n: { pattern: "(?!x)" } } };
  for (const hook of [form, mail])
    await storage.snapshot.kv.put(
      `hook.${hook.hookId}`,
      JSON.stringify({ ...hook, options: { ...hook.options, schema } }),
    );
  await expect.poll(() => storage.snapshot.hookByEventName(mail.eventName)?.options.schema).toBeDefined();
  const response = await fetch(`http://${http.address}/v1/hooks/form/${form.hookId}`, {
    method: "POST",
    body: new URLSearchParams({ n: "1" }),
  });
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, expect.stringMatching(/^\d+$/)]);
  using relay = await posthorn.connectRelay();
  const sent = 'From: a@example.org\r\nContent-Type: application/json\r\n\r\n{"n":"1"}\r\n';
  expect(await relay.send({ to: `${mail.hookId}@localhost`, mail: sent })).toMatch(/^451 4\.3\.5 /);
  expect(await storedIn(posthorn, "POSTHORN_EVENTS")).toEqual([]);
  expect(await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).toEqual([]);
});

test("a schema that is only true or false is one, too", async () => {
  const [anything, nothing] = await posthorn.install(
    [true, false].map((schema) => ({
      eventName: `kustomer.app.shop.${schema}`,
      type: "form",
      "x-posthorn": { schema },
    })),
  );
  const status = async (hookId: string | undefined) =>
    (
      await fetch(`http://${posthorn.daemon.http.address}/v1/hooks/form/${hookId}`, {
        method: "POST",
        body: new URLSearchParams({ a: "1" }),
      })
    ).status;
  expect([await status(anything?.hookId), await status(nothing?.hookId)]).toEqual([202, 422]);
});
