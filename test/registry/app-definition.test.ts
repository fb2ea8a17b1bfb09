import { expect, test } from "vitest";

import { readAppDefinition } from "../../src/registry/app-definition.ts";

const hook = (more: object = {}) => ({ eventName: "kustomer.app.shop.order", type: "email", ...more });
const read = (definition: unknown) => readAppDefinition(JSON.stringify(definition), "shop.json");
const problemsOf = (definition: unknown) => {
  const reading = read(definition);
  return reading.kind === "invalid" ? reading.problems.map(({ pointer, message }) => `${pointer} ${message}`) : [];
};
const warningsOf = (definition: unknown) => {
  const reading = read(definition);
  return reading.kind === "definition" ? reading.warnings : ["invalid"];
};

test("the example of the Kustomer Apps Platform is a definition, with names that fall back and defaults filled in", () => {
  const reading = read({
    app: "ecommstore",
    version: "0.0.1",
    title: "E-comm Store",
    hooks: [{ eventName: "kustomer.app.ecommstore.order.update", type: "form", settings: { ignored: true } }],
    dependencies: ["ignored"],
  });
  expect(reading).toMatchObject({
    kind: "definition",
    warnings: [],
    definition: {
      app: "ecommstore",
      hooks: [
        {
          displayEventName: "kustomer.app.ecommstore.order.update",
          description: "",
          type: "form",
          options: { honeypot: "_gotcha", attachments: "store" },
        },
      ],
    },
  });
});

test("every fault is said at once, with its place, what was found and what is allowed", () => {
  const problems = problemsOf({
    app: "posthorn",
    hooks: [
      { eventName: "$JS.API.STREAM.DELETE.X", type: "email" },
      { eventName: "kustomer.app.shop.a", type: "sms" },
      { type: "web" },
      { eventName: "kustomer.app.shop.b", type: "email", "x-posthorn": { shema: {}, empty: "bounce" } },
    ],
  });
  expect(problems).toHaveLength(6);
  expect(problems).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^\/app is "posthorn"; allowed: one token .* not posthorn or adhoc$/),
      expect.stringMatching(/^\/hooks\/0\/eventName is "\$JS\.API\.STREAM\.DELETE\.X"; allowed: 1 to 16 tokens/),
      '/hooks/1/type is "sms"; allowed: "web", "form", "email"',
      "/hooks/2/eventName is required",
      '/hooks/3/x-posthorn/shema is an unknown option; did you mean "schema"?',
      '/hooks/3/x-posthorn/empty is "bounce"; allowed: "dead-letter", "publish", "reject"',
    ]),
  );
});

test.each([
  ["no JSON", "{", /^ is no JSON: /],
  ["no object", "[]", /^ is \[\]; allowed: /],
  ["null", "null", /^ is null; allowed: /],
  ["too large", `"${"x".repeat(1024 * 1024)}"`, /^ is larger than 1048576 bytes$/],
])("a text that is %s is invalid, not a crash", (_what, text, message) => {
  const reading = readAppDefinition(text, "shop.json");
  expect(reading.kind).toBe("invalid");
  if (reading.kind === "invalid")
    expect(reading.problems.map((problem) => `${problem.pointer} ${problem.message}`).join("\n")).toMatch(message);
});

test("a name that stands twice in one definition is a fault", () => {
  expect(problemsOf({ app: "shop", hooks: [hook(), hook()] })).toEqual([
    '/hooks/1/eventName is "kustomer.app.shop.order", which /hooks/0 has already; allowed: a name of its own',
  ]);
});

test("an event that does not reach workflows, or names another app, is a warning", () => {
  expect(warningsOf({ app: "shop", hooks: [hook({ eventName: "orders.new" })] })).toEqual([
    "orders.new does not begin with kustomer.app and so does not reach workflows",
  ]);
  expect(warningsOf({ app: "shop", hooks: [hook({ eventName: "kustomer.app.other.order" })] })).toEqual([
    "kustomer.app.other.order does not go on with the app's own name, shop",
  ]);
});

test("an option of another type of hook is a fault that says for which it is", () => {
  expect(problemsOf({ app: "shop", hooks: [hook({ "x-posthorn": { redirect: "/thanks" } })] })).toEqual([
    "/hooks/0/x-posthorn/redirect is for hooks of type form, not email",
  ]);
});

test("a secret may only be a variable of the app itself", () => {
  const keyed = (key: string) => problemsOf({ app: "my-shop", hooks: [hook({ "x-posthorn": { key } })] });
  expect(keyed("env:POSTHORN_SECRET_MY_SHOP_MAIL")).toEqual([]);
  expect(keyed("env:POSTHORN_SECRET_OTHER_MAIL")).toEqual([
    '/hooks/0/x-posthorn/key is "env:POSTHORN_SECRET_OTHER_MAIL"; allowed: a variable that begins env:POSTHORN_SECRET_MY_SHOP_',
  ]);
  expect(keyed("env:HOME")[0]).toMatch(/allowed: "kv", or "env:POSTHORN_SECRET_<APP>_…"$/);
});

test.each([
  ["/thanks", true],
  ["/thanks?x=1", true],
  ["https://shop.example/thanks", true],
  ["https://evil.example/thanks", false],
  ["//evil.example", false],
  ["/\\evil.example", false],
  ["javascript:alert(1)", false],
  ["thanks", false],
])("the redirect %s is taken: %s", (redirect, isTaken) => {
  const options = { redirect, origins: ["https://shop.example"] };
  const problems = problemsOf({ app: "shop", hooks: [hook({ type: "form", "x-posthorn": options })] });
  expect(problems.length === 0).toBe(isTaken);
});

test("a schema that is none, or points to another place, is a fault", () => {
  const withSchema = (schema: unknown) => problemsOf({ app: "shop", hooks: [hook({ "x-posthorn": { schema } })] });
  expect(withSchema({ type: "object", required: ["id"] })).toEqual([]);
  expect(withSchema({ type: "objekt" })[0]).toMatch(/^\/hooks\/0\/x-posthorn\/schema is no JSON Schema/);
  expect(withSchema({ $ref: "https://example.org/schema.json" })[0]).toMatch(/can't resolve reference/);
});

test.each([
  ["an array of arrays", "[".repeat(100_000) + "]".repeat(100_000)],
  ["an unknown property", `{"app":"shop","hooks":[],"x":${"[".repeat(500)}${"]".repeat(500)}}`],
  [
    "a schema",
    `{"app":"shop","hooks":[{"eventName":"a.b","type":"web","x-posthorn":{"schema":${'{"not":'.repeat(300)}{}${"}".repeat(300)}}}]}`,
  ],
])("a definition that nests too deep says so, and nothing else: %s", (_name, text) => {
  const reading = readAppDefinition(text, "shop.json");
  expect(reading).toEqual({
    kind: "invalid",
    problems: [{ file: "shop.json", pointer: "", message: "nests deeper than 200 levels" }],
  });
});

test("the member __proto__ of a definition is ignored like any unknown one", () => {
  const text = '{"app":"shop","hooks":[],"__proto__":{"polluted":true}}';
  expect(readAppDefinition(text, "shop.json").kind).toBe("definition");
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
