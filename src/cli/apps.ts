import { Command } from "commander";

import { OperatorError } from "../model/operator-error.ts";
import { addressesOf } from "../daemon/public-settings.ts";
import { hookRow } from "../registry/hook-row.ts";
import { noteChange, wantsJson, withStorage } from "./context.ts";
import { withDefinitions } from "./definition-files.ts";
import { print, printJson, printTable, printWarnings, styled } from "./print.ts";

/** `posthorn apps`: install, list, show, uninstall. */
export function appsCommand(): Command {
  const apps = new Command("apps").description("install and manage apps");
  apps
    .command("install")
    .description("install app definitions, or upgrade to them; ids of hooks are kept")
    .argument("<file...>", "app definitions, JSON")
    .addHelpText("after", "\nExample:\n  posthorn apps install fixtures/apps/ecommstore.json")
    .action(async (files: string[], _options, command: Command) => {
      const reports = await withDefinitions(files, async (read, storage, settings) => {
        const done = [];
        for (const { definition, warnings } of read) {
          const report = await storage.registry.install(definition);
          const { app, version } = report.app;
          await noteChange(storage, "app.install", app, `version ${version}, ${report.hooks.length} hooks`);
          const rows = report.hooks.map((hook) => hookRow(hook, addressesOf(settings)));
          done.push({
            app: report.app.app,
            version: report.app.version,
            title: report.app.title,
            hooks: rows,
            warnings: [...warnings, ...report.warnings],
          });
        }
        return done;
      });
      printWarnings(reports.flatMap(({ warnings }) => warnings));
      if (wantsJson(command)) return printJson(reports);
      for (const { app, version, hooks } of reports) {
        print(`Installed ${styled("bold", app)} ${version} with ${hooks.length} hook${hooks.length === 1 ? "" : "s"}:`);
        for (const hook of hooks) print(`  ${hook.displayEventName}: ${hook.address ?? hook.url ?? ""}`);
      }
    });
  apps
    .command("list")
    .description("list installed apps")
    .action(async (_options, command: Command) => {
      const list = await withStorage(async ({ snapshot }) => snapshot.apps());
      if (wantsJson(command))
        return printJson(
          list.map(({ app, version, title, eventNames, installedAt }) => ({
            app,
            version,
            title,
            hooks: eventNames.length,
            installedAt,
          })),
        );
      printTable(
        list.map(({ app, version, title, eventNames }) => ({ app, version, title, hooks: String(eventNames.length) })),
        ["app", "version", "title", "hooks"],
        "No app is installed. Try `posthorn apps install FILE`.",
      );
    });
  apps
    .command("show")
    .description("show one app and its hooks")
    .argument("<app>")
    .action(async (name: string, _options, command: Command) => {
      const shown = await withStorage(async ({ snapshot }, settings) => {
        const app = snapshot.app(name);
        if (app === undefined) throw new OperatorError(`no app ${name} is installed`, "see `posthorn apps list`");
        const hooks = snapshot.hooks().filter((hook) => hook.app === name);
        return {
          ...app,
          hooks: hooks.map((hook) => hookRow(hook, addressesOf(settings))),
        };
      });
      if (wantsJson(command)) return printJson(shown);
      print(`${styled("bold", shown.title)} (${shown.app} ${shown.version}), installed ${shown.installedAt}`);
      for (const hook of shown.hooks)
        print(`  ${hook.eventName}  ${hook.type}  ${hook.state}  ${hook.address ?? hook.url ?? ""}`);
    });
  apps
    .command("uninstall")
    .description("take an app and its hooks away; stored events stay")
    .argument("<app>")
    .action(async (name: string, _options, command: Command) => {
      await withStorage(async (storage) => {
        await storage.registry.uninstall(name);
        await noteChange(storage, "app.uninstall", name);
      });
      if (wantsJson(command)) printJson({ app: name, uninstalled: true });
      else print(`Uninstalled ${name}.`);
    });
  return apps;
}
