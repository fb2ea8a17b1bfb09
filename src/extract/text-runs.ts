/** Consecutive lines of one quote depth, their marks taken off, or what stands in one fence. */
export interface TextRun {
  readonly text: string;
  /** Number of its first line in the whole text, from 1. */
  readonly line: number;
  readonly quoted: boolean;
  /** It stood between fence lines: the author says that it is a block of its own. */
  readonly fenced: boolean;
}

const MARKS = /^(?:[ \t]?>)+/;
const FENCE = /^[ \t]{0,3}(`{3,}|~{3,}(?!~))([^`]*)$/;

/** Without any of these the text is one run, and needs no splitting. */
const ANY_MARK = /^(?:[ \t]?>|[ \t]{0,3}(?:`{3}|~{3}))/m;

interface Open {
  readonly lines: string[];
  readonly line: number;
  readonly depth: number;
  /** The fence that must close it, undefined outside of fences. */
  readonly fence: string | undefined;
}

/**
 * Cuts a text into runs: where the quote depth (`> `) changes, and at fence lines (three or more backticks or tildes). A
 * fence that is never closed ends where its quote depth ends. One pass over the lines.
 *
 * Source: RFC 3676 §4.5 (quote marks); CommonMark 0.31 §4.5 (fenced code blocks).
 */
export function textRunsOf(text: string): TextRun[] {
  if (!ANY_MARK.test(text)) return [{ text, line: 1, quoted: false, fenced: false }];
  const runs: TextRun[] = [];
  let open: Open = { lines: [], line: 1, depth: 0, fence: undefined };
  const finish = (next: Omit<Open, "lines">) => {
    if (open.lines.length > 0)
      runs.push({
        text: open.lines.join("\n"),
        line: open.line,
        quoted: open.depth > 0,
        fenced: open.fence !== undefined,
      });
    open = { ...next, lines: [] };
  };
  let number = 0;
  for (const line of text.split("\n")) {
    number += 1;
    const marks = MARKS.exec(line)?.[0] ?? "";
    const depth = marks === "" ? 0 : marks.replace(/[^>]/g, "").length;
    const content = marks === "" ? line : line.slice(marks.length).replace(/^ /, "");
    if (depth !== open.depth) finish({ line: number, depth, fence: undefined });
    const fence = FENCE.exec(content);
    if (open.fence === undefined && fence !== null) finish({ line: number + 1, depth, fence: fence[1] ?? "" });
    else if (open.fence !== undefined && closes(fence, open.fence))
      finish({ line: number + 1, depth, fence: undefined });
    else open.lines.push(content);
  }
  finish({ line: number, depth: 0, fence: undefined });
  return runs;
}

/** A fence closes with at least as many of its own characters and nothing behind them. */
function closes(found: RegExpExecArray | null, fence: string): boolean {
  const [, marks = "", rest = ""] = found ?? [];
  return marks[0] === fence[0] && marks.length >= fence.length && rest.trim() === "";
}
