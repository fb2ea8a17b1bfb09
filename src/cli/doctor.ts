import { Command } from "commander";

import { readSettings } from "../config/settings.ts";
import { createLog } from "../telemetry/log.ts";
import { wantsJson } from "./context.ts";
import { print, printJson, styled } from "./print.ts";

/** `posthorn doctor`: looks at everything a running Posthorn needs, and says what to do. Creates nothing. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("check server, streams, permissions, durability, TLS, DNS and settings; creates nothing")
    .action(async (_options, command: Command) => {
      const settings = readSettings(process.env);
      const { examine } = await import("../daemon/doctor.ts");
      const checks = await examine(settings, { env: process.env, log: createLog("warn") });
      if (wantsJson(command)) printJson(checks);
      else
        for (const { name, ok, warning, detail } of checks)
          print(
            `${ok ? (warning ? styled("yellow", "warn") : styled("green", "ok  ")) : styled("red", "FAIL")} ${name}: ${detail}`,
          );
      if (checks.some(({ ok }) => !ok)) process.exitCode = 1;
    });
}
