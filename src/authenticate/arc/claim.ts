import { splitOutsideQuotes, withoutComments } from "../authentication-results.ts";

/** What the newest sealer of a chain says it found; worth as much as the sealer is. */
export interface ArcClaim {
  readonly by: string | null;
  readonly dmarc: string | null;
  /** The author's domain that the verdict is about. */
  readonly from: string | null;
}

const WORDS = /(?:[^\s"]|"[^"]*")+/g;

/** Reads the value of an ARC-Authentication-Results field. Never throws. Source: RFC 8617 §4.1.1, RFC 8601 §2.2. */
export function claimOf(value: string): ArcClaim {
  const claim: { -readonly [Name in keyof ArcClaim]: ArcClaim[Name] } = { by: null, dmarc: null, from: null };
  for (const piece of splitOutsideQuotes(withoutComments(value))) {
    const equals = piece.indexOf("=");
    if (equals < 0) claim.by ??= piece.trim().split(/\s/, 1)[0]?.toLowerCase() || null;
    else if (piece.slice(0, equals).trim().toLowerCase() === "dmarc") {
      const [result = "", ...properties] = piece.slice(equals + 1).match(WORDS) ?? [];
      const from = properties.findLast((word) => word.startsWith("header.from="));
      claim.dmarc = result === "" ? null : withoutQuotes(result);
      claim.from = from === undefined ? null : withoutQuotes(from.slice("header.from=".length));
    }
  }
  return claim;
}

const withoutQuotes = (word: string) => word.replaceAll('"', "");
