import { MailBytes } from "./mail-bytes.ts";
import { SMTPStream } from "./smtp-server.ts";

/** How the bytes between DATA and CRLF.CRLF ended. */
export type DataEnd =
  | { readonly kind: "mail"; readonly bytes: Uint8Array }
  | { readonly kind: "too-large" }
  | { readonly kind: "smuggling" }
  | { readonly kind: "over-budget" };

export interface DataRules {
  readonly maxBytes: number;
  /** What SIZE= announced, 0 without it. */
  readonly announcedBytes: number;
  /** A trusted relay's bare LF is taken as a line end; CRLF.CRLF ends the mail for everybody. */
  readonly acceptBareLf: boolean;
  /** Takes bytes from the budget of bytes in flight; false when there is no room. */
  readonly takeBytes: (count: number) => boolean;
  readonly onEnd: (end: DataEnd) => void;
}

/** After so many bytes of a mail the other connections have their turn: libuv reads one socket up to 32 times in a row. */
const TURN_BYTES = 64 * 1024;
const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const CRLF = Buffer.from("\r\n");

/** Where the scanner stands inside a mail, between two bytes. */
type At = "line-start" | "in-line" | "after-cr" | "after-dot" | "after-dot-cr";

/**
 * The library's command parser with two boundaries of our own.
 *
 * Commands end with CRLF only: a bare CR or LF is smuggling (smtp-server 3.21.6 takes a bare LF). A mail is collected
 * here in one pass over its bytes, dots unstuffed, never more than the limit held; the library's own data mode copies
 * through a PassThrough, goes back to the event loop at every stuffed dot, and tells an oversized mail only at its end.
 *
 * Source: RFC 5321 §2.3.8, §4.1.1.4, §4.5.2; "SMTP Smuggling", SEC Consult, 2023.
 */
export class MailStream extends SMTPStream {
  /** Called once when a bare CR or LF is seen in a command; the connection closes. */
  onSmuggling: () => void = () => undefined;

  #rules: DataRules | undefined;
  #bytes: MailBytes | undefined;
  #size = 0;
  #at: At = "line-start";
  #failure: "too-large" | "over-budget" | undefined;
  #lastCommandByte = LF;
  #bytesInTurn = 0;

  /** Collects what follows as a mail; `rules.onEnd` is called once. Commands are read again after `continue()`. */
  collectMail(rules: DataRules): void {
    this.#rules = rules;
    this.#bytes = new MailBytes(rules.announcedBytes, rules.maxBytes);
    this.#size = 0;
    this.#at = "line-start";
    this.#failure = undefined;
    this._dataMode = true;
  }

  /** Whether the mail is still coming in. */
  get isCollecting(): boolean {
    return this.#rules !== undefined;
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.isClosed || this._dataMode || chunk.length === 0) super._write(chunk, encoding, done);
    else this.#writeCommands(chunk, encoding, done);
  }

  /**
   * Hands commands on one by one, each judged by its own line end: what stands behind DATA is a mail, which `#scan` judges by
   * other rules, and what stands behind a mail is judged when the library comes to it.
   */
  #writeCommands(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    let rest = chunk;
    let inARow = 0;
    const next = (): void => {
      while (rest.length > 0 && !this.isClosed) {
        if (this._dataMode) return super._write(rest, encoding, done);
        const lineEnd = rest.indexOf(LF) + 1;
        const line = lineEnd === 0 ? rest : rest.subarray(0, lineEnd);
        rest = rest.subarray(line.length);
        if (!this.#hasCleanLineEnd(line)) {
          this.isClosed = true;
          this.onSmuggling();
          return done();
        }
        let isSync = true;
        let isDone = false;
        this.#writeLine(line, encoding, (error) => {
          if (error) done(error);
          else if (isSync) isDone = true;
          else next();
        });
        isSync = false;
        if (!isDone) return undefined;
        inARow += 1;
        // Ten thousand commands in one packet shall not hold up the other connections.
        if (inARow % COMMANDS_IN_A_ROW === 0) {
          setImmediate(next);
          return undefined;
        }
      }
      return done();
    };
    next();
  }

  /** A whole line is a command; the library, slower, keeps the pieces of one, and says when it is too long. */
  #writeLine(line: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const length = line.length - CRLF.length;
    const isWhole = this._remainder === "" && line.at(-1) === LF && length <= this._maxCommandLength;
    if (!isWhole) return super._write(line, encoding, done);
    let isDone = false;
    // A copy, because the command outlives the packet that it came in.
    this.oncommand(Buffer.from(line.subarray(0, length)), () => {
      if (!isDone) done();
      isDone = true;
    });
  }

  /** Called by the library for every chunk in data mode, the rest of a pipelined one too. */
  override _feedDataStream(chunk: Buffer, done: (error?: Error | null) => void): void {
    const rules = this.#rules;
    if (rules === undefined || this.isClosed) {
      done();
      return;
    }
    const end = this.#scan(chunk, rules);
    if (end === undefined) {
      this.#bytesInTurn += chunk.length;
      if (this.#bytesInTurn < TURN_BYTES) return done();
      this.#bytesInTurn = 0;
      setImmediate(done);
      return;
    }
    this.#rules = undefined;
    if (end === "smuggling") {
      this.isClosed = true;
      this.#bytes = undefined;
      rules.onEnd({ kind: "smuggling" });
      done();
      return;
    }
    this._dataMode = false;
    const rest = chunk.subarray(end);
    // The library runs this when the reply was sent and `continue()` is called: what was pipelined behind the mail.
    this._continueCallback = () => this._write(rest, "binary", done);
    const bytes = this.#bytes;
    this.#bytes = undefined;
    rules.onEnd(
      this.#failure !== undefined || bytes === undefined
        ? { kind: this.#failure ?? "over-budget" }
        : { kind: "mail", bytes: bytes.whole() },
    );
  }

  /**
   * One pass over the bytes of `chunk`. Answers where the mail ended in it, `undefined` when it goes on.
   *
   * A dot is taken off only at the start of a line that CRLF began, and only CRLF.CRLF ends the mail.
   */
  #scan(chunk: Buffer, rules: DataRules): number | "smuggling" | undefined {
    let keptFrom = 0;
    let at = this.#at;
    for (let i = 0; i < chunk.length; i += 1) {
      if (at === "in-line") i = lineBreakFrom(chunk, i);
      const byte = chunk[i];
      switch (at) {
        case "in-line":
          if (byte === CR) at = "after-cr";
          else if (byte === LF) {
            if (!rules.acceptBareLf) return "smuggling";
            this.#keep(chunk.subarray(keptFrom, i), rules);
            this.#keep(CRLF, rules);
            keptFrom = i + 1;
          }
          break;
        case "after-cr":
          if (byte !== LF) return "smuggling";
          at = "line-start";
          break;
        case "line-start":
          if (byte === DOT) {
            this.#keep(chunk.subarray(keptFrom, i), rules);
            keptFrom = i + 1;
            at = "after-dot";
          } else if (byte === CR) at = "after-cr";
          else if (byte === LF) {
            if (!rules.acceptBareLf) return "smuggling";
            this.#keep(chunk.subarray(keptFrom, i), rules);
            this.#keep(CRLF, rules);
            keptFrom = i + 1;
            at = "in-line";
          } else at = "in-line";
          break;
        case "after-dot":
          if (byte === CR) at = "after-dot-cr";
          else if (byte === LF) {
            if (!rules.acceptBareLf) return "smuggling";
            this.#keep(CRLF, rules);
            keptFrom = i + 1;
            at = "in-line";
          } else at = "in-line";
          break;
        case "after-dot-cr":
          if (byte !== LF) return "smuggling";
          this.#at = "line-start";
          return i + 1;
      }
    }
    // The CR behind a lone dot is part of the end, or of smuggling: never of the mail.
    const keptTo = at === "after-dot-cr" ? chunk.length - 1 : chunk.length;
    if (keptTo > keptFrom) this.#keep(chunk.subarray(keptFrom, keptTo), rules);
    this.#at = at;
    return undefined;
  }

  #keep(bytes: Buffer, rules: DataRules): void {
    this.#size += bytes.length;
    if (this.#failure !== undefined || bytes.length === 0) return;
    if (this.#size > rules.maxBytes) this.#failure = "too-large";
    else if (!rules.takeBytes(bytes.length)) this.#failure = "over-budget";
    if (this.#failure === undefined) this.#bytes?.add(bytes);
    else this.#bytes = undefined;
  }

  /** Whether CR and LF stand together, and only at the end; a line may come in pieces. */
  #hasCleanLineEnd(piece: Buffer): boolean {
    let previous = this.#lastCommandByte;
    for (const byte of piece) {
      if ((byte === LF) !== (previous === CR) && (byte === LF || previous === CR)) return false;
      previous = byte;
    }
    this.#lastCommandByte = previous;
    return true;
  }
}

const COMMANDS_IN_A_ROW = 50;
const ORDINARY_LINE_BYTES = 128;

/**
 * Where the next CR or LF stands at or behind `from`, or the length of `chunk`. Ordinary lines are looked through here, long
 * ones by the engine, whose search is slow to begin and thirty times as fast then.
 */
function lineBreakFrom(chunk: Buffer, from: number): number {
  const near = Math.min(from + ORDINARY_LINE_BYTES, chunk.length);
  for (let i = from; i < near; i += 1) if (chunk[i] === CR || chunk[i] === LF) return i;
  if (near === chunk.length) return near;
  const found = chunk.indexOf(LF, near);
  const lf = found < 0 ? chunk.length : found;
  const cr = chunk.subarray(near, lf).indexOf(CR);
  return cr < 0 ? lf : near + cr;
}
