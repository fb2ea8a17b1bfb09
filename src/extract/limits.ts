/** Limits of extraction; what passes one dead-letters the mail with the limit's name, nothing is cut in silence. */
export interface ExtractLimits {
  readonly jsonDepth: number;
  readonly items: number;
  /** How deep HTML elements may nest where a tree is needed (microdata, visible text). */
  readonly htmlDepth: number;
}
