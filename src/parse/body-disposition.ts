import { percentDecoded } from "../lib/percent-decoded.ts";

/** The name of a field and of its file, from the Content-Disposition of one part. */
interface Disposition {
  readonly name: string;
  /** Without folders; `null` when the part is a field. */
  readonly filename: string | null;
  /** The name with one character for each byte. */
  readonly rawName: string;
  /** The same of the file's name, folders and all; `undefined` when it says its charset itself. */
  readonly rawFilename: string | undefined;
}

const PARAMETER = /;[\t ]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[\t ]*=[\t ]*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))[\t ]*/gsy;

/**
 * Reads `form-data; name="a"; filename="b.txt"`. `text` has one character for each byte. Never throws.
 *
 * Names are UTF-8, else Windows-1252, as browsers and old clients send them; a backslash escapes only `"` and itself,
 * because old browsers send whole Windows paths.
 *
 * Source: RFC 7578 §4.2, RFC 6266, RFC 8187; WHATWG HTML, "multipart/form-data encoding algorithm".
 */
export function parseDisposition(text: string): Disposition | undefined {
  const [, rest] = /^form-data[\t ]*(;.*)$/is.exec(text) ?? [];
  if (rest === undefined) return undefined;
  const parameters = new Map<string, string>();
  let end = 0;
  for (const match of rest.matchAll(PARAMETER)) {
    const [whole, name = "", quoted, token = ""] = match;
    end = match.index + whole.length;
    // Of two names the first counts, everywhere alike.
    if (!parameters.has(name.toLowerCase()))
      parameters.set(name.toLowerCase(), quoted === undefined ? token : quoted.replace(/\\(["\\])/g, "$1"));
  }
  const name = parameters.get("name");
  if (end !== rest.length || name === undefined) return parseUnescaped(rest);
  const extended = extendedValue(parameters.get("filename*"));
  const plain = parameters.get("filename");
  const filename = extended ?? (plain === undefined ? null : decode(plain));
  const rawFilename = extended === undefined ? plain : undefined;
  return { name: decode(name), filename: filename === null ? null : baseName(filename), rawName: name, rawFilename };
}

/** What old browsers send (Firefox 3, Internet Explorer 8): quotes inside a file's name as they are. */
function parseUnescaped(rest: string): Disposition | undefined {
  const [, name, filename] = /^;[\t ]*name="([^"]*)"[\t ]*;[\t ]*filename="(.*)"[\t ]*$/is.exec(rest) ?? [];
  if (name === undefined || filename === undefined) return undefined;
  return { name: decode(name), filename: baseName(decode(filename)), rawName: name, rawFilename: filename };
}

/** `UTF-8''na%C3%AFve.txt` (RFC 8187 §3.2). */
function extendedValue(text: string | undefined): string | undefined {
  const [, escaped] = /^utf-8'[^']*'(.*)$/i.exec(text ?? "") ?? [];
  // Where escapes are damaged, the plain parameter stands beside it.
  return escaped === undefined ? undefined : percentDecoded(escaped);
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });
const WINDOWS = new TextDecoder("windows-1252");

function decode(text: string): string {
  const bytes = Buffer.from(text, "latin1");
  try {
    return UTF8.decode(bytes);
  } catch {
    return WINDOWS.decode(bytes);
  }
}

/** A path in a file name is never ours to follow. */
export function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}
