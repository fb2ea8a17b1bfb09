import { Command, Option } from "commander";

import type { Settings } from "../config/settings.ts";
import { missingAtDaemon } from "../daemon/hook-secrets.ts";
import { addressesOf } from "../daemon/public-settings.ts";
import type { Hook, HookState, HookType } from "../model/hook.ts";
import { OperatorError } from "../model/operator-error.ts";
import type { HookRow } from "../registry/hook-row.ts";
import { eventNameWarnings } from "../registry/app-definition.ts";
import type { MissingSecret } from "../registry/missing-secrets.ts";
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
      const rows = await withStorage(async (storage, settings) => {
        const missing = missingAtDaemon(storage, process.env);
        return storage.snapshot
          .hooks()
          .filter((hook) => app === undefined || hook.app === app)
          .map((hook) => withProblems(rowOf(hook, settings), missing));
      });
      if (wantsJson(command)) return printJson(rows);
      printTable(
        rows.map((row) => ({
          name: row.displayEventName,
          type: row.type,
          state: row.state,
          event: row.eventName,
          "address or url": addressInWords(row),
        })),
        ["name", "type", "state", "event", "address or url"],
        "No hook yet. Try `posthorn apps install FILE` or `posthorn hooks create --type email --name Orders`.",
      );
      if (rows.some(({ addressIsDefault }) => addressIsDefault === true)) print(styled("dim", DEFAULT_IN_WORDS));
      for (const { eventName, problems = [] } of rows)
        for (const problem of problems) print(`${styled("yellow", "warning:")} ${eventName}: ${problem}`);
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
      const { row, hook } = await withStorage(async (storage, settings) => {
        const found = storage.snapshot.hookByEventName(event);
        if (found === undefined) throw new OperatorError(`no hook publishes ${event}`, "see `posthorn hooks list`");
        const missing = missingAtDaemon(storage, process.env);
        return { row: withProblems(rowOf(found, settings), missing), hook: found };
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

const rowOf = (hook: Hook, settings: Settings): HookRow => hookRow(hook, addressesOf(settings));

/** A row, with what keeps the hook from being used; senders are told to try again until that is mended. */
type RowWithProblems = HookRow & { readonly problems?: readonly string[] };

function withProblems(row: HookRow, missing: readonly MissingSecret[]): RowWithProblems {
  const problems = missing.filter(({ eventName }) => eventName === row.eventName).map(({ problem }) => problem);
  return problems.length === 0 ? row : { ...row, problems };
}

const DEFAULT_IN_WORDS =
  "(default): nothing arrives there from other machines. Set POSTHORN_MAIL_DOMAIN and POSTHORN_PUBLIC_URL where the daemon runs.";

function addressInWords({ address, url, addressIsDefault }: HookRow): string {
  return `${address ?? url ?? ""}${addressIsDefault === true ? " (default)" : ""}`;
}

function printRow(row: RowWithProblems): void {
  print(`${styled("bold", row.displayEventName)} (${row.type}, ${row.state})`);
  if (row.description !== "") print(`  ${row.description}`);
  print(`  event    ${row.eventName}`);
  print(`  app      ${row.app}`);
  print(`  ${row.address === undefined ? "url     " : "address "} ${addressInWords(row)}`);
  for (const alias of row.aliases) print(`  alias    ${alias}`);
  for (const problem of row.problems ?? []) print(`  ${styled("yellow", "warning")}  ${problem}`);
}
