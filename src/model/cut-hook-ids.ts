import type { HookId } from "./hook-id.ts";

/** A text of ours without hook ids. Message ids are not addresses: in them only ids that are known are cut. */
export type CutHookIds = (text: string, kind?: "message-id") => string;

const ID_CHARACTERS = 26;
const VISIBLE_CHARACTERS = 4;
// U+212A, the Kelvin sign, is a "k" to whoever compares in lower case, and so to the SMTP listener.
const RUN = /[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z\u212A]{26,}/g;
/** The same with quoted pairs in it: a quoted local part may put a backslash before every character (RFC 5321 §4.1.2). */
const QUOTED_RUN = /(?:\\?[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z\u212A]){26,}/g;
/**
 * What stands behind an id that is a local part, or the part of one that names an address of ours: `id@`, `"id"@`,
 * `id+tag@`, `id=domain@` (VERP, RFC 3834 and mailing lists), `id%domain@`, and the encoded forms of `@` and `+`.
 */
const BEHIND_LOCAL_PART =
  /"?@|\+[^\s@<>,;"]{0,200}"?@|[=%][A-Za-z0-9.-]{1,255}(?:[+=][^\s@<>,;"]{0,200})?@|%(?:40|2[Bb])|=(?:40|2[Bb])/y;

/** As JSON writes them, where a backslash is two. */
const MAY_HOLD = /(?:\\{0,2}[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z\u212A]){26}/;

/** Whether an id may stand in JSON text; nearly always it does not, and nothing has to be cut. */
export function mayHoldHookId(json: string): boolean {
  return MAY_HOLD.test(json);
}

/** Cuts the ids of the hooks that a message was sent to, and local parts shaped like an id. */
export function hookIdCutter(hookIds: Iterable<HookId>): CutHookIds {
  const known: ReadonlySet<string> = new Set(hookIds);
  return (text, kind) => cutHookIds(text, (id) => known.has(id), kind);
}

/**
 * A text in which hook ids keep their first four characters only: the id is the only secret that a form or email hook has
 * (contract §2). Cut are those that `isKnown` (lower case) says yes to, wherever they stand and in any letter case, and,
 * but for message ids, every local part that is shaped like one. Linear.
 */
export function cutHookIds(text: string, isKnown: (id: string) => boolean, kind?: "message-id"): string {
  if (text.length < ID_CHARACTERS) return text;
  return text.replace(text.includes("\\") ? QUOTED_RUN : RUN, (run, at: number) => {
    const plain = run.replaceAll("\\", "");
    const cut = withoutKnown(plain, isKnown);
    if (cut !== plain) return cut;
    return kind === undefined && plain.length === ID_CHARACTERS && isLocalPart(text, at, at + run.length)
      ? `${plain.slice(0, VISIBLE_CHARACTERS)}…`
      : run;
  });
}

/** JSON text in which the ids that `isKnown` (lower case) says yes to are cut, wherever they stand. It stays JSON. Linear. */
export function cutKnownHookIds(json: string, isKnown: (id: string) => boolean): string {
  return json.replace(RUN, (run) => withoutKnown(run, isKnown));
}

function withoutKnown(run: string, isKnown: (id: string) => boolean): string {
  const lower = run.toLowerCase();
  let cut = "";
  let from = 0;
  for (let at = 0; at + ID_CHARACTERS <= run.length; at += 1) {
    if (!isKnown(lower.slice(at, at + ID_CHARACTERS))) continue;
    cut += `${run.slice(from, at + VISIBLE_CHARACTERS)}…`;
    from = at + ID_CHARACTERS;
    at = from - 1;
  }
  return from === 0 ? run : cut + run.slice(from);
}

function isLocalPart(text: string, start: number, end: number): boolean {
  if (start > 0 && /[0-9A-Za-z]/.test(text.charAt(start - 1))) return false;
  BEHIND_LOCAL_PART.lastIndex = end;
  return BEHIND_LOCAL_PART.test(text);
}
