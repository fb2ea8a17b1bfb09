const COMPRESSED = 0x75465a4c;
const UNCOMPRESSED = 0x414c454d;
const WINDOW = 4_096;
/** The dictionary that every compressed RTF starts with ([MS-OXRTFCP] §2.1.2.1). */
const DICTIONARY =
  "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
/** A run copies at most 17 octets by 2: more than this many for each is no RTF. */
const MAX_GROWTH = 10;
/** A body for people is far smaller; what would grow past this is not opened. */
const MAX_RTF_BYTES = 32 * 1024 * 1024;

/** The RTF in a PR_RTF_COMPRESSED property; empty when it is none. Source: [MS-OXRTFCP] §3.1. */
export function inflateRtf(bytes: Buffer): Buffer {
  if (bytes.length < 16) return Buffer.alloc(0);
  const kind = bytes.readUInt32LE(8);
  if (kind === UNCOMPRESSED) return bytes.subarray(16);
  if (kind !== COMPRESSED) return Buffer.alloc(0);
  const size = Math.min(bytes.readUInt32LE(4), bytes.length * MAX_GROWTH);
  if (size > MAX_RTF_BYTES) return Buffer.alloc(0);
  const window = Buffer.alloc(WINDOW);
  let write = window.write(DICTIONARY, "latin1");
  const out = Buffer.alloc(size);
  let length = 0;
  const put = (byte: number) => {
    window[write] = byte;
    write = (write + 1) % WINDOW;
    if (length < out.length) out[length] = byte;
    length += 1;
  };
  let at = 16;
  while (at < bytes.length && length < out.length) {
    const control = bytes[at] ?? 0;
    at += 1;
    for (let bit = 0; bit < 8 && at < bytes.length; bit += 1) {
      if ((control & (1 << bit)) === 0) {
        put(bytes[at] ?? 0);
        at += 1;
        continue;
      }
      const reference = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      at += 2;
      const offset = reference >> 4;
      // A reference to the place of writing is the end mark.
      if (offset === write) return out.subarray(0, Math.min(length, out.length));
      for (let i = 0; i < (reference & 15) + 2; i += 1) put(window[(offset + i) % WINDOW] ?? 0);
    }
  }
  return out.subarray(0, Math.min(length, out.length));
}

const TOKEN = /\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-f]{2})|\\([^a-z0-9\r\n])|([{}])|([^\\{}\r\n]+)|[\r\n\\]/gi;

interface Group {
  readonly hidden: boolean;
  /** Inside `{\*\htmltag …}`: what stands there is HTML source. */
  readonly inTag: boolean;
  readonly unicodeSkip: number;
}

/**
 * The HTML that was put into RTF (`\fromhtml1`), `undefined` when it is other RTF.
 *
 * Source: [MS-OXRTFEX] §2.2.3: `\*\htmltag` groups hold tags, text outside `\htmlrtf` is text, the rest is RTF's own.
 */
export function htmlOfRtf(rtf: Buffer): string | undefined {
  const source = rtf.toString("latin1");
  if (!source.slice(0, 512).includes("\\fromhtml1")) return undefined;
  const decoder = new TextDecoder(codePageOf(source));
  const out: string[] = [];
  const stack: Group[] = [];
  let group: Group = { hidden: false, inTag: false, unicodeSkip: 1 };
  let inRtfOnly = false;
  let isStarred = false;
  let toSkip = 0;
  let bytes: number[] = [];
  const shown = () => !group.hidden && (!inRtfOnly || group.inTag);
  const flush = () => {
    if (bytes.length > 0) out.push(decoder.decode(Uint8Array.from(bytes)));
    bytes = [];
  };
  const text = (value: string) => {
    flush();
    if (shown()) out.push(value);
  };
  for (const [, word, number, hex, symbol, brace, plain] of source.matchAll(TOKEN)) {
    if (hex !== undefined) {
      if (toSkip > 0) toSkip -= 1;
      else if (shown()) bytes.push(Number.parseInt(hex, 16));
      continue;
    }
    if (plain !== undefined) {
      const rest = toSkip > 0 ? plain.slice(toSkip) : plain;
      toSkip = Math.max(0, toSkip - plain.length);
      if (rest !== "") text(rest);
      continue;
    }
    toSkip = 0;
    flush();
    if (brace === "{") stack.push(group);
    else if (brace === "}") group = stack.pop() ?? group;
    else if (symbol === "*") isStarred = true;
    else if (symbol !== undefined) text(symbol === "~" ? "\u00a0" : symbol === "_" || symbol === "-" ? "" : symbol);
    else if (word !== undefined) {
      const name = word.toLowerCase();
      if (name === "htmltag") group = { ...group, inTag: true, hidden: false };
      else if (isStarred || name === "fonttbl" || name === "colortbl" || name === "stylesheet" || name === "pntext")
        group = { ...group, hidden: true };
      else if (name === "htmlrtf") inRtfOnly = number !== "0";
      else if (name === "uc") group = { ...group, unicodeSkip: Number(number ?? 1) };
      else if (name === "u") {
        text(String.fromCharCode(Number(number ?? 0) & 0xffff));
        toSkip = group.unicodeSkip;
      } else text(Object.hasOwn(WORDS, name) ? WORDS[name as keyof typeof WORDS] : "");
      isStarred = false;
    }
  }
  flush();
  return out.join("");
}

const WORDS = {
  par: "\r\n",
  line: "\r\n",
  tab: "\t",
  lquote: "\u2018",
  rquote: "\u2019",
  ldblquote: "\u201c",
  rdblquote: "\u201d",
  bullet: "\u2022",
  endash: "\u2013",
  emdash: "\u2014",
} as const;

function codePageOf(source: string): string {
  const page = /\\ansicpg(\d{3,5})/.exec(source.slice(0, 512))?.[1] ?? "1252";
  const known: Readonly<Record<string, string>> = {
    "932": "shift_jis",
    "936": "gb18030",
    "949": "euc-kr",
    "950": "big5",
    "65001": "utf-8",
  };
  return known[page] ?? (/^125[0-8]$/.test(page) ? `windows-${page}` : "windows-1252");
}
