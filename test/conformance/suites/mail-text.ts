import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { posthornExtract } from "../../support/posthorn-extract.ts";
import type { ConformanceSuite } from "../suite.ts";
import { fail, filesBelow, pass } from "../suite.ts";

const MARKER = '{"posthorn": 12345678901234567890, "amount": 1.10}';

/** Bodies that people wrote, with signatures and quotes: nothing in them is data, and data put between their lines is found. */
export const suite: ConformanceSuite = {
  name: "mail text, no false items",
  folder: "mail-text",
  argued: {},
  async *cases(folder) {
    for (const file of await filesBelow(folder)) {
      const text = async () => (await readFile(join(folder, file))).toString("utf8");
      yield {
        name: file,
        run: async () => {
          const { items } = await extractText(await text());
          return items.length === 0 ? pass : fail(`found ${items.map(({ json }) => json).join(", ")}`);
        },
      };
      yield {
        name: `${file} with JSON in it`,
        run: async () => {
          const { items } = await extractText(`${await text()}\n\n${MARKER}\n\n${await text()}`);
          return items.length === 1 && items[0]?.json === MARKER ? pass : fail(`found ${items.length} items`);
        },
      };
    }
  },
};

/** The text as the body of a mail. */
function extractText(text: string) {
  return posthornExtract(`Subject: x\nContent-Type: text/plain; charset=utf-8\n\n${text}`, "mail.eml");
}
