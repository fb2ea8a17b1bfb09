/** A file that stands uuencoded in a text, and where its lines stand. */
export interface UuencodedFile {
  readonly filename: string;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

const LF = 0x0a;
const CR = 0x0d;
const BEGIN = Buffer.from("begin ");
/** More than a mail may have parts: the limit on those is passed then, and named. */
const MAX_FILES = 2_000;
// Lines that only a CR ends: without this bound, each "begin " among them had the whole text searched for an LF.
const MAX_LINE_BYTES = 400;
const BEGIN_LINE = /^begin (?:base64 )?[0-7]{3,4} ([^\r\n]{1,255})$/;

/**
 * The files in a text that begin with `begin 644 name` and end with `end`; one whose `end` is missing goes on as far as its
 * lines are uuencoded. The word alone at the start of a line makes no file: the first line below must be data.
 *
 * Source: POSIX.1-2017, uuencode.
 */
export function findUuencoded(bytes: Buffer): UuencodedFile[] {
  const files: UuencodedFile[] = [];
  for (let at = bytes.indexOf(BEGIN); at >= 0 && files.length <= MAX_FILES; at = bytes.indexOf(BEGIN, at + 1)) {
    if (at > 0 && bytes[at - 1] !== LF && bytes[at - 1] !== CR) continue;
    const first = lineAt(bytes, at);
    const filename = BEGIN_LINE.exec(bytes.toString("latin1", at, Math.min(first.end, at + 300)))?.[1];
    if (filename === undefined) continue;
    const body = dataLines(bytes, first.next);
    if (body.lines.length === 0) continue;
    const text = Buffer.from(filename.trim(), "latin1").toString("utf8");
    files.push({ filename: text, bytes: Buffer.concat(body.lines), start: at, end: body.end });
    at = Math.max(at, body.end - 1);
  }
  return files;
}

/** The bytes of a body that is uuencoded as a whole, with or without its `begin` line. */
export function decodeUuencode(bytes: Buffer): Buffer {
  const [file] = findUuencoded(bytes);
  return file?.bytes ?? Buffer.concat(dataLines(bytes, 0).lines);
}

function dataLines(bytes: Buffer, from: number): { readonly lines: Buffer[]; readonly end: number } {
  const lines: Buffer[] = [];
  let at = from;
  while (at < bytes.length) {
    const { end, next } = lineAt(bytes, at);
    if (bytes.toString("latin1", at, Math.min(end, at + 4)).trimEnd() === "end") return { lines, end: next };
    const decoded = decodeLine(bytes, at, end);
    if (decoded === undefined) return { lines, end: at };
    if (decoded.length > 0) lines.push(decoded);
    at = next;
  }
  return { lines, end: at };
}

/** One line: its length as a character, then groups of four. `undefined` when it is no such line; blanks may be missing at its end. */
function decodeLine(bytes: Buffer, start: number, end: number): Buffer | undefined {
  const length = ((bytes[start] ?? 0x20) - 0x20) & 63;
  const width = Math.ceil(length / 3) * 4;
  const isData = start < end && (bytes[start] ?? 0) >= 0x20 && (bytes[start] ?? 0) <= 0x60 && end - start <= width + 3;
  if (!isData) return end === start ? Buffer.alloc(0) : undefined;
  const out = Buffer.alloc((width / 4) * 3);
  for (let i = 0, o = 0; i < width; i += 4, o += 3) {
    let group = 0;
    for (let k = 1; k <= 4; k += 1) {
      const byte = start + i + k < end ? (bytes[start + i + k] ?? 0x20) : 0x20;
      if (byte < 0x20 || byte > 0x60) return undefined;
      group = (group << 6) | ((byte - 0x20) & 63);
    }
    out.writeUIntBE(group, o, 3);
  }
  return out.subarray(0, length);
}

/** The line at `start`, whatever ends it; of a longer one than anything uuencoded, no more than that. */
function lineAt(bytes: Buffer, start: number): { readonly end: number; readonly next: number } {
  const most = Math.min(bytes.length, start + MAX_LINE_BYTES);
  let end = start;
  while (end < most && bytes[end] !== LF && bytes[end] !== CR) end += 1;
  if (end === bytes.length) return { end, next: end };
  return { end, next: bytes[end] === CR && bytes[end + 1] === LF ? end + 2 : end + 1 };
}
