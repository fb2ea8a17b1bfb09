import { Command } from "commander";

import { parseDuration } from "../config/units.ts";
import { OperatorError } from "../model/operator-error.ts";
import type { RefusedEntry } from "../publish/refused-calls.ts";
import { isSum, readRefusedCalls } from "../publish/refused-calls.ts";
import { wantsJson, withStorage } from "./context.ts";
import { print, printJson, printTable, styled } from "./print.ts";

/** `posthorn refused`: every 4xx and 5xx that was given over SMTP, LMTP or HTTP in the last 24 hours. */
export function refusedCommand(): Command {
  const refused = new Command("refused").description("calls that were refused: who, which hook, which answer");
  refused
    .command("list")
    .description("list them, newest last")
    .option("--since <duration>", "those of the last 10m, 1h …", "24h")
    .option("--door <door>", "only smtp, lmtp or http")
    .addHelpText("after", "\nExamples:\n  posthorn refused list --since 1h\n  posthorn refused list --door http --json")
    .action(async ({ since, door }: { since: string; door?: string }, command: Command) => {
      const options = { since: startOf(since), follow: false };
      const entries = await withStorage(async ({ js }) =>
        (await Array.fromAsync(readRefusedCalls(js, options))).filter(
          (entry) => door === undefined || entry.door === door,
        ),
      );
      if (wantsJson(command)) return printJson(entries);
      printTable(entries.map(rowOf), ["time", "door", "from", "answer", "hook", "reason"], "Nothing was refused.");
    });
  refused
    .command("tail")
    .description("follow them as they are given; Ctrl-C ends it")
    .option("--since <duration>", "begin with those of the last 10m, 1h …", "0s")
    .option("--count <n>", "end after so many")
    .addHelpText("after", "\nExample:\n  posthorn refused tail --since 10m")
    .action(async ({ since, count }: { since: string; count?: string }, command: Command) => {
      const options = { since: startOf(since), follow: true };
      const asJson = wantsJson(command);
      await withStorage(async ({ js }) => {
        let left = count === undefined ? Number.POSITIVE_INFINITY : Number(count);
        if (!asJson && process.stdout.isTTY) print(styled("dim", "Waiting for refused calls …"));
        for await (const entry of readRefusedCalls(js, options)) {
          print(asJson ? JSON.stringify(entry) : lineOf(entry));
          left -= 1;
          if (left <= 0) break;
        }
      });
    });
  return refused;
}

function startOf(since: string): Date {
  const sinceMs = parseDuration(since);
  if (sinceMs === undefined)
    throw new OperatorError(`--since ${since} is no duration`, "write 10m or 1h, say", { exitCode: 2 });
  return new Date(Date.now() - sinceMs);
}

function rowOf(entry: RefusedEntry): Record<string, string> {
  const { time, door, remoteAddress } = entry;
  if (isSum(entry)) {
    const answers = Object.entries(entry.answers).map(([answer, times]) => `${answer} ×${times}`);
    return { time, door, from: remoteAddress, answer: `${entry.count} more`, hook: "", reason: answers.join(", ") };
  }
  const { sender, recipient, answer, hook, reason } = entry;
  const from = sender === null || sender === "" ? remoteAddress : `${remoteAddress} <${sender}>`;
  return { time, door, from, answer, hook: hook ?? recipient ?? "", reason };
}

function lineOf(entry: RefusedEntry): string {
  const { time = "", door, from, answer = "", hook, reason } = rowOf(entry);
  return `${styled("dim", time)} ${door} ${styled("yellow", answer)} ${from} ${hook === "" ? "" : `${hook} `}${reason}`;
}
