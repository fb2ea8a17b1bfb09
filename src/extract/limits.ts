/** Limits of extraction; what passes one dead-letters the mail with the limit's name, nothing is cut in silence. */
export interface ExtractLimits {
  readonly jsonDepth: number;
  readonly items: number;
  /** How deep HTML elements may nest where a tree is needed (microdata, visible text). */
  readonly htmlDepth: number;
  /** How many HTML elements there may be where a tree is needed. */
  readonly htmlNodes: number;
}

/** Limits of a page as a tree. */
export type HtmlLimits = Pick<ExtractLimits, "htmlDepth" | "htmlNodes">;

/** How a mail is looked through. */
export interface ExtractOptions {
  /** Whether the named repairs are tried. */
  readonly repair: boolean;
  /** The address of the page, for relative ones in it. */
  readonly baseUrl?: string;
  /** Value of the mail's `X-Hook-Key` header: it holds for every item. */
  readonly hookKeyHeader?: string;
  readonly limits: ExtractLimits;
}

/** Equal values are one item: a text may repeat them this often before it is no longer looked at. */
const REPEATS_PER_ITEM = 100;

/** How far a text is looked through. */
export function proseOptionsOf({ repair, limits: { jsonDepth, items } }: ExtractOptions): {
  readonly repair: boolean;
  readonly maxDepth: number;
  readonly maxItems: number;
} {
  return { repair, maxDepth: jsonDepth, maxItems: REPEATS_PER_ITEM * items };
}
