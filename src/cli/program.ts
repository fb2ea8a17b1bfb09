import { createRequire } from "node:module";

import { Command } from "commander";

import { appsCommand } from "./apps.ts";
import { asyncApiCommand } from "./asyncapi.ts";
import { deadCommand } from "./dead.ts";
import { doctorCommand } from "./doctor.ts";
import { extractCommand } from "./extract.ts";
import { hooksCommand } from "./hooks.ts";
import { keysCommand } from "./keys.ts";
import { schemaCommand } from "./schema.ts";
import { refusedCommand } from "./refused.ts";
import { sendCommand } from "./send.ts";
import { serveCommand } from "./serve.ts";
import { tailCommand } from "./tail.ts";
import { typesCommand } from "./types.ts";

const COMMANDS = [
  serveCommand,
  appsCommand,
  hooksCommand,
  keysCommand,
  extractCommand,
  sendCommand,
  tailCommand,
  deadCommand,
  refusedCommand,
  doctorCommand,
  asyncApiCommand,
  schemaCommand,
  typesCommand,
];

/** The `posthorn` command with all of its sub-commands (contract §8). Wrong usage is one line on stderr and exit code 2. */
export function createProgram(): Command {
  const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };
  const program = new Command("posthorn")
    .description("Mail, forms and webhooks become events on NATS; an answer of 250 or 2xx means stored.")
    .version(version)
    .option("--json", "machine-readable output on stdout")
    .addHelpText(
      "after",
      "\nExamples:\n  posthorn serve --local-nats --apps fixtures/apps\n  posthorn hooks list\n  posthorn tail",
    );
  for (const createCommand of COMMANDS) program.addCommand(createCommand());
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
