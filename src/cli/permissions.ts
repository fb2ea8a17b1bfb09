import { Command, Option } from "commander";

import { readSettings } from "../config/settings.ts";
import { OperatorError } from "../model/operator-error.ts";
import type { PermissionRole } from "../nats/needed-permissions.ts";
import { PERMISSION_ROLES } from "../nats/needed-permissions.ts";
import { permissionsConfig, permissionsJson } from "../nats/permissions-config.ts";
import { wantsJson } from "./context.ts";
import { print, printJson } from "./print.ts";

/** What may stand in a subject of a permission: tokens of event names, and wildcards for whole tokens. */
const SUBJECT = /^(?:[A-Za-z0-9_-]+|\*)(?:\.(?:[A-Za-z0-9_-]+|\*))*(?:\.>)?$|^>$/;

/** `posthorn permissions`: what the NATS user of the daemon, of commands or of a subscriber has to be allowed. Asks nobody. */
export function permissionsCommand(): Command {
  return new Command("permissions")
    .description("print the NATS permissions that are needed, as server configuration to paste")
    .addOption(new Option("--for <whom>", "whose NATS user it is").choices(PERMISSION_ROLES).default("daemon"))
    .option(
      "--subjects <subjects>",
      "joined by commas: event names outside kustomer.app.>; for a subscriber, the only events that it may read",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  posthorn permissions\n  posthorn permissions --for subscriber --subjects 'kustomer.app.shop.>'",
    )
    .action((options: { for: PermissionRole; subjects?: string }, command: Command) => {
      const wish = {
        subjects: subjectsIn(options.subjects ?? ""),
        domain: readSettings(process.env).natsDomain.value,
      };
      if (wantsJson(command)) return printJson(permissionsJson(options.for, wish));
      print(`# NATS permissions of ${WHOM[options.for]}: paste into its user in the configuration of nats-server.`);
      print(permissionsConfig(options.for, wish));
    });
}

const WHOM: Readonly<Record<PermissionRole, string>> = {
  daemon: "the Posthorn daemon",
  cli: "Posthorn's commands",
  subscriber: "a subscriber to Posthorn's events",
};

/** Throws `OperatorError`, exit code 2, for what is no subject: it would end up in the server's configuration. */
function subjectsIn(text: string): string[] {
  const subjects = text.split(/[,\s]+/).filter((subject) => subject !== "");
  const wrong = subjects.find((subject) => !SUBJECT.test(subject));
  if (wrong === undefined) return subjects;
  throw new OperatorError(
    `${JSON.stringify(wrong)} is no subject of events`,
    "write event names, with * for one token or > for the rest, joined by commas",
    { exitCode: 2 },
  );
}
