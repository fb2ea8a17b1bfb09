import { Command } from "commander";

import type { Settings } from "../config/settings.ts";
import { createEngine, mailStages, publishOn } from "../daemon/delivery.ts";
import type { ReplayResult } from "../daemon/replay.ts";
import { createReplayMemory, replayDeadLetter } from "../daemon/replay.ts";
import type { Storage } from "../daemon/storage.ts";
import { OperatorError } from "../model/operator-error.ts";
import type { StoredDeadLetter } from "../publish/dead-letters.ts";
import { findDeadLetter, readDeadLetters } from "../publish/dead-letters.ts";
import { Discards } from "../publish/discards.ts";
import { createLog } from "../telemetry/log.ts";
import { noteChange, wantsJson, withStorage } from "./context.ts";
import { print, printJson, printTable, styled } from "./print.ts";

type Found = { readonly sequence: number; readonly letter: StoredDeadLetter };

/** A mailbox provider waits for somebody to say yes. */
const FOR_A_PERSON = "forwarding-confirmation";

/** `posthorn dead`: list, show, replay, discard. */
export function deadCommand(): Command {
  const dead = new Command("dead").description("what became no event, and why");
  dead
    .command("list")
    .description("list dead letters, newest last; those that a person has to follow come first")
    .option("--reason <code>", "only these")
    .action(async ({ reason }: { reason?: string }, command: Command) => {
      const letters = await withStorage(async ({ jsm }) =>
        (await Array.fromAsync(readDeadLetters(jsm)))
          .map(({ letter }) => letter)
          .filter(({ reason: { code } }) => reason === undefined || code === reason),
      );
      const waiting = letters.filter(({ reason: { code } }) => code === FOR_A_PERSON);
      const sorted = [...waiting, ...letters.filter(({ reason: { code } }) => code !== FOR_A_PERSON)];
      if (wantsJson(command)) return printJson(sorted);
      for (const { id, reason: why } of waiting) print(`${styled("bold", id)} ${why.detail}`);
      printTable(
        sorted.map((letter) => ({
          id: letter.id,
          time: letter.time,
          reason: letter.reason.code,
          event: letter.eventName,
          from: letter.mail?.from?.address ?? "",
          subject: (letter.mail?.subject ?? "").slice(0, 40),
        })),
        ["id", "time", "reason", "event", "from", "subject"],
        "No dead letter. Everything that came became an event.",
      );
    });
  dead
    .command("show")
    .description("show one dead letter")
    .argument("<id>")
    .action(async (id: string, _options, command: Command) => {
      const letter = await withStorage(async ({ jsm }) => (await mustFind(jsm, id)).letter);
      if (wantsJson(command)) return printJson(letter);
      print(`${styled("bold", letter.reason.title)} (${letter.reason.code})`);
      print(`  ${letter.reason.detail}`);
      print(JSON.stringify(letter, null, 2));
    });
  dead
    .command("replay")
    .description("run dead letters through the same path again; those that become events are taken away")
    .argument("[id...]")
    .option("--all", "every one, or with --reason every one of that reason")
    .option("--reason <code>", "with --all")
    .addHelpText("after", "\nExample:\n  posthorn dead replay --all --reason nothing-extracted")
    .action(async (ids: string[], { all, reason }: { all?: boolean; reason?: string }, command: Command) => {
      if (ids.length === 0 && all !== true)
        throw new OperatorError("nothing to replay", "name ids, or --all", { exitCode: 2 });
      const results = await withStorage(async (storage, settings) =>
        replayAll(storage, settings, await chosen(storage, ids, reason), command),
      );
      const left = results.filter(({ result }) => result !== "published").length;
      if (wantsJson(command)) {
        // The results say it all: an error of its own would be a second JSON text.
        process.exitCode = left > 0 ? 1 : 0;
        return printJson(results);
      }
      if (left > 0)
        throw new OperatorError(
          `${left} of ${results.length} did not become events`,
          "see why with `posthorn dead show ID`, change the hook, and replay again",
        );
    });
  dead
    .command("discard")
    .description("permanently delete dead letters, with the raw mail and files they name")
    .argument("<id...>")
    .action(async (ids: string[], _options, command: Command) => {
      await withStorage(async (storage) => {
        const discards = new Discards(storage);
        for (const id of ids) {
          const found = await mustFind(storage.jsm, id);
          await discards.discard(found);
          await noteChange(storage, "dead-letter.discard", id, found.letter.reason.code);
        }
      });
      if (wantsJson(command)) printJson({ discarded: ids });
      else print(`Discarded ${ids.length}.`);
    });
  return dead;
}

async function chosen({ jsm }: Storage, ids: readonly string[], reason: string | undefined): Promise<Found[]> {
  if (ids.length > 0) return Promise.all(ids.map((id) => mustFind(jsm, id)));
  return (await Array.fromAsync(readDeadLetters(jsm))).filter(
    ({ letter }) => reason === undefined || letter.reason.code === reason,
  );
}

async function replayAll(
  storage: Storage,
  settings: Settings,
  letters: readonly Found[],
  command: Command,
): Promise<{ id: string; result: ReplayResult["kind"]; why?: string }[]> {
  const log = createLog("warn");
  await using engine = createEngine(settings, log);
  const stages = mailStages({
    storage,
    settings,
    publish: publishOn(storage, undefined),
    engine,
    log,
    env: process.env,
  });
  const results: { id: string; result: ReplayResult["kind"]; why?: string }[] = [];
  const memory = createReplayMemory(storage);
  for (const [index, found] of letters.entries()) {
    const result = await replayDeadLetter(storage, stages, found, memory);
    const why =
      result.kind === "not-possible"
        ? result.why
        : result.kind === "dead-again" && "reason" in result.outcome
          ? result.outcome.reason.code
          : undefined;
    await noteChange(storage, "dead-letter.replay", found.letter.id, why ?? result.kind);
    results.push({ id: found.letter.id, result: result.kind, ...(why !== undefined && { why }) });
    if (!wantsJson(command))
      print(`${index + 1}/${letters.length}  ${found.letter.id}  ${result.kind}${why === undefined ? "" : `: ${why}`}`);
  }
  return results;
}

async function mustFind(jsm: Storage["jsm"], id: string): Promise<Found> {
  const found = await findDeadLetter(jsm, id);
  if (found === undefined) throw new OperatorError(`no dead letter ${id}`, "see `posthorn dead list`");
  return found;
}
