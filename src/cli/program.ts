import { createRequire } from "node:module";

import { Command } from "commander";

import { appsCommand } from "./apps.ts";
import { deadCommand } from "./dead.ts";
import { doctorCommand } from "./doctor.ts";
import { extractCommand } from "./extract.ts";
import { hooksCommand } from "./hooks.ts";
import { keysCommand } from "./keys.ts";
import { sendCommand } from "./send.ts";
import { serveCommand } from "./serve.ts";
import { tailCommand } from "./tail.ts";

/** The `posthorn` command with all of its sub-commands. */
export function createProgram(): Command {
  const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };
  const program = new Command("posthorn")
    .description("Mail, forms and webhooks become events on NATS; an answer of 250 or 2xx means stored.")
    .version(version)
    .option("--json", "machine-readable output on stdout")
    .showHelpAfterError("(see --help)")
    .addHelpText("after", "\nExamples:\n  posthorn serve --local-nats --apps fixtures/apps\n  posthorn hooks list\n  posthorn tail");
  for (const command of [serveCommand(), appsCommand(), hooksCommand(), keysCommand(), extractCommand(), sendCommand(), tailCommand(), deadCommand(), doctorCommand()]) program.addCommand(command);
  inherit(program);
  return program;
}

/** `--json` and exit code 2 for wrong usage hold for every sub-command. */
function inherit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) {
    if (child.options.every(({ long }) => long !== "--json") && child.commands.length === 0) child.option("--json", "machine-readable output on stdout");
    inherit(child);
  }
}
