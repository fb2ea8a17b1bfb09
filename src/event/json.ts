import type { CutHookIds } from "../model/cut-hook-ids.ts";
import { mayHoldHookId } from "../model/cut-hook-ids.ts";
import type { JsonText } from "../model/mail.ts";

/** One member of an object that is written by hand, so that a sender's JSON can stand in it as text. `undefined` leaves it out. */
export type Member = readonly [name: string, value: JsonText | undefined];

/** Any value of ours as JSON text. Lone surrogates come out escaped (ECMA-262, well-formed `JSON.stringify`). */
export function toJson(value: unknown): JsonText {
  return JSON.stringify(value) as JsonText;
}

/** The same with hook ids cut in every string of it (contract §2); names of members stay. */
export function toCutJson(value: unknown, cut: CutHookIds): JsonText {
  const text = toJson(value);
  // A replacer costs several times as much as writing.
  if (!mayHoldHookId(text)) return text;
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === "string" ? cut(member) : member,
  ) as JsonText;
}

/** An object of members in the order given; names are ours and need no escaping. */
export function objectOf(members: readonly Member[]): JsonText {
  let text = "";
  for (const [name, value] of members) {
    if (value !== undefined) text += `${text === "" ? "" : ","}"${name}":${value}`;
  }
  return `{${text}}` as JsonText;
}

/** An array of values that are JSON text already. */
export function arrayOf(values: readonly JsonText[]): JsonText {
  return `[${values.join(",")}]` as JsonText;
}
