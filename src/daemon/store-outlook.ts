import { within } from "../lib/within.ts";
import { STREAMS } from "../nats/stream-names.ts";
import { streamFacts } from "../nats/stream-facts.ts";
import { OBJECT_BUCKET } from "../publish/objects.ts";
import { daysLeftOf } from "./health-stream.ts";
import type { Storage } from "./storage.ts";

const WATCHED: readonly string[] = [STREAMS.events, STREAMS.deadLetters, `OBJ_${OBJECT_BUCKET}`];
const PATIENCE_MS = 1_000;
const FRESH_MS = 30_000;

/**
 * Days until each stream is full at the rate of the last hour; Infinity where age ends it first, or nothing comes. Half a
 * minute old at most; what NATS does not say within a second is left out.
 */
export function daysUntilFull(storage: Storage): () => Promise<Readonly<Record<string, number>>> {
  let looked: { readonly at: number; readonly days: Readonly<Record<string, number>> } | undefined;
  return async () => {
    if (looked !== undefined && performance.now() - looked.at < FRESH_MS) return looked.days;
    const days = await within(lookAt(storage), PATIENCE_MS);
    if (days === undefined) return {};
    looked = { at: performance.now(), days };
    return days;
  };
}

async function lookAt({ jsm, nats }: Storage): Promise<Readonly<Record<string, number>>> {
  const found = await Promise.all(
    WATCHED.map(async (stream): Promise<[string, number][]> => {
      try {
        const facts = await streamFacts(jsm, nats.connection, await jsm.streams.info(stream));
        const { limitBytes, lastHour } = facts;
        return limitBytes === undefined || lastHour === undefined ? [] : [[stream, daysLeftOf(facts, limitBytes)]];
      } catch {
        // Away, gone or not ours to see: /readyz and doctor say so, and here it is not known.
        return [];
      }
    }),
  );
  return Object.fromEntries(found.flat());
}
