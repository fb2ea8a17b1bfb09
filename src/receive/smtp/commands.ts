import type { SMTPServerAddress, SMTPServerSession } from "smtp-server";

import type { Tasks } from "../../lib/tasks.ts";
import type { MailConnection } from "./connection.ts";
import type { Login, MailDoorServices } from "./door.ts";
import { findRecipient } from "./recipient.ts";
import type { Reply } from "./reply.ts";
import { replyRefused, replyTryLater } from "./reply.ts";

/** An error that the library turns into exactly this reply. */
class ReplyError extends Error {
  readonly responseCode: number;
  constructor(reply: Reply) {
    super(reply.text);
    this.responseCode = reply.code;
  }
}

export interface CommandParts {
  readonly services: MailDoorServices;
  readonly tasks: Tasks;
  readonly tlsRequired: boolean;
  readonly connectionOf: (session: SMTPServerSession) => MailConnection | undefined;
  readonly onFault: (sentence: string, error: unknown) => void;
}

/** What the library asks at AUTH, MAIL and RCPT, in its form of callbacks. */
export interface Commands {
  onAuth(
    auth: { readonly password?: string | undefined },
    session: SMTPServerSession,
    callback: (error: Error | null, response?: { readonly user: string }) => void,
  ): void;
  onMailFrom(address: SMTPServerAddress, session: SMTPServerSession, callback: (error?: Error | null) => void): void;
  onRcptTo(address: SMTPServerAddress, session: SMTPServerSession, callback: (error?: Error | null) => void): void;
}

/** The answers to AUTH, MAIL and RCPT. A bug of ours is a 451: without a reply it would be a 550 in the library. */
export function commandsOf(parts: CommandParts): Commands {
  return {
    onAuth: (auth, session, callback) =>
      parts.tasks.run("AUTH", async () => {
        const login = await parts.services
          .login(auth.password ?? "", session.remoteAddress)
          .catch((error: unknown): Login => {
            parts.onFault("AUTH could not be answered", error);
            return { kind: "tryLater", cause: "our-fault" };
          });
        if (login.kind === "ok") return callback(null, { user: login.user });
        if (login.kind === "tryLater") return callback(refuse(replyTryLater(login.cause), session, parts));
        const isGuessing = parts.connectionOf(session)?.countWrongLogin() ?? true;
        const reply = isGuessing ? replyTryLater("guessing") : replyRefused("credentials-wrong");
        callback(refuse(reply, session, parts));
      }),
    onMailFrom: (address, session, callback) => {
      let refusal: Reply | undefined;
      try {
        refusal = mailFrom(address, session, parts);
      } catch (error) {
        refusal = unanswered(error, parts);
      }
      callback(refusal === undefined ? null : refuse(refusal, session, parts));
    },
    onRcptTo: (address, session, callback) =>
      parts.tasks.run("RCPT", async () => {
        const refusal = await rcptTo(address, session, parts).catch((error: unknown) => unanswered(error, parts));
        callback(refusal === undefined ? null : refuse(refusal, session, parts));
      }),
  };
}

/** The error for this reply; the library sends it at once, when it is handed over. */
function refuse(reply: Reply, session: SMTPServerSession, { connectionOf }: CommandParts): ReplyError {
  connectionOf(session)?.giveCause(reply);
  return new ReplyError(reply);
}

/** Without a reply of ours a bug would be a 550 of the library. */
function unanswered(error: unknown, { onFault }: CommandParts): Reply {
  onFault("A command could not be answered", error);
  return replyTryLater("our-fault");
}

function mailFrom(
  { address }: SMTPServerAddress,
  session: SMTPServerSession,
  { services, tlsRequired, connectionOf }: CommandParts,
): Reply | undefined {
  if (tlsRequired && !session.secure) return replyRefused("tls-required");
  const cause = services.whyNotNow();
  if (cause !== undefined) return replyTryLater(cause);
  if (connectionOf(session)?.isKnownPeer !== false) return undefined;
  const senderDomain = address.slice(address.lastIndexOf("@") + 1).toLowerCase();
  return services.limits.tryMail(session.remoteAddress, senderDomain, Date.now())
    ? undefined
    : replyTryLater("rate-limited");
}

async function rcptTo(
  address: SMTPServerAddress,
  session: SMTPServerSession,
  { services, connectionOf }: CommandParts,
): Promise<Reply | undefined> {
  const connection = connectionOf(session);
  if (connection === undefined) throw new Error("a RCPT without a connection");
  if (connection.isFull) return replyTryLater("too-many-recipients");
  const askedAt = Date.now();
  connection.asksFor({ address: address.address, hook: undefined });
  const answer = await findRecipient(address.address, session.remoteAddress, services);
  connection.asksFor({
    address: address.address,
    hook: answer.kind === "accepted" ? answer.recipient.hook : answer.hook,
  });
  const cause = answer.kind === "accepted" ? services.whyNotNow() : undefined;
  if (cause !== undefined) return replyTryLater(cause);
  switch (answer.kind) {
    case "accepted":
      return connection.tryAddRecipient({ ...answer.recipient, askedAt })
        ? undefined
        : replyTryLater("too-many-recipients");
    case "refused":
      if (answer.cause === "no-such-hook" && (await connection.isGuessing())) return replyTryLater("guessing");
      return replyRefused(answer.cause);
    case "tryLater":
      return replyTryLater(answer.cause);
  }
}
