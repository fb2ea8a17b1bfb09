import type { JsonText } from "./mail.ts";

export type ItemFormat = "json" | "json-ld" | "microdata";

/** Where an item was found. */
export interface ItemSource {
  /** Number of the MIME part, "1.2"; "0" when there is no MIME tree (a bare HTML or JSON file). */
  readonly part: string;
  readonly mediaType: string;
  /** What inside the part: `null` for the part itself. */
  readonly element: "script" | "microdata" | "pre" | "code" | "text" | null;
  readonly filename: string | null;
  readonly forwarded: boolean;
  /** It stood in the quote of a reply (`blockquote`, `gmail_quote`, `> `). Left out of the event when false. */
  readonly quoted?: boolean;
}

/** The repairs seen in the wild (contract §4), each named in `Item.repaired`. */
export type Repair =
  | "bom"
  | "html-comment"
  | "cdata"
  | "html-entities"
  | "trailing-comma"
  | "trailing-semicolon"
  | "control-characters"
  | "raw-line-breaks"
  | "single-quote-escape"
  | "nbsp"
  | "invisible-characters"
  | "written-out-link"
  | "javascript-comments"
  | "missing-comma"
  | "several-values"
  | "rejoined-998"
  | "rejoined-sendmail";

/** One JSON text found in a mail (contract §4). */
export interface Item {
  readonly format: ItemFormat;
  readonly source: ItemSource;
  /** Absolute types of the top-level nodes, schema.org always https; empty for plain JSON. */
  readonly types: readonly string[];
  readonly repaired: readonly Repair[];
  readonly value: JsonText;
  /** A remote context that is not bundled: the value stays as sent. */
  readonly context?: "unknown";
  /** JSON Pointers of members whose name stood twice; the last one counts for `select` and `schema`. */
  readonly duplicateKeys?: readonly string[];
  /** The `data-kustomer-key` or `X-Hook-Key` it came under. Compared in the worker; never reaches an event or a log. */
  readonly key?: string;
  /** The address against which its relative IRIs are read. Never reaches an event. */
  readonly baseUrl?: string;
  /** Further places where an equal value stood, with the key it came under there. Never reaches an event. */
  readonly repeated?: readonly ItemPlace[];
}

/** Where an equal value stood once more. */
export interface ItemPlace {
  readonly format: ItemFormat;
  readonly source: ItemSource;
  readonly key?: string;
}

/** A candidate that became no item, for `data.skipped` and `extract --explain`. */
export interface Skipped {
  readonly source: ItemSource;
  readonly reason: string;
  /** 1-based position inside the candidate's text, where it is known. */
  readonly line?: number;
  readonly column?: number;
}

export type LimitName = "parts" | "mime-depth" | "header-bytes" | "json-depth" | "items" | "html-depth" | "html-nodes";

/** What was found in one mail, page or text. */
export interface Extraction {
  readonly items: readonly Item[];
  readonly skipped: readonly Skipped[];
  /** The limit that was passed: the whole mail is dead-lettered with its name, nothing is cut silently. */
  readonly limit?: { readonly limit: LimitName; readonly detail: string };
  /** What was looked at and why it was or was not taken, in order, for people (`extract --explain`, dead letters). */
  readonly notes: readonly string[];
  /** A known cause for finding nothing, with what to do about it: a manual Gmail forward, say, which strips markup. */
  readonly cause?: string;
}
