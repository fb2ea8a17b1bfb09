import { readFile, readdir } from "node:fs/promises";

import { expect, test } from "vitest";

import { extractJson } from "../../src/cli/extract-report.ts";
import { indentJson } from "../../src/cli/indent-json.ts";
import type { ExtractCallOptions } from "../../src/library.ts";
import { extract } from "../../src/library.ts";

const FOLDER = new URL("../../fixtures/mail/", import.meta.url);
const files = await readdir(FOLDER);
const mails = files.filter((file) => file.endsWith(".hook.json") || file.endsWith(".expected.json"));
const names = new Set(mails.map((file) => file.replace(/\.(?:hook|expected)\.json$/, "")));

test.each([...names])("the mail %s gives what stands beside it, digit for digit", async (name) => {
  const read = (extension: string) => readFile(new URL(`${name}.${extension}`, FOLDER));
  const options = files.includes(`${name}.hook.json`)
    ? (JSON.parse((await read("hook.json")).toString()) as Pick<
        ExtractCallOptions,
        "select" | "jsonld" | "schema" | "key"
      >)
    : {};
  const result = await extract(await read("eml"), options);
  const expected = (await read("expected.json")).toString();
  expect(`${indentJson(extractJson(result))}\n`).toBe(expected);
});

test("every mail of the list in README.md is there", async () => {
  const readme = await readFile(new URL("README.md", FOLDER), "utf8");
  const listed = [...readme.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
  expect(listed.filter((name) => !files.includes(`${name}.eml`))).toEqual([]);
  expect(listed.length).toBeGreaterThan(0);
});
