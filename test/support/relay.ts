import { connect } from "node:net";
import type { NetConnectOpts, Socket } from "node:net";

/** What a relay sends: the envelope, and the mail with CRLF line ends. */
export interface OutgoingMail {
  readonly from?: string;
  readonly to: string | readonly string[];
  readonly mail: string | Uint8Array;
}

/**
 * A relay on a raw socket that speaks SMTP or LMTP line by line.
 *
 * Every wait has an end: a reply that does not come in time is an error that says what was waited for.
 */
export class Relay {
  readonly socket: Socket;
  /** The first reply, `220 …` or `421 …`. */
  greeting = "";
  readonly #patienceMs: number;
  #buffer = "";
  #waiting: { resolve: (reply: string) => void; reject: (error: Error) => void } | undefined;
  #ended: Error | undefined;

  constructor(socket: Socket, patienceMs: number) {
    this.socket = socket;
    this.#patienceMs = patienceMs;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#buffer += text;
      this.#deliver();
    });
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("the connection was closed")));
  }

  /** The next whole reply, all its lines. Throws when the connection ends first. */
  reply(what = "a reply"): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(new Error(`no answer to ${what} in ${this.#patienceMs} ms; buffered ${JSON.stringify(this.#buffer)}`)),
        this.#patienceMs,
      );
      this.#waiting = {
        resolve: (reply) => (clearTimeout(timer), resolve(reply)),
        reject: (error) => (clearTimeout(timer), reject(error)),
      };
      this.#deliver();
    });
  }

  /** Sends one command and returns its reply. */
  say(line: string): Promise<string> {
    this.socket.write(`${line}\r\n`, "latin1");
    return this.reply(line);
  }

  /** One whole transaction; the first reply that is not what a relay hopes for ends it. LMTP joins its replies by newlines. */
  async send(outgoing: OutgoingMail, replies = 1): Promise<string> {
    const mailFrom = await this.say(`MAIL FROM:<${outgoing.from ?? "shop@example.org"}>`);
    if (!mailFrom.startsWith("250")) return mailFrom;
    for (const to of [outgoing.to].flat()) {
      const rcpt = await this.say(`RCPT TO:<${to}>`);
      if (!rcpt.startsWith("250")) {
        await this.say("RSET");
        return rcpt;
      }
    }
    return this.data(outgoing.mail, replies);
  }

  /** DATA, the mail with its dots stuffed, the final dot, and the reply or replies. */
  async data(mail: string | Uint8Array, replies = 1): Promise<string> {
    const go = await this.say("DATA");
    if (!go.startsWith("354")) return go;
    const text = typeof mail === "string" ? mail : Buffer.from(mail).toString("latin1");
    const stuffed = text.replace(/^\./gm, "..");
    this.socket.write(
      `${stuffed}${stuffed.endsWith("\r\n") ? "" : "\r\n"}.\r\n`,
      typeof mail === "string" ? "utf8" : "latin1",
    );
    const lines: string[] = [];
    for (let i = 0; i < replies; i += 1) lines.push(await this.reply("the final dot"));
    return lines.join("\n");
  }

  /** Resolves when the other side has closed. */
  async closed(): Promise<void> {
    if (this.#ended !== undefined || this.socket.destroyed) return;
    await new Promise<void>((resolve) => this.socket.once("close", () => resolve()));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #deliver(): void {
    if (this.#waiting === undefined) return;
    const match = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\n/.exec(this.#buffer);
    if (match === null) {
      if (this.#ended !== undefined) this.#waiting.reject(this.#ended);
      return;
    }
    this.#buffer = this.#buffer.slice(match[0].length);
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    resolve(match[0].replaceAll("\r", "").trimEnd());
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#waiting?.reject(this.#ended);
    this.#waiting = undefined;
  }
}

/** Connects, hears the greeting and says EHLO or LHLO. */
export async function connectRelay(
  to: NetConnectOpts,
  options: {
    readonly lmtp?: boolean;
    readonly patienceMs?: number;
    readonly greet?: boolean;
    readonly head?: string;
  } = {},
): Promise<Relay> {
  const socket = connect(to);
  if (options.head !== undefined) socket.write(options.head);
  const relay = new Relay(socket, options.patienceMs ?? 15_000);
  relay.greeting = await relay.reply("the greeting");
  if (options.greet !== false) await relay.say(`${options.lmtp === true ? "LHLO" : "EHLO"} relay.example.org`);
  return relay;
}
