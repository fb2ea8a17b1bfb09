import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { posthornExtract } from "../../support/posthorn-extract.ts";
import type { ConformanceSuite } from "../suite.ts";
import { filesBelow } from "../suite.ts";
import { endsWell } from "../ends-well.ts";

/** Every mail of every source: it ends in items or in a dead letter with a reason, inside the parse timeout. */
export const suite: ConformanceSuite = {
  name: "mail, no crash",
  folder: "mail",
  argued: {},
  async *cases(folder) {
    for (const file of await filesBelow(folder)) {
      // Beside some mails stands the parse that their source expects.
      if (file.endsWith(".json")) continue;
      yield {
        name: file,
        run: async () => endsWell(await readFile(join(folder, file)), (bytes) => posthornExtract(bytes, "mail.eml")),
      };
    }
  },
};
