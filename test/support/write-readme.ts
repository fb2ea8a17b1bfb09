import { readFile, writeFile } from "node:fs/promises";

import { withTables } from "./readme-tables.ts";

// `npm run readme`: writes the tables that are made of tables in code into the README.

const README = new URL("../../README.md", import.meta.url);
await writeFile(README, withTables(await readFile(README, "utf8")));
