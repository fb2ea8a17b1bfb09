/** One header field as it lies in the mail, its folds included. */
export interface HeaderRow {
  /** Lower case. */
  readonly name: string;
  /** Offset of the first byte of its name. */
  readonly start: number;
  /** Offset behind its last byte; the line end after it is not part of it. */
  readonly end: number;
}

/** The header block of a mail, cut into its fields, and where the body begins. */
export interface MailHeader {
  readonly fields: readonly HeaderRow[];
  readonly bodyStart: number;
  /** The block is longer than was allowed; then `fields` is empty. */
  readonly isTooLong: boolean;
}
