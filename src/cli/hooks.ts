import { Command, Option } from "commander";

import type { Settings } from "../config/settings.ts";
import type { Hook, HookState, HookType } from "../model/hook.ts";
import { OperatorError } from "../model/operator-error.ts";
import type { HookRow } from "../registry/hook-row.ts";
import { eventNameWarnings } from "../registry/app-definition.ts";
import { hookRow } from "../registry/hook-row.ts";
import { noteChange, wantsJson, withStorage } from "./context.ts";
import { formSnippet } from "../admin/form-snippet.ts";
import { print, printJson, printTable, printWarnings, styled } from "./print.ts";

/** `posthorn hooks`: list, create, alias, show, rotate, enable, disable, pause. */
export function hooksCommand(): Command {
  const hooks = new Command("hooks").description("see and manage hooks");
  hooks
    .command("list")
    .description("list hooks with their address or URL")
    .option("--app <app>", "only this app's")
    .action(async ({ app }: { app?: string }, command: Command) => {
      const rows = await withStorage(async ({ snapshot }, settings) =>
        snapshot
          .hooks()
          .filter((hook) => app === undefined || hook.app === app)
          .map((hook) => rowOf(hook, settings)),
      );
      if (wantsJson(command)) return printJson(rows);
      printTable(
        rows.map((row) => ({
          name: row.displayEventName,
          type: row.type,
          state: row.state,
          event: row.eventName,
          "address or url": row.address ?? row.url ?? "",
        })),
        ["name", "type", "state", "event", "address or url"],
        "No hook yet. Try `posthorn apps install FILE` or `posthorn hooks create --type email --name Orders`.",
      );
    });
  hooks
    .command("create")
    .description("make a hook without an app definition")
    .addOption(new Option("--type <type>", "what it takes").choices(["email", "form", "web"]).makeOptionMandatory())
    .requiredOption("--name <name>", "its name for administrators")
    .option("--event <event>", "its event name; default kustomer.app.adhoc.<name>")
    .addHelpText("after", '\nExample:\n  posthorn hooks create --type email --name "Orders by mail"')
    .action(async ({ type, name, event }: { type: HookType; name: string; event?: string }, command: Command) => {
      const row = await changed(["hook.create", type], ({ registry }) =>
        registry.createHook({ type, name, ...(event !== undefined && { eventName: event }) }),
      );
      const warnings = eventNameWarnings(row.app, row.eventName);
      printWarnings(warnings);
      if (wantsJson(command)) printJson({ ...row, warnings });
      else printRow(row);
    });
  hooks
    .command("alias")
    .description("give an email hook a second address in one of our domains")
    .argument("<event>")
    .argument("<address>")
    .option("--remove", "take the address away")
    .addHelpText("after", "\nExample:\n  posthorn hooks alias kustomer.app.shop.order orders@shop.example")
    .action(async (event: string, address: string, { remove }: { remove?: boolean }, command: Command) => {
      const detail = `${remove === true ? "remove" : "add"} ${address}`;
      await change(command, ["hook.alias", detail], ({ registry }, settings) =>
        remove === true ? registry.removeAlias(event, address) : registry.addAlias(event, address, settings.mailDomain),
      );
    });
  hooks
    .command("show")
    .description("show one hook")
    .argument("<event>")
    .option("--html", "a form to paste into a page, for form hooks")
    .action(async (event: string, { html }: { html?: boolean }, command: Command) => {
      const { row, hook } = await withStorage(async ({ snapshot }, settings) => {
        const found = snapshot.hookByEventName(event);
        if (found === undefined) throw new OperatorError(`no hook publishes ${event}`, "see `posthorn hooks list`");
        return { row: rowOf(found, settings), hook: found };
      });
      if (html === true) {
        if (row.type !== "form" || row.url === undefined)
          throw new OperatorError(`${event} is a ${row.type} hook`, "only form hooks have a form");
        return print(formSnippet(row.url, hook.options.honeypot));
      }
      if (wantsJson(command)) printJson({ ...row, "x-posthorn": hook.options });
      else printRow(row);
    });
  hooks
    .command("rotate")
    .description("give a hook a new id; the old address or URL stops working at once")
    .argument("<event>")
    .action(async (event: string, _options, command: Command) =>
      change(command, ["hook.rotate"], ({ registry }) => registry.rotate(event)),
    );
  const states: readonly [verb: string, state: HookState, description: string][] = [
    ["enable", "enabled", "take mail and requests again"],
    ["disable", "disabled", "refuse for good: 550 and 410"],
    ["pause", "paused", "let senders wait: 450 and 503"],
  ];
  for (const [verb, state, description] of states) {
    hooks
      .command(verb)
      .description(description)
      .argument("<event>")
      .action(async (event: string, _options, command: Command) =>
        change(command, ["hook.state", state], ({ registry }) => registry.setState(event, state)),
      );
  }
  return hooks;
}

type Change = readonly [action: string, detail?: string];
type Work = (storage: Parameters<Parameters<typeof withStorage>[0]>[0], settings: Settings) => Promise<Hook>;

async function change(command: Command, what: Change, work: Work): Promise<void> {
  const row = await changed(what, work);
  if (wantsJson(command)) printJson(row);
  else printRow(row);
}

function changed([action, detail]: Change, work: Work): Promise<HookRow> {
  return withStorage(async (storage, settings) => {
    const hook = await work(storage, settings);
    await noteChange(storage, action, hook.eventName, detail);
    return rowOf(hook, settings);
  });
}

const rowOf = (hook: Hook, { mailDomain, publicUrl }: Settings): HookRow =>
  hookRow(hook, { mailDomains: mailDomain, publicUrl });

function printRow(row: HookRow): void {
  print(`${styled("bold", row.displayEventName)} (${row.type}, ${row.state})`);
  if (row.description !== "") print(`  ${row.description}`);
  print(`  event    ${row.eventName}`);
  print(`  app      ${row.app}`);
  print(`  ${row.address === undefined ? "url     " : "address "} ${row.address ?? row.url ?? ""}`);
  for (const alias of row.aliases) print(`  alias    ${alias}`);
}
