import { readFile, readdir } from "node:fs/promises";

import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";

import { parseEventName } from "../../src/model/event-name.ts";
import { APP_DEFINITION_SCHEMA } from "../../src/registry/app-definition-schema.ts";

const APPS = new URL("../../fixtures/apps/", import.meta.url);

test("the schema that editors read is the one that definitions are checked by", async () => {
  const shipped: unknown = JSON.parse(await readFile(new URL("app-definition.schema.json", APPS), "utf8"));
  expect(shipped).toEqual(JSON.parse(JSON.stringify(APP_DEFINITION_SCHEMA)));
});

test("each app of the fixtures meets it and names it", async () => {
  const validate = new Ajv2020({ strict: false }).compile(APP_DEFINITION_SCHEMA);
  const files = (await readdir(APPS)).filter((name) => name.endsWith(".json") && !name.endsWith(".schema.json"));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const definition: unknown = JSON.parse(await readFile(new URL(file, APPS), "utf8"));
    expect(validate(definition), JSON.stringify(validate.errors)).toBe(true);
  }
});

test.each([
  "kustomer.app.shop.order",
  "a",
  "-dash.first",
  "posthorns.order",
  Array.from({ length: 16 }, () => "t").join("."),
  "",
  "posthorn.dead",
  "posthorn",
  "_inbox.x",
  "a..b",
  ".a",
  "a.",
  "a b",
  "a.*",
  "a.>",
  "$JS.API.STREAM.DELETE.X",
  "a\r\nPUB x 0",
  "a\n",
  "ä",
  Array.from({ length: 17 }, () => "t").join("."),
  "t".repeat(65),
  `${"t".repeat(60)}.${"t".repeat(60)}.${"t".repeat(60)}.${"t".repeat(60)}`,
])("the schema and the security boundary agree on the event name %j", (eventName) => {
  const validate = new Ajv2020({ strict: false }).compile(APP_DEFINITION_SCHEMA);
  const accepted = validate({ app: "shop", hooks: [{ eventName, type: "form" }] });
  expect(accepted).toBe(parseEventName(eventName) !== undefined);
});
