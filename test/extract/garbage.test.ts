import { readFile, readdir } from "node:fs/promises";

import fc from "fast-check";
import { expect, test } from "vitest";

import { extract } from "../../src/library.ts";
import { mutate, randomOf } from "../conformance/mutation.ts";

const FOLDER = new URL("../../fixtures/mail/", import.meta.url);
const names = (await readdir(FOLDER, { recursive: true }))
  .filter((file) => file.endsWith(".eml"))
  .toSorted((a, b) => (a < b ? -1 : 1));
const mails = await Promise.all(names.map((name) => readFile(new URL(name, FOLDER))));
const KINDS = ["mail", "html", "json", "ndjson", "text", undefined] as const;

/** With a payload or a reason, never both, and with items that are JSON. */
async function endsWell(bytes: Uint8Array, as: (typeof KINDS)[number]): Promise<void> {
  const { items, payload, deadLetter } = await extract(bytes, as === undefined ? {} : { as });
  expect([payload === null, deadLetter === null]).toContain(true);
  expect(payload === null && deadLetter === null).toBe(false);
  if (deadLetter !== null) expect(deadLetter.detail).not.toBe("");
  for (const { json } of items) JSON.parse(json);
}

test("a damaged mail ends in a payload or in a dead letter with a reason", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const random = randomOf(seed);
      const [mail, other] = [mails[random(mails.length)], mails[random(mails.length)]];
      if (mail !== undefined && other !== undefined) await endsWell(mutate(mail, other, random), "mail");
    }),
    { numRuns: 1_000 },
  );
}, 120_000);

test("any bytes, read as anything, end in a payload or in a dead letter with a reason", async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .array(
        fc.constantFrom("{", '"', "<", "!--", ">", "a:", "\r\n", "--b", "boundary=b", "=?", "?=", "\0", "\u00e9", "["),
        { maxLength: 40 },
      )
      .map((pieces) => Buffer.from(pieces.join(""))),
  );
  await fc.assert(
    fc.asyncProperty(bytes, fc.constantFrom(...KINDS), (input, as) => endsWell(input, as)),
    { numRuns: 1_000 },
  );
}, 120_000);
