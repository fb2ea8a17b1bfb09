import fc from "fast-check";
import { expect, test } from "vitest";

import { extract } from "../../src/library.ts";
import { anyPlacedJson } from "../support/any-mail.ts";

const RUNS = 1_000;

/** Without the blanks between tokens, which places may change; every character inside a string and every digit stays. */
function tokensOf(json: string): string {
  return json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, string: string | undefined) => string ?? "");
}

test("any JSON in any place, charset and transfer encoding comes out equal, digits included", async () => {
  await fc.assert(
    fc.asyncProperty(anyPlacedJson, async ({ json, mail, how }) => {
      const { items, deadLetter } = await extract(mail, { as: "mail" });
      const found = { how, items: items.map((item) => [tokensOf(item.json), item.repaired]), deadLetter };
      // A script's text may have had to hide a "<".
      const sent = how.includes("script") ? json.replaceAll("<", "\\u003c") : json;
      const came = how.includes("script")
        ? found.items.map(([text, repaired]) => [String(text).replaceAll("<", "\\u003c"), repaired])
        : found.items;
      expect({ ...found, items: came }).toEqual({ how, items: [[tokensOf(sent), []]], deadLetter: null });
    }),
    { numRuns: RUNS },
  );
}, 120_000);
