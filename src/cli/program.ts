import { createRequire } from "node:module";
import { extname } from "node:path";

import { Command } from "commander";

import type * as Serve from "./serve.ts";

const require = createRequire(import.meta.url);

/** Each command with the file that makes it. A file is loaded when its command is asked for: most need few of the rooms. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  // Most of all modules: in one go they are loaded in three quarters of the time that `import` takes (Node 24.21). `tsc`
  // rewrites imports but not strings.
  ["serve", async () => (require(`./serve${extname(import.meta.url)}`) as typeof Serve).serveCommand()],
  ["apps", async () => (await import("./apps.ts")).appsCommand()],
  ["hooks", async () => (await import("./hooks.ts")).hooksCommand()],
  ["keys", async () => (await import("./keys.ts")).keysCommand()],
  ["extract", async () => (await import("./extract.ts")).extractCommand()],
  ["send", async () => (await import("./send.ts")).sendCommand()],
  ["tail", async () => (await import("./tail.ts")).tailCommand()],
  ["dead", async () => (await import("./dead.ts")).deadCommand()],
  ["refused", async () => (await import("./refused.ts")).refusedCommand()],
  ["secrets", async () => (await import("./secrets.ts")).secretsCommand()],
  ["doctor", async () => (await import("./doctor.ts")).doctorCommand()],
  ["permissions", async () => (await import("./permissions.ts")).permissionsCommand()],
  ["asyncapi", async () => (await import("./asyncapi.ts")).asyncApiCommand()],
  ["schema", async () => (await import("./schema.ts")).schemaCommand()],
  ["types", async () => (await import("./types.ts")).typesCommand()],
]);

/**
 * The `posthorn` command (contract §8) with the sub-command that `args` ask for, or with all of them when none is named.
 * Wrong usage is one line on stderr and exit code 2.
 */
export async function createProgram(args: readonly string[]): Promise<Command> {
  const { version } = require("../../package.json") as { version: string };
  const program = new Command("posthorn")
    .description("Mail, forms and webhooks become events on NATS; an answer of 250 or 2xx means stored.")
    .version(version)
    .option("--json", "machine-readable output on stdout")
    .addHelpText(
      "after",
      "\nExamples:\n  posthorn serve --local-nats --apps fixtures/apps\n  posthorn hooks list\n  posthorn tail",
    );
  const named = args.find((argument) => !argument.startsWith("-")) ?? "";
  const createNamed = COMMANDS.get(named);
  for (const createCommand of createNamed === undefined ? COMMANDS.values() : [createNamed])
    program.addCommand(await createCommand());
  inherit(program, "posthorn");
  return program;
}

/** `--json`, exit code 2 and the shape of complaints hold for every sub-command. */
function inherit(command: Command, path: string): void {
  command.exitOverride().configureOutput({
    outputError: (complaint, write) => {
      const what = complaint
        .replace(/^error: /, "")
        .trim()
        .replace(/\.$/, "")
        .replaceAll("\n", " ");
      write(`posthorn: ${what}. See \`${path} --help\`.\n`);
    },
  });
  const ends = command.commands.length === 0;
  if (ends && command.options.every(({ long }) => long !== "--json"))
    command.option("--json", "machine-readable output on stdout");
  for (const child of command.commands) inherit(child, `${path} ${child.name()}`);
}
