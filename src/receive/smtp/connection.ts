import { isIPv4 } from "node:net";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

import type { SMTPServer } from "smtp-server";
import type { SMTPConnection } from "smtp-server/lib/smtp-connection.js";

import { isInternal } from "../../lib/networks.ts";
import type { Peer, Recipient } from "../../model/mail.ts";
import type { AddressCommand, AddressVerb } from "./address-command.ts";
import { hasForeignParameter, readAddressCommand } from "./address-command.ts";
import type { ConnectionOptions } from "./connection-server.ts";
import { AboutAddress } from "./about-address.ts";
import type { MailDoor } from "./door.ts";
import type { SessionFacts } from "./envelope-of.ts";
import { declaredBytes, envelopeOf } from "./envelope-of.ts";
import { Guesses } from "./guesses.ts";
import type { DataEnd } from "./mail-stream.ts";
import { MailStream } from "./mail-stream.ts";
import type { Reply } from "./reply.ts";
import { replyRefused, replyTryLater } from "./reply.ts";
import { ReplyingConnection } from "./replying-connection.ts";
import { SessionDeadlines } from "./session-deadlines.ts";
import { TransactionBytes } from "./transaction-bytes.ts";

/** Of the extensions that we announce: SIZE (RFC 1870), 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531), AUTH (RFC 4954). */
const MAIL_PARAMETERS: ReadonlySet<string> = new Set(["SIZE", "BODY", "SMTPUTF8"]);
const MAIL_PARAMETERS_WITH_AUTH: ReadonlySet<string> = new Set([...MAIL_PARAMETERS, "AUTH"]);
const MAX_QUEUE_ID_CHARACTERS = 100;
const NO_PARAMETERS: ReadonlySet<string> = new Set();

type Asked = Pick<Recipient, "address"> & { readonly hook: Recipient["hook"] | undefined };

/**
 * One SMTP or LMTP conversation: the library's state machine, with our own mail collector, replies and deadlines.
 *
 * Subclassing is the library's only way in: it makes its connections itself, and its data mode, its replies and its
 * timeouts cannot be set by options (smtp-server 3.21.6).
 */
export class MailConnection extends ReplyingConnection {
  readonly #door: MailDoor;
  readonly #isClientUnknown: boolean;
  #place: Disposable | undefined;
  #lastRead: { readonly command: Buffer | string; readonly read: AddressCommand | undefined } | undefined;
  #recipients: Recipient[] = [];
  readonly #transactionDeliveries = new Set<string>();
  #asked: Asked | undefined;
  readonly #bytes: TransactionBytes;
  #delivering = false;
  readonly #deadlines: SessionDeadlines;
  readonly #trust: AboutAddress;
  readonly #internal = new AboutAddress(isInternal);
  readonly #guesses = new Guesses();
  #share: Disposable | undefined;

  constructor(
    server: SMTPServer,
    socket: Socket | TLSSocket,
    options: ConnectionOptions | null | undefined,
    door: MailDoor,
  ) {
    super(server, socket, options ?? undefined);
    this.#door = door;
    this.#isClientUnknown = options?.isClientUnknown === true;
    this.#bytes = new TransactionBytes(door.admission.bytes);
    this.#trust = new AboutAddress((address) => door.isTrusted(address));
    const { transactionTimeoutMs, idleTimeoutMs } = door.settings;
    const late = () => this.reply(replyTryLater("idle"));
    this.#deadlines = new SessionDeadlines(
      { transactionMs: transactionTimeoutMs, nextMailMs: transactionTimeoutMs + idleTimeoutMs },
      // A mail that is coming in has its transaction's deadline, and one that is being stored its delivery's.
      { onLateTransaction: late, onLateMail: () => (this.#hasMail ? undefined : late()) },
    );
    // The base class made its parser before `#door` was set.
    this._parser = this._createParser();
    door.remember(this);
  }

  protected override get isSoftBouncing(): boolean {
    return this.#door.settings.softBounce;
  }

  protected override onRefusal(reply: Reply, isOfMail: boolean): void {
    this.#door.onRefusal(this, reply, isOfMail);
  }

  /** What a trusted relay calls this mail in its own log (XFORWARD IDENT). */
  get #queueId(): string | undefined {
    const ident = this._xForward.get("IDENT");
    return typeof ident === "string" ? ident.slice(0, MAX_QUEUE_ID_CHARACTERS) : undefined;
  }

  /** What the next reply is about, for the trace of refused calls: the recipient last asked for. */
  get asked(): Asked | undefined {
    return this.#asked;
  }

  asksFor(asked: Asked): void {
    this.#asked = asked;
  }

  /** XCLIENT and XFORWARD are believed from trusted relays only; the library's own list knows no networks. */
  override _proxyCommandAllowed(command: string, option: "useXClient" | "useXForward"): boolean {
    return this.#isTrusted && super._proxyCommandAllowed(command, option);
  }

  /** A trusted relay at the other end, as the PROXY header tells it, before XCLIENT and XFORWARD speak of its clients. */
  get #isTrusted(): boolean {
    return !this.#isClientUnknown && this.#trust.of(this._originalRemoteAddress);
  }

  /** AUTH is there over TLS and loopback, where nobody listens to passwords; LMTP has none (RFC 2033). */
  override _isSupported(command: string): boolean {
    const isSafe = this.secure || isLoopback(this._originalRemoteAddress);
    return super._isSupported(command) && (command !== "AUTH" || (isSafe && !this.#door.settings.lmtp));
  }

  /** "AUTH is not permitted during a mail transaction" (RFC 4954 §4); the library (3.21.6) takes it. */
  override handler_AUTH(command: Buffer, callback: () => void): void {
    if (!this.isInTransaction) return super.handler_AUTH(command, callback);
    this.send(503, "5.5.1 No AUTH during a mail transaction");
    callback();
  }

  /** Counts a password that was wrong; whether those were too many for one connection. */
  countWrongLogin(): boolean {
    return this.#guesses.countWrongLogin();
  }

  /** Our own side, a trusted relay that speaks for many, or one that logged in or showed its certificate: the limits for strangers are not theirs. */
  get isKnownPeer(): boolean {
    const isRelayItself = this.remoteAddress === this._originalRemoteAddress && this.#isTrusted;
    const isLoggedIn = Boolean(this.session.user) || this.#hasClientCertificate;
    return isRelayItself || isLoggedIn || this.#internal.of(this.remoteAddress);
  }

  /** A certificate of POSTHORN_TLS_CLIENT_CA; the library judged it at the end of the handshake. */
  get #hasClientCertificate(): boolean {
    return this.secure && (this._socket as Partial<TLSSocket>).authorized === true;
  }

  /** Counts a recipient nobody knows, slower each time; true when the connection shall end. */
  async isGuessing(): Promise<boolean> {
    return !this.isKnownPeer && this.#guesses.countUnknownRecipient(this.remoteAddress, this.#door.limits);
  }

  /** Whether a mail is between DATA and its reply, or a command is being answered: what a stop waits for. */
  get isBusy(): boolean {
    return this.#hasMail || this._handlerPending;
  }

  get #hasMail(): boolean {
    return this.#delivering || (this._parser instanceof MailStream && this._parser.isCollecting);
  }

  /** Whether a mail is between MAIL FROM and its reply. */
  get isInTransaction(): boolean {
    return this.#delivering || Boolean(this.session.envelope?.mailFrom);
  }

  /**
   * Postfix says `[UNAVAILABLE]` for mail that was made on its own machine; the library (3.21.6) would leave the address
   * of the client before it on a connection that is used again.
   */
  override handler_XFORWARD(command: Buffer, callback: () => void): void {
    const isForgotten = /\sADDR=\[UNAVAILABLE\]/i.test(command.toString("latin1"));
    if (isForgotten && this._proxyCommandAllowed("XFORWARD", "useXForward") && !this.isInTransaction)
      this.remoteAddress = this._originalRemoteAddress;
    super.handler_XFORWARD(command, callback);
  }

  /** Takes the connection or answers 421; without the library's pause of 100 ms before the greeting. */
  override init(): void {
    this._setListeners(() => {
      if (this.#door.isStopping) return this.reply(replyTryLater("shutting-down"));
      if (!this.#door.isAllowed(this.remoteAddress)) return this.#refuse(replyRefused("client-not-allowed"));
      this.#place = this.#door.admission.tryConnect();
      if (this.#place === undefined) return this.reply(replyTryLater("too-many-connections"));
      if (!this.isKnownPeer) {
        this.#share = this.#door.limits.tryConnect(this.remoteAddress);
        if (this.#share === undefined) return this.reply(replyTryLater("too-many-connections"));
      }
      this.#deadlines.expectMail();
      this.connectionReady();
    });
  }

  /** One reply, and the end. */
  #refuse(reply: Reply): void {
    this.reply(reply);
    this.close();
  }

  override _createParser(): MailStream {
    const parser = new MailStream({ maxCommandLength: this._server.options.maxCommandLength });
    parser.oncommand = (command, callback) => this._onCommand(command, callback);
    parser.onSmuggling = () => {
      this.reply(replyRefused("smuggling"));
      this.close();
    };
    parser.on("error", () => this.send(421, "4.5.2 Command line too long"));
    return parser;
  }

  override _onCommand(command: Buffer, callback?: () => void): void {
    if (this.#door.isStopping && this._ready) return this.reply(replyTryLater("shutting-down"));
    super._onCommand(command, callback);
  }

  override _onTimeout(): void {
    if (this._closing) this._socket.destroy();
    // The client waits for us, and RFC 5321 §4.5.3.2 lets it wait for minutes.
    else if (this._handlerPending || this.#delivering) this._armTimeout();
    else this.reply(replyTryLater("idle"));
  }

  override _resetSession(): void {
    super._resetSession();
    this.#recipients = [];
    this.#transactionDeliveries.clear();
    this.#asked = undefined;
    this.#deadlines.endTransaction();
  }

  /** The library reads MAIL and RCPT with our parser. */
  override _parseAddressCommand(
    rawName: string,
    rawCommand: Buffer | string,
  ): ReturnType<SMTPConnection["_parseAddressCommand"]> {
    const read = this.#readAddress(verbOf(rawName), rawCommand);
    if (read === undefined) return false;
    const { address, parameters, duplicate } = read;
    return { address, args: parameters.size === 0 ? false : Object.fromEntries(parameters), duplicate };
  }

  /** The library reads a command again that we have read already. */
  #readAddress(verb: AddressVerb, command: Buffer | string): AddressCommand | undefined {
    if (this.#lastRead?.command === command) return this.#lastRead.read;
    const read = readAddressCommand(verb, command.toString());
    this.#lastRead = { command, read };
    return read;
  }

  override handler_RCPT(command: Buffer, callback: () => void): void {
    this.holdReplies();
    if (!hasForeignParameter(this.#readAddress("RCPT TO", command), NO_PARAMETERS))
      return super.handler_RCPT(command, callback);
    this.reply(replyRefused("unknown-parameter"));
    callback();
  }

  override handler_MAIL(command: Buffer, callback: () => void): void {
    this.holdReplies();
    const known = this._isSupported("AUTH") ? MAIL_PARAMETERS_WITH_AUTH : MAIL_PARAMETERS;
    if (hasForeignParameter(this.#readAddress("MAIL FROM", command), known)) {
      this.reply(replyRefused("unknown-parameter"));
      return callback();
    }
    this.#deadlines.startTransaction();
    super.handler_MAIL(command, callback);
  }

  /** No recipient of any kind is taken any more. */
  get isFull(): boolean {
    return this.#recipients.length >= this.#door.settings.transactionLimits.recipients;
  }

  /**
   * Called for every RCPT that was accepted, a repeated one too; false when the mail, as it was announced, would become too
   * much: the relay sends it separately to the rest.
   */
  tryAddRecipient(recipient: Recipient): boolean {
    const { bytes, unannouncedBytes } = this.#door.settings.transactionLimits;
    const { hook, tag } = recipient;
    const delivery = `${hook.hookId} ${tag ?? ""}`;
    const announced = declaredBytes(this.session) || unannouncedBytes;
    const isNew = !this.#transactionDeliveries.has(delivery);
    if (isNew && announced * (this.#transactionDeliveries.size + 1) > bytes) return false;
    this.#transactionDeliveries.add(delivery);
    this.#recipients.push(recipient);
    return true;
  }

  override handler_DATA(_command: Buffer, callback: () => void): void {
    const parser = this._parser;
    if (!(parser instanceof MailStream) || this.#recipients.length === 0) {
      this.send(503, "5.5.1 Send RCPT first");
      return callback();
    }
    const announcedBytes = declaredBytes(this.session);
    const cause = this.#door.whyNoMail(announcedBytes);
    if (cause !== undefined) {
      this.reply(replyTryLater(cause));
      return callback();
    }
    // A stranger's word holds no room.
    if (this.isKnownPeer) this.#bytes.reserve(announcedBytes);
    parser.collectMail({
      maxBytes: this.#door.settings.maxMessageBytes,
      announcedBytes,
      acceptBareLf: this.#isTrusted,
      takeBytes: (count) => this.#bytes.take(count),
      onEnd: (end) => this.#onDataEnd(end, parser),
    });
    this.send(354, "End data with <CR><LF>.<CR><LF>");
    callback();
  }

  #onDataEnd(end: DataEnd, parser: MailStream): void {
    this.#deadlines.endTransaction();
    switch (end.kind) {
      case "too-large":
        return this.#endMail(this.#same(replyRefused("too-large")), parser);
      case "over-budget":
        return this.#endMail(this.#same(replyTryLater("busy")), parser);
      case "smuggling":
        for (const reply of this.#same(replyRefused("smuggling"))) this.reply(reply);
        this.#bytes.giveAll();
        return this.close();
      case "mail":
        if (!this.isKnownPeer) this.#door.limits.countBytes(this.remoteAddress, end.bytes.length, Date.now());
        this.#delivering = true;
        this.#door
          .deliver(end.bytes, envelopeOf(this.#facts()), this.#recipients, {
            peer: this.#peer(),
            // The library counts the mails of a connection.
            transactionId: `${this.id}.${this._transactionCounter + 1}`,
            queueId: this.#queueId,
          })
          .then(
            ({ replies, onUnheard }) => {
              if (this._closed) onUnheard();
              this.#endMail(replies, parser);
            },
            (error: unknown) => {
              this.#door.onFault("A reply could not be made", error);
              this.#endMail(this.#same(replyTryLater("our-fault")), parser);
            },
          );
        return;
    }
  }

  #endMail(replies: readonly Reply[], parser: MailStream): void {
    this.#delivering = false;
    this.#bytes.giveAll();
    if (this._closed) return;
    this.collectReplies();
    for (const [index, reply] of replies.entries()) {
      if (replies.length > 1) this.#asked = this.#recipients[index];
      this.reply(reply);
    }
    this.releaseReplies();
    this._transactionCounter += 1;
    // The next mail on this connection has another one, or none.
    this._xForward.delete("IDENT");
    this._unrecognizedCommands = 0;
    this._resetSession();
    this.#deadlines.expectMail();
    if (this.#door.isStopping) this.reply(replyTryLater("shutting-down"));
    else parser.continue();
  }

  /** LMTP answers once for each accepted RCPT, in order (RFC 2033 §4.2); SMTP once. */
  #same(reply: Reply): Reply[] {
    return this.#door.settings.lmtp ? this.#recipients.map(() => reply) : [reply];
  }

  #facts(): SessionFacts {
    const { session, _socket: socket, secure, openingCommand } = this;
    return { session, socket, secure, openingCommand, lmtp: this.#door.settings.lmtp };
  }

  #peer(): Peer {
    if (!this.#isTrusted) return "stranger";
    return this.remoteAddress === this._originalRemoteAddress ? "relay" : "relayed-client";
  }

  /** Called at the end of the socket, of the TLS socket too: STARTTLS takes every listener off the one below. */
  override _onClose(): void {
    super._onClose();
    this.#deadlines.end();
    this.#place?.[Symbol.dispose]();
    this.#share?.[Symbol.dispose]();
    // A mail that is being delivered keeps its bytes until the outcome is known; its relay will send it again.
    if (!this.#delivering) this.#bytes.giveAll();
  }
}

const verbOf = (name: string) => (name.toUpperCase() === "MAIL FROM" ? "MAIL FROM" : "RCPT TO");

function isLoopback(address: string): boolean {
  return address === "::1" || (isIPv4(address) && address.startsWith("127."));
}
