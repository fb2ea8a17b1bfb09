/**
 * The line (1-based) of a JSON text on which the value that a JSON Pointer names begins; of its nearest parent that is
 * there when it is missing, and 1 when the text is no JSON.
 *
 * Source: RFC 6901.
 */
export function lineOfPointer(text: string, pointer: string): number {
  const wanted = pointer
    .split("/")
    .slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
  const tokens = /[{}[\],:]|"[^"\\]*(?:\\.[^"\\]*)*"|[^\s{}[\],:"]+/gs;
  const path: { key: string | number; isArray: boolean }[] = [];
  let best = { depth: -1, offset: 0 };
  let expectsKey = false;
  const matched = (): number => {
    const keys = path.map(({ key }) => String(key));
    return keys.length <= wanted.length && keys.every((key, index) => key === wanted[index]) ? keys.length : -1;
  };
  const begin = (offset: number) => {
    const depth = matched();
    if (depth > best.depth) best = { depth, offset };
  };
  for (const { 0: token, index } of text.matchAll(tokens)) {
    const inside = path.at(-1);
    if (token === "{" || token === "[") {
      begin(index);
      path.push({ key: token === "[" ? 0 : "", isArray: token === "[" });
      expectsKey = token === "{";
    } else if (token === "}" || token === "]") {
      path.pop();
      expectsKey = false;
    } else if (token === ",") {
      if (inside?.isArray === true) inside.key = Number(inside.key) + 1;
      else expectsKey = true;
    } else if (token === ":") expectsKey = false;
    else if (expectsKey && inside !== undefined) {
      inside.key = keyOf(token);
      // A member is pointed at where its name stands, which is where a person looks.
      begin(index);
    } else begin(index);
  }
  return text.slice(0, best.offset).split("\n").length;
}

function keyOf(token: string): string {
  try {
    return String(JSON.parse(token));
  } catch {
    // No JSON after all: the parser's own complaint is shown beside it.
    return token;
  }
}
