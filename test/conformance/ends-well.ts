import type { ExtractResult } from "../../src/library.ts";
import type { Verdict } from "./suite.ts";
import { fail, pass } from "./suite.ts";

/** The parse timeout of contract §9. */
const PARSE_TIMEOUT_MS = 10_000;

/** Whether an input ends as every input must: with a payload or a reason, each item valid JSON, in the time there is. */
export async function endsWell(
  bytes: Uint8Array,
  read: (bytes: Uint8Array) => Promise<ExtractResult>,
): Promise<Verdict> {
  const started = process.cpuUsage();
  const { items, payload, deadLetter } = await read(bytes);
  const { user, system } = process.cpuUsage(started);
  if ((user + system) / 1_000 > PARSE_TIMEOUT_MS)
    return fail(`took ${Math.round((user + system) / 1_000)} ms of CPU time`);
  if ((payload === null) === (deadLetter === null)) return fail("neither payload nor dead letter, or both");
  if (deadLetter !== null && deadLetter.detail === "") return fail("a dead letter without a detail");
  // Throws, and so fails, when an item is no JSON.
  for (const { json } of items) JSON.parse(json);
  return pass;
}
