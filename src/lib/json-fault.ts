/** Where a text stops being JSON, and what stands there; never the text itself, which may hold secrets. */
export interface JsonFault {
  /** "unexpected end of input", say. */
  readonly what: string;
  /** Both 1-based. */
  readonly line: number;
  readonly column: number;
}

const TOKEN =
  // A string of JSON holds no control characters (RFC 8259 §7).
  // oxlint-disable-next-line no-control-regex
  /[\t\n\r ]*(?:([{}[\],:])|("[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|(?:true|false|null)(?!\w)))/y;

type Expected = "value" | "first value or ]" | "first name or }" | "name" | ":" | ", or end" | "nothing more";

/**
 * The first fault of a text by the grammar of RFC 8259, or what is nested deeper than `maxDepth`; undefined when there is
 * none. For the words of an error: V8's repeat a piece of the text, and do not always say where it stands (Node 24).
 */
export function jsonFaultOf(text: string, maxDepth: number): JsonFault | undefined {
  const open: string[] = [];
  let expected: Expected = "value";
  let at = 0;
  const fault = (what: string): JsonFault => ({ what, ...placeOf(text, at) });
  for (;;) {
    TOKEN.lastIndex = at;
    const [whole = "", mark, name] = TOKEN.exec(text) ?? [];
    if (whole === "") {
      at += /[\t\n\r ]*/y.exec(text.slice(at))?.[0].length ?? 0;
      if (at < text.length) return fault(wordFor(text.slice(at, at + 1), expected));
      return expected === "nothing more" ? undefined : fault("unexpected end of input");
    }
    const next = after(expected, mark ?? (name === undefined ? "literal" : "text"), open);
    const end = at + whole.length;
    at += whole.length - whole.trimStart().length;
    if (next === undefined)
      return fault(mark === undefined ? `unexpected ${name === undefined ? "value" : "text"}` : `unexpected ${mark}`);
    if (open.length > maxDepth) return fault(`nested deeper than ${maxDepth} levels`);
    expected = next;
    at = end;
  }
}

/** What may come behind a token; undefined where the token may not stand. Keeps `open` up to date. */
function after(expected: Expected, token: string, open: string[]): Expected | undefined {
  const ended = (): Expected => (open.length === 0 ? "nothing more" : ", or end");
  const inObject = open.at(-1) === "{";
  switch (token) {
    case "{":
    case "[":
      if (expected !== "value" && expected !== "first value or ]") return undefined;
      open.push(token);
      return token === "{" ? "first name or }" : "first value or ]";
    case "}":
      if (!inObject || (expected !== "first name or }" && expected !== ", or end")) return undefined;
      open.pop();
      return ended();
    case "]":
      if (open.length === 0 || inObject || (expected !== "first value or ]" && expected !== ", or end"))
        return undefined;
      open.pop();
      return ended();
    case ",":
      if (expected !== ", or end") return undefined;
      return inObject ? "name" : "value";
    case ":":
      return expected === ":" ? "value" : undefined;
    case "text":
      if (expected === "name" || expected === "first name or }") return ":";
      return expected === "value" || expected === "first value or ]" ? ended() : undefined;
    default:
      return expected === "value" || expected === "first value or ]" ? ended() : undefined;
  }
}

/** Of what is no token of JSON only its kind is told. */
function wordFor(character: string, expected: Expected): string {
  if (character === '"') return "text that is not ended, or holds a control character or a wrong escape";
  if (character === "'") return "unexpected ', where names and texts stand between \"";
  return expected === "nothing more" ? "more text behind the value" : "unexpected character";
}

function placeOf(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at);
  return { line: before.split("\n").length, column: at - before.lastIndexOf("\n") };
}
