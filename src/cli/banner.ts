import type { Settings } from "../config/settings.ts";
import { addressesOf } from "../daemon/public-settings.ts";
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
  if (daemon.http.address !== undefined) print(`  http   ${daemon.http.address}`);
  const smtp = daemon.mail.doors.find(({ name }) => name === "smtp")?.address;
  for (const hook of daemon.storage.snapshot.hooks()) {
    const row = hookRow(hook, addressesOf(settings));
    print("");
    print(`${styled("bold", row.displayEventName)}  ${styled("dim", `${row.type}, ${row.eventName}`)}`);
    if (row.description !== "") print(`  ${row.description}`);
    print(`  ${row.address ?? row.url ?? ""}`);
    print(`  ${styled("cyan", lineToPaste(row, smtp))}`);
  }
  print("");
  print(`See events arrive:  ${styled("cyan", "npm run -s posthorn -- tail")}`);
  print("");
}

/** What reaches the hook through its real door, in one line for a shell. */
function lineToPaste(row: HookRow, smtp: string | undefined): string {
  if (row.type === "form") return `curl -sS -d email=you@example.org -d message=hello ${row.url}`;
  if (row.type === "web") {
    const key = `$(npm run -s posthorn -- keys create --app ${row.app} --json | sed -n 's/.*"key": "\\(.*\\)".*/\\1/p')`;
    return `curl -sS -H "Authorization: Bearer ${key}" -H 'Content-Type: application/json' -d '{"orderNumber":"1001"}' ${row.url}`;
  }
  if (smtp === undefined) return `npm run -s posthorn -- send ${row.eventName}`;
  // The Message-ID is of the moment: the same mail twice would be one event.
  const mail = `Message-ID: <%s@example.org>\\nContent-Type: application/ld+json\\n\\n{"@context":"https://schema.org","@type":"Order","price":19.90}\\n`;
  return `printf '${mail}' $(date +%s) | curl -sS --crlf smtp://${smtp} --mail-from you@example.org --mail-rcpt ${row.address} -T -`;
}
