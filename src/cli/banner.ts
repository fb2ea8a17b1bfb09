import type { Settings } from "../config/settings.ts";
import type { Daemon } from "../daemon/start.ts";
import type { HookRow } from "../registry/hook-row.ts";
import { hookRow } from "../registry/hook-row.ts";
import { print, styled } from "./print.ts";

/** Each hook with its address or URL and a line to paste, and where the doors are. */
export function printBanner(daemon: Daemon, settings: Settings): void {
  print("");
  print(styled("bold", "Posthorn is ready."));
  for (const { name, address } of daemon.mail.doors) print(`  ${name.padEnd(6)} ${address}`);
  const { address: admin, tokenFile } = daemon.admin;
  if (admin !== undefined)
    print(`  admin  http://${admin}/${tokenFile === undefined ? "" : `   the token is in ${tokenFile}`}`);
  for (const hook of daemon.storage.snapshot.hooks()) {
    const row = hookRow(hook, { mailDomains: settings.mailDomain, publicUrl: settings.publicUrl });
    print("");
    print(`${styled("bold", row.displayEventName)}  ${styled("dim", `${row.type}, ${row.eventName}`)}`);
    if (row.description !== "") print(`  ${row.description}`);
    print(`  ${row.address ?? row.url ?? ""}`);
    print(`  ${styled("cyan", lineToPaste(row))}`);
  }
  print("");
  print(`See events arrive:  ${styled("cyan", "npm run -s posthorn -- tail")}`);
  print("");
}

function lineToPaste(row: HookRow): string {
  if (row.type === "email") return `npm run -s posthorn -- send ${row.eventName}`;
  if (row.type === "form") return `curl -d email=you@example.org -d message=hello ${row.url}`;
  return `npm run -s posthorn -- send ${row.eventName}   # or: curl -H "Authorization: Bearer $(npm run -s posthorn -- keys create --app ${row.app} --json | sed -n 's/.*"key": "\\(.*\\)".*/\\1/p')" -H 'Content-Type: application/json' -d '{"hello":"world"}' ${row.url}`;
}
