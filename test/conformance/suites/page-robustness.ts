import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { posthornExtract } from "../../support/posthorn-extract.ts";
import { endsWell } from "../ends-well.ts";
import type { ConformanceSuite } from "../suite.ts";
import { filesBelow } from "../suite.ts";

/** Every page of every source: it ends in items or in a dead letter with a reason, inside the parse timeout. */
export const suite: ConformanceSuite = {
  name: "pages, no crash",
  folder: "pages",
  argued: {},
  async *cases(folder) {
    for (const file of await filesBelow(folder)) {
      if (!/\.(?:html?|xhtml|txt)$/.test(file)) continue;
      yield {
        name: file,
        run: async () => endsWell(await readFile(join(folder, file)), (bytes) => posthornExtract(bytes, "page.html")),
      };
    }
  },
};
