import type { Segment } from "./segments.ts";

/** Blanks that JSON does not know: no-break spaces, other Unicode spaces, a stray byte order mark. */
const FOREIGN_BLANK = /[\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]/g;

/** A gap with foreign blanks as plain ones. */
export function plainBlanks(gap: string): string {
  return gap.replace(FOREIGN_BLANK, " ");
}

/** A gap without a comma that stands before a closing brace or bracket, or twice. */
export function dropTrailingCommas(gap: string): string {
  return gap.replace(/,(?=\s*[}\]])/g, "").replace(/,(?:\s*,)+/g, ",");
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

type Before = "value" | "other";

/**
 * Almost-JSON with a comma put between two values or members that follow each other inside an object or array: `}{`,
 * `] [`, `"a" "b"`, `1 "b"`. Outside of any container nothing is put: there it is several values.
 */
export function addMissingCommas(segments: readonly Segment[]): Segment[] {
  let depth = 0;
  let before: Before = "other";
  return segments.map((segment) => {
    if (segment.kind === "string") {
      const missing = before === "value" && depth > 0;
      before = "value";
      return missing ? { kind: "string", text: `,${segment.text}` } : segment;
    }
    let text = "";
    for (const [token] of segment.text.matchAll(/[{}[\],:]|[^{}[\],:\s]+|\s+/g)) {
      if (token.trim() === "") {
        text += token;
        continue;
      }
      const opens = token === "{" || token === "[";
      const isWord = !/^[{}[\],:]$/.test(token);
      if ((opens || isWord) && before === "value" && depth > 0) text += ",";
      text += token;
      if (opens) depth += 1;
      if (token === "}" || token === "]") depth -= 1;
      before = isWord || token === "}" || token === "]" ? "value" : "other";
    }
    return { kind: "gap", text };
  });
}
