import fc from "fast-check";
import { expect, test } from "vitest";

import { OPTION_SCHEMAS } from "../../src/registry/app-definition-schema.ts";
import { readAppDefinition } from "../../src/registry/app-definition.ts";

const hook = (more: object = {}) => ({ eventName: "kustomer.app.shop.order", type: "email", ...more });
const read = (definition: unknown) => readAppDefinition(JSON.stringify(definition), "shop.json");
const problemsIn = (text: string, context?: Parameters<typeof readAppDefinition>[2]) => {
  const reading = readAppDefinition(text, "shop.json", context);
  return reading.kind === "invalid" ? reading.problems : [];
};
const problemsOf = (definition: unknown, context?: Parameters<typeof readAppDefinition>[2]) =>
  problemsIn(JSON.stringify(definition), context).map(({ pointer, message }) => `${pointer} ${message}`);
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
  expect(problems).toEqual([
    expect.stringMatching(/^\/app is "posthorn"; allowed: one token .* not posthorn or adhoc$/),
    expect.stringMatching(/^\/hooks\/0\/eventName is "\$JS\.API\.STREAM\.DELETE\.X"; allowed: 1 to 16 tokens/),
    '/hooks/1/type is "sms"; allowed: "web", "form", "email"',
    "/hooks/2/eventName is required",
    '/hooks/3/x-posthorn/shema is an unknown option; did you mean "schema"?',
    '/hooks/3/x-posthorn/empty is "bounce"; allowed: "dead-letter", "publish", "reject"',
  ]);
});

test("no fault hides another one, in one hook or in several; they come in the order of the text, with their lines", () => {
  const text = `{
  "app": "shop",
  "hooks": [
    { "eventName": "kustomer.app.shop.a", "type": "email", "displayEventName": 7,
      "x-posthorn": { "redirect": "//evil.example", "schema": { "type": "objekt" }, "empty": "bounce",
                      "key": "env:POSTHORN_SECRET_OTHER_MAIL" } },
    { "eventName": "kustomer.app.other.b", "type": "fax" },
    { "type": "form", "eventName": "kustomer.app.shop.a", "x-posthorn": { "select": { "format": "json" }, "select2": 1 } }
  ],
  "version": 3
}`;
  const takenBy = (eventName: string) => (eventName === "kustomer.app.other.b" ? "the app other" : undefined);
  const problems = problemsIn(text, { isKvAllowed: false, takenBy });
  expect(problems.map(({ pointer, message, line }) => `${line}: ${pointer} ${message}`)).toEqual([
    "4: /hooks/0/displayEventName is 7; allowed: a text of at most 300 characters",
    "5: /hooks/0/x-posthorn/redirect is for hooks of type form, not email",
    '5: /hooks/0/x-posthorn/redirect is "//evil.example"; allowed: a path that begins with one /, or an address whose origin is in origins',
    expect.stringMatching(/^5: \/hooks\/0\/x-posthorn\/schema is no JSON Schema that can be used/),
    '5: /hooks/0/x-posthorn/empty is "bounce"; allowed: "dead-letter", "publish", "reject"',
    '6: /hooks/0/x-posthorn/key is "env:POSTHORN_SECRET_OTHER_MAIL"; allowed: a variable that begins env:POSTHORN_SECRET_SHOP_',
    "7: /hooks/1/eventName belongs to the app other; choose another name",
    '7: /hooks/1/type is "fax"; allowed: "web", "form", "email"',
    '8: /hooks/2/eventName is "kustomer.app.shop.a", which /hooks/0 has already; allowed: a name of its own',
    "8: /hooks/2/x-posthorn/select is for hooks of type email, not form",
    '8: /hooks/2/x-posthorn/select2 is an unknown option; did you mean "select"?',
    "10: /version is 3; allowed: a text of at most 100 characters",
  ]);
});

const PLAIN = "whsec_c2VjcmV0";
test.each([
  ["key", { key: PLAIN }],
  ["a key that is a list", { key: [PLAIN] }],
  ["a key behind env:", { key: `env:${PLAIN}` }],
  ["a captcha's secret", { captcha: { provider: "turnstile", secret: PLAIN } }],
  ["a captcha that is a text", { captcha: PLAIN }],
  ["a secret under a wrong name", { captcha: { provider: "turnstile", secrets: PLAIN } }],
  ["a signature's secret", { signature: { scheme: "github", secret: PLAIN } }],
  ["one of several", { signature: { scheme: "github", secret: ["kv", PLAIN] } }],
  ["a secret that is an object", { signature: { scheme: "github", secret: { value: PLAIN } } }],
  ["a secret as the scheme", { signature: { scheme: PLAIN, secret: "kv" } }],
  ["a secret as the header", { signature: { scheme: "hmac", secret: "kv", header: `${PLAIN}:` } }],
  ["a handshake's secret", { handshake: { kind: "zoom", secret: PLAIN } }],
  ["a handshake that is one", { handshake: PLAIN }],
  ["all options as one text", PLAIN],
  ["all options as a list", [PLAIN]],
])("a secret in plain text is a fault that does not repeat it: %s", (_where, options) => {
  const problems = problemsOf({ app: "shop", hooks: [{ ...hook(), type: "web", "x-posthorn": options }] });
  expect(problems).not.toEqual([]);
  expect(problems.join("\n")).not.toContain(PLAIN.slice(-8));
  // Nor where the text is no JSON, or is one at another place.
  for (const text of [
    `{"app":"shop","hooks":[{"x-posthorn":{"key":"${PLAIN}",}}]}`,
    `{"app":"shop","hooks":[{"x-posthorn":{"key":${PLAIN}}}]}`,
    JSON.stringify({ app: "shop", hooks: { "x-posthorn": options } }),
    JSON.stringify({ app: "shop", hooks: [[options]] }),
    JSON.stringify([options]),
  ])
    expect(JSON.stringify(problemsIn(text))).not.toContain(PLAIN.slice(-8));
});

test.each([
  [
    { app: 5, hooks: [] },
    "/app is 5; allowed: one token of letters, digits, _ and -, at most 64, not posthorn or adhoc",
  ],
  [
    { app: "shop", hooks: 5 },
    '/hooks is 5; allowed: a list of at most 10000, each an object with "eventName" and "type"',
  ],
  [{ app: "shop", hooks: [5] }, '/hooks/0 is 5; allowed: an object with "eventName" and "type"'],
  [{ senders: "a@x" }, '/senders is "a@x"; allowed: a list of 1 to 100, each a text of 1 to 300 characters'],
  [{ senders: [""] }, '/senders/0 is ""; allowed: a text of 1 to 300 characters'],
  [
    { include: ["text", "text"] },
    '/include is a list of 2; allowed: a list, none twice, each "text", "html", "headers"',
  ],
  [{ include: "text" }, '/include is "text"; allowed: a list, none twice, each "text", "html", "headers"'],
  [{ rateLimit: { perMinute: "60" } }, '/rateLimit/perMinute is "60"; allowed: a whole number from 1 to 1000000'],
  [{ rateLimit: { perMinute: 0 } }, "/rateLimit/perMinute is 0; allowed: a whole number from 1 to 1000000"],
  [{ rateLimit: { perMinuet: 1 } }, '/rateLimit/perMinuet is an unknown member; did you mean "perMinute"?'],
  [{ select: { tpye: "Order" } }, '/select/tpye is an unknown member; did you mean "type"?'],
  [{ select: { format: "xml" } }, '/select/format is "xml"; allowed: "json"'],
  [{ schema: "x" }, '/schema is "x"; allowed: a JSON Schema (2020-12)'],
  [{ empty: null }, '/empty is null; allowed: "dead-letter", "publish", "reject"'],
] as const)("what is allowed is said in words of ours: %j", (part, problem) => {
  const isWhole = "hooks" in part;
  const definition = isWhole ? part : { app: "shop", hooks: [hook({ "x-posthorn": part })] };
  const problems = problemsOf(definition);
  expect(problems).toContain(isWhole ? problem : `/hooks/0/x-posthorn${problem}`);
  expect(problems.join("\n")).not.toMatch(/\bmust\b/);
});

test("no definition, however odd, is a crash or a text of the validator's", () => {
  const odd = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, true, 0, -1, "", "x", "kv", PLAIN, [], {}),
      tie("list"),
      tie("object"),
    ),
    list: fc.array(tie("value"), { maxLength: 3 }),
    object: fc.dictionary(
      fc.constantFrom(
        "app",
        "hooks",
        "type",
        "eventName",
        "x-posthorn",
        ...Object.keys(OPTION_SCHEMAS),
        "secret",
        "kind",
        "__proto__",
      ),
      tie("value"),
      { maxKeys: 4 },
    ),
  }));
  const hooks = fc.array(
    fc.record({ eventName: odd.value, type: fc.constantFrom("email", "web", 1), "x-posthorn": odd.object }),
  );
  fc.assert(
    fc.property(fc.oneof(odd.value, fc.record({ app: odd.value, hooks })), (definition) => {
      const problems = problemsOf(definition).join("\n");
      expect(problems).not.toMatch(/\bmust\b|undefined|\[object/);
    }),
    { numRuns: 2_000 },
  );
});

test("a definition that is nested too deep is a fault, not a crash", () => {
  const deep = `{"app":"shop","hooks":[],"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  expect(problemsIn(deep)).toMatchObject([{ pointer: "", message: expect.stringContaining("nested deeper than 200") }]);
});

test.each([
  ["no JSON", "{", /^ is invalid JSON: unexpected end of input \(line 1 column 2\)$/],
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
    problems: [{ file: "shop.json", pointer: "", line: 1, message: expect.stringContaining("nested deeper than 200") }],
  });
});

test("the member __proto__ of a definition is ignored like any unknown one", () => {
  const text = '{"app":"shop","hooks":[],"__proto__":{"polluted":true}}';
  expect(readAppDefinition(text, "shop.json").kind).toBe("definition");
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
