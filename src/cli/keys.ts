import { Command } from "commander";

import { parseDuration } from "../config/units.ts";
import { OperatorError } from "../model/operator-error.ts";
import { noteChange, wantsJson, withStorage } from "./context.ts";
import { print, printJson, printTable, styled } from "./print.ts";

/** `posthorn keys`: create, list, revoke. */
export function keysCommand(): Command {
  const keys = new Command("keys").description("API keys of web hooks");
  keys
    .command("create")
    .description("make a key; it is shown once")
    .requiredOption("--app <app>", "the app it belongs to")
    .option("--hook <event>", "opens only this hook")
    .option("--expires <duration>", "stops working after, such as 90d")
    .addHelpText("after", "\nExample:\n  posthorn keys create --app ecommstore --expires 90d")
    .action(async ({ app, hook, expires }: { app: string; hook?: string; expires?: string }, command: Command) => {
      const lifetime = expires === undefined ? undefined : parseDuration(expires);
      if (expires !== undefined && lifetime === undefined)
        throw new OperatorError(`--expires ${expires} is no duration`, "write 24h or 90d, say", { exitCode: 2 });
      const made = await withStorage(async (storage) => {
        if (storage.snapshot.app(app) === undefined)
          throw new OperatorError(`no app ${app} is installed`, "see `posthorn apps list`");
        if (hook !== undefined && storage.snapshot.hookByEventName(hook)?.app !== app)
          throw new OperatorError(`the app ${app} has no hook ${hook}`, "see `posthorn hooks list`");
        const now = Date.now();
        const key = await storage.keys.create(
          {
            app,
            expires: lifetime === undefined ? null : new Date(now + lifetime),
            ...(hook !== undefined && { eventNames: [hook] }),
          },
          now,
        );
        await noteChange(storage, "key.create", key.keyId, `app ${app}${hook === undefined ? "" : `, ${hook}`}`);
        return key;
      });
      if (wantsJson(command)) return printJson(made);
      print(styled("bold", made.key));
      print(
        `Keep it now, it is not shown again. App ${made.app}${made.expires === null ? "" : `, until ${made.expires}`}.`,
      );
    });
  keys
    .command("list")
    .description("list keys, without their secrets")
    .action(async (_options, command: Command) => {
      const list = await withStorage(async (storage) => storage.keys.list());
      const rows = list.map(({ keyId, app, eventNames, createdAt, expires, lastUsed }) => ({
        keyId,
        app,
        eventNames: eventNames ?? null,
        createdAt,
        expires,
        lastUsed,
      }));
      if (wantsJson(command)) return printJson(rows);
      printTable(
        rows.map((row) => ({
          key: row.keyId,
          app: row.app,
          hooks: row.eventNames?.join(" ") ?? "all",
          created: row.createdAt,
          expires: row.expires ?? "never",
          used: row.lastUsed ?? "never",
        })),
        ["key", "app", "hooks", "created", "expires", "used"],
        "No key yet. Try `posthorn keys create --app APP`.",
      );
    });
  keys
    .command("revoke")
    .description("stop a key from opening anything, everywhere within a second")
    .argument("<keyid>")
    .action(async (keyId: string, _options, command: Command) => {
      await withStorage(async (storage) => {
        await storage.keys.revoke(keyId);
        await noteChange(storage, "key.revoke", keyId);
      });
      if (wantsJson(command)) printJson({ keyId, revoked: true });
      else print(`Revoked ${keyId}.`);
    });
  return keys;
}
