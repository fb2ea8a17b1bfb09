import type { BlockList } from "node:net";
import { isIPv6 } from "node:net";
import type { SecureContextOptions } from "node:tls";

import type { SMTPServerOptions, SMTPServerSession } from "smtp-server";

import { Tasks } from "../../lib/tasks.ts";
import type { Envelope, ReceivedMail, Recipient } from "../../model/mail.ts";
import type { Outcome, TryLaterCause } from "../../model/outcome.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Admission } from "../admission.ts";
import type { ClientLimits } from "../client-limits.ts";
import { commandsOf } from "./commands.ts";
import { ConnectionServer } from "./connection-server.ts";
import { MailConnection } from "./connection.ts";
import { MAX_COMMAND_BYTES } from "./limits.ts";
import { isMailLoop } from "./received-fields.ts";
import type { RecipientServices } from "./recipient.ts";
import type { Reply } from "./reply.ts";
import { replyOutcome, replyRefused, replyTaken, replyTryLater } from "./reply.ts";

export interface MailDoorSettings {
  readonly lmtp: boolean;
  /** The name in the greeting; of our mail domains the first. */
  readonly name: string;
  readonly maxMessageBytes: number;
  /** What one transaction may become: each recipient past it hears 452, and the relay sends the rest separately. */
  readonly transactionLimits: TransactionLimits;
  readonly idleTimeoutMs: number;
  readonly transactionTimeoutMs: number;
  readonly softBounce: boolean;
  readonly tls: (SecureContextOptions & { readonly required: boolean }) | undefined;
  /** The listener speaks TLS from the first byte (SMTPS). */
  readonly implicitTls: boolean;
  /** CIDRs of relays whose XCLIENT, XFORWARD and bare line feeds are believed. */
  readonly trustedRelays: BlockList;
  /** Every connection has to begin with a PROXY header from a trusted relay (contract §9, POSTHORN_SMTP_PROXY). */
  readonly proxyRequired: boolean;
  /** Who may connect at all; `undefined` is anybody. */
  readonly allowedClients: BlockList | undefined;
  /** Connections that may wait for a PROXY header or a TLS handshake at once. */
  readonly maxPending: number;
}

interface TransactionLimits {
  /** Announced bytes times deliveries. */
  readonly bytes: number;
  /** What a mail of unannounced size is taken for. */
  readonly unannouncedBytes: number;
  readonly recipients: number;
}

/** One refusal as the relay hears it. */
export interface MailRefusal {
  readonly reply: Reply;
  /** It answers a mail that came whole. */
  readonly isOfMail: boolean;
  readonly remoteAddress: string;
  /** The hook that the recipient led to. */
  readonly hookEventName: string | undefined;
  /** MAIL FROM, once there was one. */
  readonly from: string | undefined;
  /** The address of the RCPT that the reply is about, or of the last one, as it was written. */
  readonly recipient: string | undefined;
}

/** What became of one AUTH. */
export type Login =
  | { readonly kind: "ok"; readonly user: string }
  | { readonly kind: "wrong" }
  | { readonly kind: "tryLater"; readonly cause: TryLaterCause };

export interface MailDoorServices extends RecipientServices {
  /** What became of the mail: `whole` speaks for all over SMTP, `each` for every recipient over LMTP. Never throws. */
  deliver(
    mail: ReceivedMail,
  ): Promise<{ readonly whole: Outcome | { readonly kind: "taken" }; readonly each: readonly Outcome[] }>;
  /** The relay went away before it heard what became of its mail: it will come again with what was stored. */
  onUnheard(each: readonly Outcome[]): void;
  /** Why nothing can be taken now, asked before a mail is received; `undefined` when it can. */
  whyNotNow(): TryLaterCause | undefined;
  /** Room for one more mail to be parsed. */
  hasRoom(): boolean;
  /** Whether a relay's password opens anything; its user name says nothing that the password does not. */
  login(password: string, remoteAddress: string): Promise<Login>;
  /** Told of every 4xx and 5xx as it goes out; returns at once. */
  onRefusal(refusal: MailRefusal): void;
  readonly admission: Admission;
  /** What one stranger may do; trusted relays and our own side are not asked. */
  readonly limits: ClientLimits;
  readonly log: Log;
}

/** What a mail is answered, one reply or one for each recipient. */
export interface MailReplies {
  readonly replies: readonly Reply[];
  /** To be called when the relay is gone before it heard them. */
  readonly onUnheard: () => void;
}

const TURNED_AWAY_EVERY_MS = 60_000;

/** One SMTP or LMTP listener. */
export class MailDoor {
  readonly settings: MailDoorSettings;
  readonly #services: MailDoorServices;
  readonly #server: ConnectionServer;
  readonly #commands: Tasks;
  readonly #connectionOf = new WeakMap<SMTPServerSession, MailConnection>();
  isStopping = false;
  #turnedAway = 0;
  #turnedAwayTold = -Infinity;

  constructor(settings: MailDoorSettings, services: MailDoorServices) {
    this.settings = settings;
    this.#services = services;
    this.#commands = new Tasks((name, error) => this.onFault(`The reply to ${name} could not be sent`, error));
    this.#server = new ConnectionServer(this.#options());
    this.#server.door = this;
    // A client that goes away is no fault of ours, and the library says no more than that here.
    this.#server.on("error", (error) => services.log.debug("A mail connection ended with an error", { error }));
  }

  get limits(): ClientLimits {
    return this.#services.limits;
  }

  get admission(): Admission {
    return this.#services.admission;
  }

  /** Starts to listen on `host` and `port`, or on a Unix socket. Throws when the address is taken. */
  listen(
    address: { readonly host: string; readonly port: number } | { readonly path: string },
  ): Promise<{ port: number }> {
    return new Promise((resolve, reject) => {
      const { server } = this.#server;
      server.once("error", reject);
      server.listen(address, () => {
        server.off("error", reject);
        const bound = server.address();
        resolve({ port: bound !== null && typeof bound === "object" ? bound.port : 0 });
      });
    });
  }

  /**
   * Lets mails that are coming in or being stored end, for `graceMs` at most; everybody else hears 421 at once, between
   * MAIL and DATA too (RFC 5321 §3.8 lets a server that has to stop say so unasked). New connections hear 421 until the
   * last one is gone.
   */
  async close(graceMs: number): Promise<void> {
    this.isStopping = true;
    const deadline = performance.now() + graceMs;
    for (;;) {
      for (const connection of this.#open()) if (!connection.isBusy) connection.reply(replyTryLater("shutting-down"));
      if (this.#open().length === 0 || performance.now() >= deadline) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const connection of this.#open()) connection.reply(replyTryLater("shutting-down"));
    await new Promise<void>((resolve) => {
      this.#server.server.close(() => resolve());
      this.#server.destroyPending();
      for (const connection of this.#server.connections) connection._socket.destroySoon();
    });
  }

  /** Whether `remoteAddress` is in POSTHORN_TRUSTED_RELAYS. */
  isTrusted(remoteAddress: string): boolean {
    return isIn(this.settings.trustedRelays, remoteAddress);
  }

  /** Whether `remoteAddress` may connect at all; a Unix socket has its file's mode for that. */
  isAllowed(remoteAddress: string): boolean {
    const { allowedClients } = this.settings;
    return allowedClients === undefined || remoteAddress === "" || isIn(allowedClients, remoteAddress);
  }

  /** Takes a renewed certificate for all handshakes from now on; sessions that are up keep theirs. */
  useCertificate(certificate: Pick<SecureContextOptions, "key" | "cert">): void {
    this.#server.updateSecureContext(certificate as { key: Buffer; cert: Buffer });
  }

  /** Why a mail of about so many bytes cannot be taken now, known before a byte of it is sent. */
  whyNoMail(declaredBytes: number): TryLaterCause | undefined {
    const { admission } = this.#services;
    return (
      this.#services.whyNotNow() ??
      (this.#services.hasRoom() && admission.bytes.fits(Math.max(1, declaredBytes)) ? undefined : "busy")
    );
  }

  onRefusal(connection: MailConnection, reply: Reply, isOfMail: boolean): void {
    const { asked, remoteAddress, session } = connection;
    const mailFrom = session.envelope?.mailFrom;
    this.#services.onRefusal({
      reply,
      isOfMail,
      remoteAddress,
      hookEventName: asked?.hook?.eventName,
      from: mailFrom ? mailFrom.address : undefined,
      recipient: asked?.address,
    });
  }

  /** A connection that was closed before it began: told once a minute, with how many there were since. */
  onTurnedAway(remoteAddress: string, why: string): void {
    this.#turnedAway += 1;
    const now = performance.now();
    if (now - this.#turnedAwayTold < TURNED_AWAY_EVERY_MS) return;
    this.#services.log.info("Connection closed without a reply", { remoteAddress, why, count: this.#turnedAway });
    this.#turnedAway = 0;
    this.#turnedAwayTold = now;
  }

  onFault(sentence: string, error: unknown): void {
    this.#services.log.error(sentence, { error });
  }

  /** The replies for one mail: one over SMTP, one per RCPT over LMTP. */
  async deliver(
    bytes: Uint8Array,
    envelope: Envelope,
    recipients: readonly Recipient[],
    about: Pick<ReceivedMail, "peer" | "transactionId" | "queueId">,
  ): Promise<MailReplies> {
    if (isMailLoop(bytes)) {
      const replies = recipients.slice(0, this.settings.lmtp ? undefined : 1).map(() => replyRefused("mail-loop"));
      return { replies, onUnheard: () => undefined };
    }
    const { whole, each } = await this.#services.deliver({
      bytes,
      envelope,
      recipients,
      receivedAt: Date.now(),
      ...about,
    });
    const onUnheard = () => this.#services.onUnheard(each);
    if (this.settings.lmtp) return { replies: each.map(replyOutcome), onUnheard };
    return { replies: [whole.kind === "taken" ? replyTaken(each) : replyOutcome(whole)], onUnheard };
  }

  remember(connection: MailConnection): void {
    this.#connectionOf.set(connection.session, connection);
  }

  #open(): MailConnection[] {
    return [...this.#server.connections].filter((connection) => connection instanceof MailConnection);
  }

  #options(): SMTPServerOptions {
    const { settings } = this;
    return {
      name: settings.name,
      banner: "Posthorn",
      lmtp: settings.lmtp,
      size: settings.maxMessageBytes,
      secure: settings.implicitTls,
      ...(settings.tls && { key: settings.tls.key, cert: settings.tls.cert, minVersion: "TLSv1.2" }),
      // Asked for, never demanded: who has none, or another CA's, is a stranger like before.
      ...(settings.tls?.ca !== undefined && { ca: settings.tls.ca, requestCert: true, rejectUnauthorized: false }),
      hideSTARTTLS: settings.tls === undefined,
      hideENHANCEDSTATUSCODES: false,
      hideDSN: true,
      authOptional: true,
      useXClient: true,
      useXForward: true,
      // Our connections offer AUTH over TLS and loopback only, which is stricter than what the library asks for.
      allowInsecureAuth: true,
      authMethods: ["PLAIN", "LOGIN"],
      // WIZ, SHELL and KILL are jokes in the library.
      disabledCommands: ["WIZ", "SHELL", "KILL", "ETRN", ...(settings.tls === undefined ? ["STARTTLS"] : [])],
      disableReverseLookup: true,
      // Of connections this bounds those before their session; the others are counted by `admission`.
      maxClients: settings.maxPending,
      maxCommandLength: MAX_COMMAND_BYTES,
      maxRecipients: Number.MAX_SAFE_INTEGER,
      socketTimeout: settings.idleTimeoutMs,
      logger: false,
      ...commandsOf({
        services: this.#services,
        tasks: this.#commands,
        tlsRequired: settings.tls?.required === true,
        connectionOf: (session) => this.#connectionOf.get(session),
        onFault: (sentence, error) => this.onFault(sentence, error),
      }),
    } as SMTPServerOptions;
  }
}

function isIn(list: BlockList, address: string): boolean {
  return address !== "" && list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
