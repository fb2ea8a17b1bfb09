import type { Lookup } from "../../src/authenticate/dns-lookups.ts";
import { headerRowsOf } from "../../src/authenticate/header-rows.ts";
import { senderFieldsOf } from "../../src/authenticate/sender-fields.ts";
import { readSignatures } from "../../src/authenticate/signatures-of-mail.ts";
import type { MailHeader } from "../../src/model/mail-header.ts";
import type { OracleReading } from "./mailauth-oracle.ts";

/** Our verdicts in the form of mailauth's. */
export async function readingOf(
  mail: Buffer,
  lookup: Lookup,
  header: MailHeader = headerRowsOf(mail),
): Promise<OracleReading> {
  const fields = senderFieldsOf(mail, header);
  const { dkim, arc } = await readSignatures({ mail, header, ...fields }, lookup, Date.now());
  return {
    signatures: (dkim["signatures"] as readonly { readonly result: string }[]).map(({ result }) => result),
    arc: arc.result,
    claimed: (arc["claimed"] ?? null) as OracleReading["claimed"],
    headerFrom: fields.headerFrom,
  };
}
