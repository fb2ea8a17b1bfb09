import { Command } from "commander";

import { parseDuration } from "../config/units.ts";
import { readNode } from "../extract/json-node.ts";
import { onOneLine } from "../lib/json-on-one-line.ts";
import { OperatorError } from "../model/operator-error.ts";
import { followEvents } from "../publish/follow-events.ts";
import { wantsJson, withStorage } from "./context.ts";
import { print, styled } from "./print.ts";

/** `posthorn tail`: events as they arrive. */
export function tailCommand(): Command {
  return new Command("tail")
    .description("follow events as they arrive; Ctrl-C ends it")
    .argument("[pattern]", "NATS subject with * and >; default every event")
    .option("--since <duration>", "begin with those of the last 10m, 1h …")
    .option("--count <n>", "end after so many events")
    .addHelpText(
      "after",
      "\nExamples:\n  posthorn tail\n  posthorn tail 'kustomer.app.ecommstore.>' --json\n  posthorn tail --since 1h --count 3",
    )
    .action(
      async (pattern: string | undefined, { since, count }: { since?: string; count?: string }, command: Command) => {
        const sinceMs = since === undefined ? undefined : parseDuration(since);
        if (since !== undefined && sinceMs === undefined)
          throw new OperatorError(`--since ${since} is no duration`, "write 10m or 1h, say", { exitCode: 2 });
        const asJson = wantsJson(command);
        await withStorage(async ({ js }) => {
          if (!asJson && process.stdout.isTTY)
            print(styled("dim", `Waiting for events${pattern === undefined ? "" : ` on ${pattern}`} …`));
          let left = count === undefined ? Number.POSITIVE_INFINITY : Number(count);
          const options = {
            ...(pattern !== undefined && { pattern }),
            ...(sinceMs !== undefined && { since: new Date(Date.now() - sinceMs) }),
          };
          for await (const { subject, text } of await followEvents(js, options)) {
            print(asJson ? onOneLine(text) : lineOf(subject, text));
            left -= 1;
            if (left <= 0) break;
          }
        });
      },
    );
}

const PAYLOAD = '"data":{"payload":';
const SHOWN_CHARACTERS = 160;
const MAX_DEPTH = 1_000;

function lineOf(subject: string, text: string): string {
  const event = JSON.parse(text) as { time: string; id: string; hooktype: string; dataref?: string };
  const shown = payloadOf(text) ?? event.dataref ?? "";
  const short = shown.length > SHOWN_CHARACTERS ? `${shown.slice(0, SHOWN_CHARACTERS)}…` : shown;
  return `${styled("dim", event.time)} ${styled("cyan", subject)} ${event.hooktype} ${event.id} ${short}`;
}

/** On one line, cut from the text itself: a payload that was parsed would show other digits than were sent. */
function payloadOf(text: string): string | undefined {
  const at = text.indexOf(PAYLOAD);
  const reading = at < 0 ? undefined : readNode(text, MAX_DEPTH, at + PAYLOAD.length);
  return reading?.kind === "node" ? text.slice(at + PAYLOAD.length, reading.end).replaceAll(/\s+/g, " ") : undefined;
}
