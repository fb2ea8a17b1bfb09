import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { posthornExtract } from "../../support/posthorn-extract.ts";
import type { ConformanceSuite, Verdict } from "../suite.ts";
import { fail, filesBelow, pass } from "../suite.ts";

/** nst/JSONTestSuite: `y_` must be read with repairs off, `n_` must not, `i_` may; what is read keeps its text. */
export const suite: ConformanceSuite = {
  name: "JSONTestSuite",
  folder: "json/JSONTestSuite",
  argued: {},
  async *cases(folder) {
    for (const file of await filesBelow(folder)) {
      if (file.endsWith(".json"))
        yield { name: file, run: async () => judge(basename(file), await readFile(join(folder, file))) };
    }
  },
};

async function judge(file: string, bytes: Buffer): Promise<Verdict> {
  const { items, payload, deadLetter } = await posthornExtract(bytes, "file.json", "--strict");
  if ((payload === null) === (deadLetter === null)) return fail("neither payload nor dead letter, or both");
  const isRead = items.length > 0;
  if (file.startsWith("y_") && !isRead) return fail(`must be read, but: ${deadLetter?.detail}`);
  if (file.startsWith("n_") && isRead) return fail("must be refused, but was read");
  const isPlainText = bytes.equals(Buffer.from(bytes.toString("utf8")));
  if (isRead && isPlainText && items[0]?.json !== trimmed(bytes.toString("utf8")))
    return fail(`its text changed to ${items[0]?.json}`);
  return pass;
}

const trimmed = (text: string) => text.replace(/^[ \t\r\n]+/, "").replace(/[ \t\r\n]+$/, "");
