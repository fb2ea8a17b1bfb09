import { Command } from "commander";

import { checkMailDoor } from "../daemon/health-mail.ts";
import { checkHealth } from "../daemon/health.ts";
import { wantsJson, withStorage } from "./context.ts";
import { print, printJson, styled } from "./print.ts";

/** `posthorn doctor`: looks at everything a running Posthorn needs, and says what to do. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("check server, streams, permissions, durability, TLS and DNS")
    .action(async (_options, command: Command) => {
      const checks = await withStorage(async (storage, settings) => [
        ...(await checkHealth(storage, settings)),
        ...(await checkMailDoor(settings, Date.now())),
      ]);
      if (wantsJson(command)) printJson(checks);
      else
        for (const { name, ok, warning, detail } of checks)
          print(
            `${ok ? (warning ? styled("yellow", "warn") : styled("green", "ok  ")) : styled("red", "FAIL")} ${name}: ${detail}`,
          );
      if (checks.some(({ ok }) => !ok)) process.exitCode = 1;
    });
}
