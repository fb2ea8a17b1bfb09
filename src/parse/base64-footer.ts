/** What a list server, a scanner or a company's relay writes below a mail is a few lines long. */
const FOOTER_BYTES = 16 * 1024;
const LOOK_BYTES = 512;
/** Anything but the digits of base64, their padding and line ends. */
const FOREIGN = /[^A-Za-z0-9+/=\r\n]/;
const LINE_END = /\r\n?|\n/g;
const DIGITS = /^[A-Za-z0-9+/=_-]+$/;
const SEPARATOR = /^(?:[-_=]{3,}|[-_]{1,2})$/;
/** No word is as long as this, and no line of base64 but the last is shorter, where it has several lines of one length. */
const FULL_LINE = 40;

interface Line {
  readonly kind: "blank" | "text" | "full" | "short";
  /** It ends in padding. */
  readonly isLast: boolean;
  readonly length: number;
  readonly start: number;
}

/**
 * Where plain text begins that somebody wrote below base64, whose end he did not see; the length of the bytes when there is
 * none. Without padding the digits do not say where they end, and with it a word may look like more of them.
 *
 * Lines decide: a footer begins at the first line that is no line of base64 and that no full one follows, or at the words
 * above it, behind the last line of the digits. Only the end of the bytes is looked at, so this costs nothing in long files.
 */
export function footerStart(bytes: Buffer): number {
  if (!FOREIGN.test(bytes.toString("latin1", Math.max(0, bytes.length - LOOK_BYTES)))) return bytes.length;
  const lines = lastLines(bytes);
  const lastFull = lines.findLastIndex(({ kind }) => kind === "full");
  if (lastFull < 0 && bytes.length > FOOTER_BYTES) return bytes.length;
  const below = isDoubleSpaced(lines)
    ? lines.slice(lastFull + 1).filter(({ kind }) => kind !== "blank")
    : lines.slice(lastFull + 1);
  if (!below.some(({ kind }) => kind === "text")) return bytes.length;
  const ends = endOfDigits(bytes, below, lines[lastFull]);
  return below[ends]?.start ?? bytes.length;
}

/** Whether an empty line stands below each line, as where line ends were converted twice. */
function isDoubleSpaced(lines: readonly Line[]): boolean {
  const first = lines.findIndex(({ kind }) => kind !== "blank");
  const [above, between, below] = lines.slice(first, first + 3);
  return between?.kind === "blank" && (below?.kind === "full" || below?.length === above?.length);
}

/** How many of the lines below the last full one still belong to the digits; all of them when the first is text. */
function endOfDigits(bytes: Buffer, below: readonly Line[], full: Line | undefined): number {
  let index = 0;
  let before = full;
  // Blank lines may stand above the digits, or above the last of them.
  const next = below.findIndex(({ kind }) => kind !== "blank");
  if (before === undefined || below[next]?.isLast === true) index = Math.max(0, next);
  const first = before ?? below[index];
  for (let line = below[index]; line?.kind === "short"; line = below[index]) {
    const isShorter = before !== undefined && line.length < before.length;
    const isLonger = before !== undefined && line.length > before.length;
    // A line of another length than those above it is the last one, or none of them; asked of the first two at most.
    if ((isShorter || (isLonger && before === first)) && before !== undefined && isWord(bytes, before, line))
      return index;
    index += 1;
    if (isShorter) return index;
    before = line;
  }
  // What begins as text is no base64 with a footer.
  return before === undefined ? below.length : index;
}

/** Whether a short line below digits that say text says none: then it is a word of the footer. */
function isWord(bytes: Buffer, before: Line, line: Line): boolean {
  const isWhole = bytes.length <= FOOTER_BYTES;
  if (!isWhole && before.length % 4 !== 0) return false;
  const start = isWhole ? 0 : before.start;
  const digits = bytes.toString("latin1", start, before.start + before.length).replace(/\s+/g, "");
  if (digits.endsWith("=")) return true;
  // The first and the last character of what is looked at may be cut.
  const text = Buffer.from(digits, "base64").toString("utf8");
  if (NO_TEXT.test(text.replace(/^\uFFFD{1,3}|\uFFFD$/g, ""))) return false;
  const more = bytes.toString("latin1", line.start, line.start + line.length);
  const both = Buffer.from(digits + more, "base64").toString("utf8");
  return NO_TEXT.test(both.replace(/^\uFFFD{1,3}/, ""));
}

// eslint-disable-next-line no-control-regex -- what stands in no text
const NO_TEXT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\uFFFD]/;

function lastLines(bytes: Buffer): Line[] {
  const from = Math.max(0, bytes.length - FOOTER_BYTES);
  const text = bytes.toString("latin1", from);
  const lines: Line[] = [];
  let start = 0;
  const add = (end: number) => {
    const line = text.slice(start, end).trimEnd();
    lines.push({ kind: kindOf(line), isLast: line.endsWith("="), length: line.length, start: from + start });
  };
  for (const { index, 0: lineEnd } of text.matchAll(LINE_END)) {
    add(index);
    start = index + lineEnd.length;
  }
  add(text.length);
  // The first one begins in the middle of a line.
  return from === 0 ? lines : lines.slice(1);
}

function kindOf(line: string): Line["kind"] {
  if (line === "") return "blank";
  if (SEPARATOR.test(line)) return "text";
  if (DIGITS.test(line)) return line.length < FULL_LINE ? "short" : "full";
  // A damaged line of base64 still has a long run of digits; an address has one as well.
  const longest = line.split(/[^A-Za-z0-9+/=_-]+/).reduce((most, { length }) => Math.max(most, length), 0);
  return longest >= FULL_LINE && !/:\/\/|@/.test(line) ? "full" : "text";
}
