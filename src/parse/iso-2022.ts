import iconv from "iconv-lite";

/** Text, and whether every byte of it was a character. */
export interface Iso2022Text {
  readonly text: string;
  readonly isLossy: boolean;
}

/** The sets of characters that the seven-bit encodings of Japan, Korea and China switch between. */
type CharacterSet = "ascii" | "katakana" | "jis" | "jis-supplement" | "gb" | "korean" | "latin" | "greek" | "unknown";

/** What escape sequences put into use: at once (G0), behind a shift out (G1), for one character behind `ESC N` (G2). */
const DESIGNATIONS: Readonly<Record<string, readonly [register: 0 | 1 | 2, set: CharacterSet]>> = {
  "(B": [0, "ascii"],
  // JIS X 0201's Roman half differs from ASCII in the yen sign and the overline: mailers write it for plain ASCII, and a
  // backslash in JSON must stay one.
  "(J": [0, "ascii"],
  "(H": [0, "ascii"],
  "(I": [0, "katakana"],
  "$@": [0, "jis"],
  $B: [0, "jis"],
  "$(@": [0, "jis"],
  "$(B": [0, "jis"],
  // JIS X 0213 keeps the places of JIS X 0208; what it adds is no character of the table below.
  "$(O": [0, "jis"],
  "$(Q": [0, "jis"],
  "$(D": [0, "jis-supplement"],
  $A: [0, "gb"],
  "$(A": [0, "gb"],
  "$(C": [0, "korean"],
  "$)A": [1, "gb"],
  "$)C": [1, "korean"],
  ")I": [1, "katakana"],
  ".A": [2, "latin"],
  ".F": [2, "greek"],
};
const SEQUENCE = /^(?:\$[()*+]?[@-~]|[ -/][0-~])/;
const ESCAPE = 0x1b;
const SHIFT_OUT = 0x0e;
const SHIFT_IN = 0x0f;
const LF = 0x0a;
const SINGLE_SHIFT = 0x4e;
const REPLACEMENT = "\uFFFD";

/** Escape sequences that only a text in one of these encodings holds: Japanese, Korean and Chinese designations. */
// eslint-disable-next-line no-control-regex -- escape sequences are what is looked for
const TELLING = /\u001b(?:\$[@B]|\(I|\$\([@BD]|\$\)[AC])/;

/**
 * Whether the bytes are a text of ISO 2022 in seven bits, whatever their label says: `ESC $ B` and its like stand in no
 * other text.
 */
export function isIso2022(bytes: Buffer): boolean {
  return bytes.includes(ESCAPE) && TELLING.test(bytes.toString("latin1"));
}

/**
 * Decodes ISO-2022-JP and its extensions, -KR and -CN. One pass; never throws. A line end ends every shift, whatever the
 * sender forgot; and where the encoding standard demands a character between two escape sequences, nothing is missing here:
 * mailers put `ESC ( B ESC $ B` between two words.
 *
 * `shiftOut` is the set that a shift out means when nothing was designated: senders leave the designation out.
 *
 * Source: RFC 1468, RFC 1554, RFC 2237 (Japanese), RFC 1557 (Korean), RFC 1922 (Chinese); ECMA-35.
 */
export function decodeIso2022(bytes: Uint8Array, shiftOut: CharacterSet): Iso2022Text {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Pieces(source.length);
  let direct: CharacterSet = "ascii";
  let shifted: CharacterSet = shiftOut;
  let single: CharacterSet = "unknown";
  let isShifted = false;
  for (let at = 0; at < source.length;) {
    const byte = source[at] ?? 0;
    if (byte === ESCAPE) {
      if (source[at + 1] === SINGLE_SHIFT && at + 2 < source.length) {
        if (isPair(single)) out.lose();
        else out.add(single, source[at + 2] ?? 0);
        at += 3;
        continue;
      }
      const sequence = SEQUENCE.exec(source.toString("latin1", at + 1, at + 5))?.[0];
      if (sequence === undefined) {
        out.lose();
        at += 1;
        continue;
      }
      const [register, set] = DESIGNATIONS[sequence] ?? [sequence.includes(")") ? 1 : 0, "unknown"];
      if (register === 0) direct = set;
      else if (register === 1) shifted = set;
      else single = set;
      at += 1 + sequence.length;
    } else if (byte === SHIFT_OUT || byte === SHIFT_IN) {
      isShifted = byte === SHIFT_OUT;
      at += 1;
    } else if (byte <= 0x20 || byte === 0x7f) {
      if (byte === LF) {
        direct = "ascii";
        isShifted = false;
      }
      out.add("ascii", byte);
      at += 1;
    } else {
      // Half-width katakana in eight bits (JIS8), where no shift is on.
      const isKana = byte >= 0xa1 && byte <= 0xdf && shiftOut === "katakana";
      const set = byte < 0x80 ? (isShifted ? shifted : direct) : isKana ? "katakana" : "unknown";
      const second = source[at + 1] ?? 0;
      if (!isPair(set)) {
        out.add(set, byte);
        at += 1;
      } else if (second <= 0x20 || second >= 0x7f) {
        out.lose();
        at += 1;
      } else {
        out.addPair(set, byte, second);
        at += 2;
      }
    }
  }
  return out.end();
}

/** Whether a shift of a text in ISO 2022 is still on at its end, as where it was cut in two. */
export function endsShifted(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const line = text.slice(text.lastIndexOf("\n") + 1);
  const escape = line.lastIndexOf("\u001b");
  const isDirect = escape >= 0 && line[escape + 1] === "$" && line[escape + 2] !== ")";
  return isDirect || line.lastIndexOf("\u000e") > line.lastIndexOf("\u000f");
}

type PairSet = "jis" | "jis-supplement" | "gb" | "korean";

function isPair(set: CharacterSet): set is PairSet {
  return set === "jis" || set === "jis-supplement" || set === "gb" || set === "korean";
}

const EUC_JP = new TextDecoder("euc-jp");

/** Runs of one encoding, each decoded when the next begins: what mixes ASCII with JIS stays one run. */
class Pieces {
  #isLossy = false;
  readonly #done: string[] = [];
  #encoding = "euc-jp";
  readonly #bytes: Buffer;
  #start = 0;
  #length = 0;

  constructor(sourceLength: number) {
    // A character of two bytes becomes three at most, one of one byte two.
    this.#bytes = Buffer.allocUnsafe(2 * sourceLength);
  }

  add(set: Exclude<CharacterSet, PairSet>, byte: number): void {
    switch (set) {
      case "ascii":
        // The same byte in each of them.
        this.#bytes[this.#length++] = byte;
        return;
      case "katakana":
        this.#begin("euc-jp");
        this.#bytes[this.#length++] = 0x8e;
        break;
      case "latin":
        this.#begin("windows-1252");
        break;
      case "greek":
        this.#begin("iso-8859-7");
        break;
      case "unknown":
        return this.lose();
    }
    this.#bytes[this.#length++] = byte | 0x80;
  }

  addPair(set: PairSet, first: number, second: number): void {
    this.#begin(set === "gb" ? "gb18030" : set === "korean" ? "cp949" : "euc-jp");
    if (set === "jis-supplement") this.#bytes[this.#length++] = 0x8f;
    this.#bytes[this.#length++] = first | 0x80;
    this.#bytes[this.#length++] = second | 0x80;
  }

  lose(): void {
    this.#isLossy = true;
    this.#flush();
    this.#done.push(REPLACEMENT);
  }

  end(): Iso2022Text {
    this.#flush();
    return { text: this.#done.join(""), isLossy: this.#isLossy };
  }

  #begin(encoding: string): void {
    if (encoding === this.#encoding) return;
    this.#flush();
    this.#encoding = encoding;
  }

  #flush(): void {
    if (this.#start === this.#length) return;
    const run = this.#bytes.subarray(this.#start, this.#length);
    this.#start = this.#length;
    const text = this.#encoding === "euc-jp" ? EUC_JP.decode(run) : iconv.decode(run, this.#encoding);
    // None of these sets holds U+FFFD itself.
    this.#isLossy ||= text.includes(REPLACEMENT);
    this.#done.push(text);
  }
}
