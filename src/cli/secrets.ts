import { text } from "node:stream/consumers";

import { Command } from "commander";

import { OperatorError } from "../model/operator-error.ts";
import { readsKeptSecret } from "../registry/secret-rules.ts";
import { noteChange, wantsJson, withStorage } from "./context.ts";
import { print, printJson, printTable } from "./print.ts";

/** `posthorn secrets`: set, list, remove. */
export function secretsCommand(): Command {
  const secrets = new Command("secrets").description("signing secrets of hooks whose definition says kv");
  secrets
    .command("set")
    .description("set a hook's secret, read from stdin; it is kept encrypted under POSTHORN_SECRETS_KEY")
    .argument("<event>", "event name of the hook")
    .option("--next", "a second secret beside the first, during a rotation; `set` without it ends the rotation")
    .addHelpText(
      "after",
      '\nExamples:\n  posthorn secrets set kustomer.app.shop.parcel < secret.txt\n  printf %s "$SECRET" | posthorn secrets set kustomer.app.shop.parcel --next',
    )
    .action(async (event: string, { next }: { next?: boolean }, command: Command) => {
      if (process.stdin.isTTY) process.stderr.write("The secret, then Enter and Ctrl-D: ");
      // The line end that echo and editors add is no part of it.
      const secret = (await text(process.stdin)).replace(/\r?\n$/, "");
      await withStorage(async (storage) => {
        const { secrets: store, snapshot } = storage;
        const hook = snapshot.hookByEventName(event);
        if (hook === undefined) throw new OperatorError(`no hook publishes ${event}`, "see `posthorn hooks list`");
        if (!readsKeptSecret(hook.options))
          process.stderr.write(
            `Nothing of ${event} reads this secret yet: no "secret" or "key" of its x-posthorn is "kv".\n`,
          );
        await store.set(event, secret, { isNext: next === true, now: Date.now() });
        await noteChange(storage, "secret.set", event, next === true ? "next" : "current");
      });
      if (wantsJson(command)) printJson({ eventName: event, set: next === true ? "next" : "current" });
      else print(next === true ? `${event} now takes a second secret too.` : `${event} now takes this secret only.`);
    });
  secrets
    .command("list")
    .description("list which hooks have a secret, never the secret itself")
    .addHelpText("after", "\nExample:\n  posthorn secrets list --json")
    .action(async (_options, command: Command) => {
      const rows = await withStorage(async ({ secrets: store }) => store.list());
      if (wantsJson(command)) return printJson(rows);
      printTable(
        rows.map(({ eventName, setAt, nextSetAt }) => ({ event: eventName, set: setAt ?? "", next: nextSetAt ?? "" })),
        ["event", "set", "next"],
        "No secret yet. Try `posthorn secrets set EVENT`.",
      );
    });
  secrets
    .command("remove")
    .description("take a hook's secrets away; its requests hear 503 until it has one again")
    .argument("<event>", "event name of the hook")
    .addHelpText("after", "\nExample:\n  posthorn secrets remove kustomer.app.shop.parcel")
    .action(async (event: string, _options, command: Command) => {
      await withStorage(async (storage) => {
        await storage.secrets.remove(event);
        await noteChange(storage, "secret.remove", event);
      });
      if (wantsJson(command)) printJson({ eventName: event, removed: true });
      else print(`Removed the secrets of ${event}.`);
    });
  return secrets;
}
