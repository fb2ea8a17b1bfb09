import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

import type { SMTPServerSession } from "smtp-server";

import type { Envelope } from "../../model/mail.ts";

/** What a session is at the moment a mail ends. */
export interface SessionFacts {
  readonly session: SMTPServerSession;
  readonly socket: Socket | TLSSocket;
  readonly secure: boolean;
  readonly lmtp: boolean;
  /** EHLO, HELO or LHLO. */
  readonly openingCommand: string | false;
}

/** The envelope of the mail that a session has just sent. The protocol is in the words of RFC 3848. */
export function envelopeOf(facts: SessionFacts): Envelope {
  const { session, socket, secure } = facts;
  const { mailFrom } = session.envelope;
  const tls = socket as Partial<TLSSocket>;
  return {
    from: mailFrom === false ? "" : mailFrom.address,
    remoteAddress: session.remoteAddress,
    helo: session.hostNameAppearsAs || "",
    protocol: protocolOf(facts),
    tls: secure && tls.getProtocol !== undefined ? `${tls.getProtocol() ?? ""} ${tls.getCipher?.().name ?? ""}` : null,
  };
}

function protocolOf({ session, secure, lmtp, openingCommand }: SessionFacts): Envelope["protocol"] {
  if (lmtp) return secure ? "LMTPS" : "LMTP";
  if (openingCommand === "HELO") return "SMTP";
  return `ESMTP${secure ? "S" : ""}${session.user ? "A" : ""}` as Envelope["protocol"];
}

/** What SIZE= at MAIL announced (RFC 1870), 0 without it. */
export function declaredBytes({ envelope: { mailFrom } }: SMTPServerSession): number {
  const args = mailFrom === false ? undefined : (mailFrom.args as { readonly SIZE?: string } | false | undefined);
  const size = args === false ? Number.NaN : Number(args?.SIZE);
  return Number.isSafeInteger(size) && size > 0 ? size : 0;
}
