/** A piece of almost-JSON: a string with its quotes, a JavaScript comment, or what stands between those. */
export interface Segment {
  readonly kind: "string" | "comment" | "gap";
  readonly text: string;
}

const NEXT = /"|\/\/|\/\*/g;

/**
 * Cuts almost-JSON into strings, comments and gaps, so that each repair looks only where it may. One pass.
 *
 * A string ends at the first quote that is not escaped, whatever stands in it: raw line breaks are one of the damages.
 * `undefined` when a string or a comment never ends.
 */
export function segmentsOf(text: string): Segment[] | undefined {
  const segments: Segment[] = [];
  let at = 0;
  while (at < text.length) {
    NEXT.lastIndex = at;
    const start = NEXT.exec(text)?.index ?? text.length;
    if (start > at) segments.push({ kind: "gap", text: text.slice(at, start) });
    if (start === text.length) break;
    const end = segmentEnd(text, start);
    if (end < 0) return undefined;
    segments.push({ kind: text[start] === '"' ? "string" : "comment", text: text.slice(start, end) });
    at = end;
  }
  return segments;
}

function segmentEnd(text: string, start: number): number {
  if (text[start] === '"') return quotedEnd(text, start + 1);
  if (text[start + 1] === "/") {
    const lineEnd = text.indexOf("\n", start);
    return lineEnd < 0 ? text.length : lineEnd;
  }
  const close = text.indexOf("*/", start + 2);
  return close < 0 ? -1 : close + 2;
}

function quotedEnd(text: string, from: number): number {
  for (let i = from; i < text.length; i += 1) {
    const character = text[i];
    if (character === "\\") i += 1;
    else if (character === '"') return i + 1;
  }
  return -1;
}

/** The segments as one text again. */
export function joinSegments(segments: readonly Segment[]): string {
  return segments.map(({ text }) => text).join("");
}

/** Segments with each gap, or each string, rewritten. */
export function mapSegments(
  segments: readonly Segment[],
  kind: Segment["kind"],
  rewrite: (text: string) => string,
): Segment[] {
  return segments.map((segment) => (segment.kind === kind ? { kind, text: rewrite(segment.text) } : segment));
}
