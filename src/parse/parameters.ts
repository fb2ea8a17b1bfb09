import { decodeAs } from "./charset.ts";
import { decodeWords } from "./encoded-words.ts";

/** A structured header value: `text/html; charset=utf-8` or `attachment; filename="a.json"`. */
export interface StructuredValue {
  /** Lower case. */
  readonly value: string;
  /** Names in lower case, values decoded. */
  readonly parameters: ReadonlyMap<string, string>;
}

const PARAMETER = /;\s*([^\s=;]{1,100})\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))/g;
const MAX_PARAMETERS = 200;

/**
 * Reads a value with parameters. Continuations (`filename*0*=`), percent-encoding with a charset, and encoded words in
 * quotes are undone.
 *
 * Source: RFC 2045 §5.1, RFC 2183, RFC 2231 §3 and §4; encoded words in parameters are forbidden and common.
 */
export function readStructured(text: string | undefined): StructuredValue {
  if (text === undefined) return { value: "", parameters: new Map() };
  const value = (/^[^;]*/.exec(text)?.[0] ?? "").trim().toLowerCase();
  const plain = new Map<string, string>();
  const pieces = new Map<string, { index: number; encoded: boolean; value: string }[]>();
  let count = 0;
  for (const [, rawName = "", quoted, bare = ""] of text.matchAll(PARAMETER)) {
    count += 1;
    if (count > MAX_PARAMETERS) break;
    const name = rawName.toLowerCase();
    const content = quoted === undefined ? bare.trim() : quoted.replace(/\\(.)/g, "$1");
    const [, base = "", index, star] = /^([^*]+)(?:\*(\d{1,3}))?(\*)?$/.exec(name) ?? [];
    if (base === "" || (index === undefined && star === undefined)) {
      if (!plain.has(name)) plain.set(name, decodeWords(content));
      continue;
    }
    const list = pieces.get(base) ?? [];
    list.push({ index: Number(index ?? 0), encoded: star !== undefined, value: content });
    pieces.set(base, list);
  }
  for (const [name, list] of pieces) plain.set(name, joinPieces(list));
  return { value, parameters: plain };
}

function joinPieces(list: readonly { index: number; encoded: boolean; value: string }[]): string {
  const ordered = [...list].sort((a, b) => a.index - b.index);
  let charset = "utf-8";
  const bytes = ordered.map((piece, position) => {
    let text = piece.value;
    if (position === 0 && piece.encoded) {
      const [, label, rest] = /^([^']*)'[^']*'(.*)$/s.exec(text) ?? [];
      if (rest !== undefined) {
        charset = label || "utf-8";
        text = rest;
      }
    }
    return piece.encoded ? percentDecoded(text) : Buffer.from(text);
  });
  const joined = Buffer.concat(bytes);
  return (decodeAs(joined, charset) ?? joined.toString("utf8")).replace(/\p{Cc}+/gu, " ");
}

function percentDecoded(text: string): Buffer {
  const pieces = text.split(/%([0-9a-f]{2})/i);
  return Buffer.concat(
    pieces.map((piece, index) => (index % 2 === 1 ? Buffer.from(piece, "hex") : Buffer.from(piece))),
  );
}
