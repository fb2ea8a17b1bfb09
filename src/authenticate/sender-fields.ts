import type { HeaderRow, MailHeader } from "../model/mail-header.ts";
import { arcRows } from "./arc/chain.ts";
import { authorAddresses } from "./author-addresses.ts";

/** The fields of a mail that say something about its sender. */
export interface SenderFields {
  /** Addresses in From, and how many From fields there are. */
  readonly headerFrom: readonly string[];
  readonly fromFields: number;
  /** Values of the Authentication-Results fields, topmost first. */
  readonly authenticationResults: readonly string[];
  readonly signatures: readonly HeaderRow[];
  /** Rows of ARC sets. */
  readonly chain: readonly HeaderRow[];
}

/** Takes from a cut header what authentication depends on; the other fields are not looked into. */
export function senderFieldsOf(mail: Buffer, { fields }: MailHeader): SenderFields {
  const named = (name: string) => fields.filter((row) => row.name === name);
  const from = named("from");
  return {
    headerFrom: from.flatMap((row) => authorAddresses(valueOf(mail, row))),
    fromFields: from.length,
    authenticationResults: named("authentication-results").map((row) => valueOf(mail, row)),
    signatures: named("dkim-signature"),
    chain: arcRows(fields),
  };
}

/** Unfolded, as UTF-8 (RFC 6532). */
function valueOf(mail: Buffer, { start, end }: HeaderRow): string {
  const colon = mail.indexOf(":", start);
  return mail
    .toString("utf8", colon < 0 || colon >= end ? end : colon + 1, end)
    .replace(/\r?\n/g, "")
    .trim();
}
