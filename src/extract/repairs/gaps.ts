import type { Segment } from "./segments.ts";

/** Blanks that JSON does not know: no-break spaces and other Unicode spaces. */
const FOREIGN_BLANK = /[\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/g;
/** What takes no place: zero-width spaces and joiners, marks of direction, soft hyphens, a byte order mark on its way. */
export const INVISIBLE =
  "\\u00ad\\u034f\\u061c\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\u2066-\\u2069\\ufeff";
const INVISIBLES = new RegExp(`[${INVISIBLE}]+`, "g");
const INSIDE_TOKEN = /[\w.+-]/;

/** A gap with foreign blanks as plain ones. */
export function plainBlanks(gap: string): string {
  return gap.replace(FOREIGN_BLANK, " ");
}

/**
 * A gap with a plain blank for each invisible character between tokens. Inside of one it stays: `1\u200b2` is neither
 * twelve nor two numbers.
 */
export function visibleBlanks(gap: string): string {
  return gap.replace(INVISIBLES, (run, at: number) => {
    const isInside = INSIDE_TOKEN.test(gap[at - 1] ?? "") && INSIDE_TOKEN.test(gap[at + run.length] ?? "");
    return isInside ? run : " ".repeat(run.length);
  });
}

/** A gap without a comma that stands before a closing brace or bracket. */
export function dropTrailingCommas(gap: string): string {
  return gap.replace(/,(?=\s*[}\]])/g, "");
}

/** Almost-JSON without JavaScript comments. */
export function dropComments(segments: readonly Segment[]): Segment[] {
  const kept: Segment[] = [];
  for (const segment of segments) {
    const last = kept.at(-1);
    const text = segment.kind === "comment" ? " " : segment.text;
    const kind = segment.kind === "comment" ? "gap" : segment.kind;
    // A gap that a comment cut in two is one gap again, so that a comma before it still meets its bracket.
    if (kind === "gap" && last?.kind === "gap") kept[kept.length - 1] = { kind, text: last.text + text };
    else kept.push({ kind, text });
  }
  return kept;
}

const TOKEN = /[{}[\],:]|[^{}[\],:\s]+|\s+/g;

/**
 * Almost-JSON with a comma put between two values or members that follow each other inside an object or array: `}{`,
 * `] [`, `"a" "b"`, `1 "b"`. Outside of any container nothing is put: there it is several values.
 *
 * Two scalars need a blank between them: in `"5"x"` a quote inside a string is the damage, and a comma would hide it.
 */
export function addMissingCommas(segments: readonly Segment[]): Segment[] {
  let depth = 0;
  let before: "container" | "scalar" | "other" = "other";
  let blank = false;
  const isMissing = (opens: boolean) =>
    depth > 0 && (before === "container" || (before === "scalar" && (blank || opens)));
  const add = (token: string): string => {
    if (token.trim() === "") {
      blank = true;
      return token;
    }
    const opens = token === "{" || token === "[";
    const closes = token === "}" || token === "]";
    const isScalar = !opens && !closes && token !== "," && token !== ":";
    const comma = (opens || isScalar) && isMissing(opens) ? "," : "";
    if (opens) depth += 1;
    if (closes) depth -= 1;
    before = closes ? "container" : isScalar ? "scalar" : "other";
    blank = false;
    return comma + token;
  };
  return segments.map(({ kind, text }) => ({
    kind,
    text: kind === "string" ? add(text) : text.replace(TOKEN, add),
  }));
}
