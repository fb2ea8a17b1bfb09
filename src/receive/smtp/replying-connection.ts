import { HeldReplies } from "./held-replies.ts";
import type { Reply } from "./reply.ts";
import { softened } from "./reply.ts";
import { SMTPConnection } from "./smtp-server.ts";

/** RCPT behind a MAIL that was refused, DATA behind RCPTs that all were: a relay that pipelines could not know. */
const BAD_SEQUENCE = 503;
const ENHANCED_CODE = /^[245]\.\d{1,3}\.\d{1,3} /;
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f]/g;

/** The library's conversation with replies of our own: a pipelined group in one write, each refusal told, 5xx softened where asked. */
export abstract class ReplyingConnection extends SMTPConnection {
  readonly #held = new HeldReplies((lines) => this.#write(lines));
  /** Of the reply that comes next, when it is one of ours: the library hands on its code and text only. */
  #cause: Reply["cause"];
  /** A command of the group was refused: the "bad sequence" behind it tells nothing new. */
  #hasRefused = false;
  #isCollecting = false;

  /** Every 5xx goes out as 4xx. */
  protected abstract get isSoftBouncing(): boolean;

  /** Told of every 4xx and 5xx before it goes out; `isOfMail` when it answers a mail that came whole. */
  protected abstract onRefusal(reply: Reply, isOfMail: boolean): void;

  reply(reply: Reply): void {
    this.giveCause(reply);
    this.send(reply.code, reply.text);
  }

  /** Says why the reply that comes next is given. */
  giveCause({ cause }: Reply): void {
    this.#cause = cause;
  }

  /** Every reply passes here; ours bring their enhanced code in the text, the library's get one from its table. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const cause = this.#cause;
    this.#cause = undefined;
    if (typeof data !== "string" || code < 400) {
      this.#hasRefused = false;
      return this.#sendGood(code, data, context);
    }
    const isEcho = code === BAD_SEQUENCE && this.#hasRefused;
    this.#hasRefused = true;
    const reply = this.isSoftBouncing ? softened({ code, text: data }) : { code, text: data };
    const enhanced = ENHANCED_CODE.test(reply.text) ? "" : this._getEnhancedStatusCode(reply.code, context);
    const text = enhanced === "" ? reply.text : `${enhanced} ${reply.text}`;
    if (!isEcho) this.onRefusal({ code: reply.code, text, ...(cause !== undefined && { cause }) }, this.#isCollecting);
    this.session.error = lineOf(reply.code, text);
    this.#sendLine(reply.code, text);
    if (reply.code === 421) this.close();
  }

  #sendGood(code: number, data: string | string[] | null | undefined, context: string | false | undefined): void {
    if (typeof data !== "string" || data === "") {
      // Lists of extensions and challenges: rare, and the library knows how they are written.
      this.#held.release();
      return super.send(code, data, context);
    }
    const enhanced = ENHANCED_CODE.test(data) ? "" : this._getEnhancedStatusCode(code, context);
    this.#sendLine(code, enhanced === "" ? data : `${enhanced} ${data}`);
  }

  #sendLine(code: number, text: string): void {
    this.#held.add(`${lineOf(code, text)}\r\n`);
    // Only what may stand in the middle of a pipelined group waits for the replies behind it.
    if (code !== 250 && (code < 400 || code === 421)) this.#held.release();
  }

  /** While a TLS handshake is under way the socket is still the raw one, and nothing may be written to it. */
  #write(lines: string): void {
    if (!this._upgrading && !this._socket.destroyed && this._socket.readyState === "open") this._socket.write(lines);
  }

  /** The library's table would put a 5.y.z behind the 4yz of a reply that was softened (smtp-server 3.21.6). */
  override _getEnhancedStatusCode(code: number, context?: string | false): string {
    const enhanced = super._getEnhancedStatusCode(code, context);
    return code < 500 ? enhanced.replace(/^5/, "4") : enhanced;
  }

  override close(): void {
    this.releaseReplies();
    super.close();
  }

  /** Replies from now on wait for the rest of their pipelined group. */
  protected holdReplies(): void {
    this.#held.hold();
  }

  /** Replies from now on wait for `releaseReplies()`. */
  protected collectReplies(): void {
    this.#isCollecting = true;
    this.#held.collect();
  }

  protected releaseReplies(): void {
    this.#isCollecting = false;
    this.#held.release();
  }
}

/** A reply is one line, whatever a text of ours or the library's may have taken from a client. */
const lineOf = (code: number, text: string) => `${code} ${text}`.replace(CONTROLS, " ");
