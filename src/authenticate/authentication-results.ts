/** What a trusted relay found about SPF. */
export interface RelayedSpf {
  readonly result: string;
  readonly domain: string | null;
  readonly authservId: string;
}

const RESULTS = new Set(["none", "neutral", "pass", "fail", "softfail", "policy", "temperror", "permerror"]);

/**
 * The SPF verdict of the topmost Authentication-Results field whose authserv-id is in `authservIds`.
 *
 * The relay in front puts its own field on top; anything below may have come with the mail, so of several fields with
 * our id only the first counts, even when it says nothing of SPF. Never throws. Source: RFC 8601 §2.2, §2.7.2, §5.
 */
export function relayedSpfOf(fields: readonly string[], authservIds: readonly string[]): RelayedSpf | undefined {
  for (const field of fields) {
    const [head = "", ...results] = splitOutsideQuotes(withoutComments(field));
    const [authservId = "", version] = head.trim().split(/\s+/);
    const id = authservId.replace(/^"(.*)"$/, "$1").toLowerCase();
    if (!authservIds.some((ours) => ours.toLowerCase() === id)) continue;
    if (version !== undefined && version !== "1") return undefined;
    for (const result of results) {
      const [, verdict] = /^\s*spf\s*(?:\/\s*1\s*)?=\s*([a-z]+)/i.exec(result) ?? [];
      if (verdict === undefined || !RESULTS.has(verdict.toLowerCase())) continue;
      const [, written = ""] = /smtp\s*\.\s*(?:mailfrom|helo)\s*=\s*("[^"]*"|[^\s;]+)/i.exec(result) ?? [];
      const address = written.replace(/^"(.*)"$/, "$1");
      const domain = address.slice(address.lastIndexOf("@") + 1).toLowerCase();
      return { result: verdict.toLowerCase(), domain: domain === "" ? null : domain, authservId: id };
    }
    return undefined;
  }
  return undefined;
}

/** Comments nest (RFC 5322 §3.2.2); one pass with a counter. */
export function withoutComments(text: string): string {
  let kept = "";
  let depth = 0;
  let inQuotes = false;
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i] ?? "";
    if (character === "\\") {
      if (depth === 0) kept += text.slice(i, i + 2);
      i += 1;
    } else if (depth === 0 && character === '"') {
      inQuotes = !inQuotes;
      kept += character;
    } else if (inQuotes) kept += character;
    else if (character === "(") depth += 1;
    else if (character === ")") depth = Math.max(0, depth - 1);
    else if (depth === 0) kept += character;
  }
  return kept;
}

/** Cuts a field at its semicolons. */
export function splitOutsideQuotes(text: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  let inQuotes = false;
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === '"') inQuotes = !inQuotes;
    else if (text[i] === ";" && !inQuotes) {
      pieces.push(text.slice(start, i));
      start = i + 1;
    }
  }
  pieces.push(text.slice(start));
  return pieces;
}
