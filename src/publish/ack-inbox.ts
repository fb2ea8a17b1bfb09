import type { PubAck } from "@nats-io/jetstream";
import { JetStreamApiError } from "@nats-io/jetstream";
import type { Msg, MsgHdrs, NatsConnection, PublishOptions } from "@nats-io/transport-node";
import { createInbox, errors } from "@nats-io/transport-node";

interface Waiting {
  readonly subject: string;
  readonly resolve: (ack: PubAck) => void;
  readonly reject: (error: unknown) => void;
  /** When its time is over, on the clock of `performance.now()`. */
  readonly endsAt: number;
  readonly signal: AbortSignal;
}

interface Unsent {
  readonly token: string;
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly options: PublishOptions;
}

type ApiReply = PubAck | { readonly error: ConstructorParameters<typeof JetStreamApiError>[0] };

const NO_RESPONDERS = 503;
/** How often what waits is looked through for what is late or was given up, in milliseconds. */
const SWEEP_MS = 50;

/**
 * Publishes to JetStream and waits for the acks, all on one subscription and with one timer.
 *
 * The client's own `publish` (nats.js 3.4.0) makes, for each message, a request with a timer and an error whose stack is
 * taken although nobody ever sees it: half of the time that a publish costs. Errors are of the same classes, so that
 * `causeOf` tells them apart.
 */
export class AckInbox {
  readonly #connection: NatsConnection;
  readonly #inboxPrefix: string;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<string, Waiting>();
  /** Empty while there is no subscription. */
  #prefix = "";
  readonly #unsent: Unsent[] = [];
  #lastToken = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `timeoutMs` is how long each publish waits for its ack; acks come to a subject below `inboxPrefix`. */
  constructor(connection: NatsConnection, { inboxPrefix, timeoutMs }: { inboxPrefix: string; timeoutMs: number }) {
    this.#connection = connection;
    this.#inboxPrefix = inboxPrefix;
    this.#timeoutMs = timeoutMs;
    this.#watch().catch((error: unknown) => this.#rejectAll(error));
  }

  /** The ack as the server sent it; `headers` belongs to this one call. Rejects with an error class of the client. */
  publish(subject: string, bytes: Uint8Array, headers: MsgHdrs, signal: AbortSignal): Promise<PubAck> {
    return new Promise((resolve, reject) => {
      if (this.#prefix === "") this.#subscribe();
      const token = (this.#lastToken += 1).toString(36);
      const reply = this.#prefix + token;
      this.#waiting.set(token, { subject, resolve, reject, endsAt: performance.now() + this.#timeoutMs, signal });
      this.#timer ??= setTimeout(() => this.#sweep(), SWEEP_MS);
      if (this.#unsent.length === 0) setImmediate(() => this.#send());
      this.#unsent.push({ token, subject, bytes, options: { reply, headers } });
    });
  }

  /** What one turn of the event loop publishes goes to the server in one write. */
  #send(): void {
    for (const { token, subject, bytes, options } of this.#unsent.splice(0)) {
      try {
        this.#connection.publish(subject, bytes, options);
      } catch (error) {
        this.#waiting.get(token)?.reject(error);
        this.#waiting.delete(token);
      }
    }
  }

  #subscribe(): void {
    this.#prefix = `${createInbox(this.#inboxPrefix)}.`;
    this.#connection.subscribe(`${this.#prefix}*`, {
      callback: (error, reply) => {
        if (error === null) return this.#take(reply);
        // The server does not let us listen there: nobody can hear an ack until it does.
        this.#prefix = "";
        this.#rejectAll(error);
      },
    });
  }

  #take(reply: Msg): void {
    const token = reply.subject.slice(this.#prefix.length);
    const waiting = this.#waiting.get(token);
    // An ack that comes too late: its try has ended as ambiguous.
    if (waiting === undefined) return;
    this.#waiting.delete(token);
    if (reply.data.length === 0 && reply.headers?.code === NO_RESPONDERS)
      return waiting.reject(new errors.NoRespondersError(waiting.subject));
    try {
      const answer = reply.json<ApiReply>();
      if ("error" in answer) waiting.reject(new JetStreamApiError(answer.error));
      else waiting.resolve(answer);
    } catch (error) {
      waiting.reject(error);
    }
  }

  #sweep(): void {
    const now = performance.now();
    for (const [token, { reject, endsAt, signal }] of this.#waiting) {
      if (endsAt > now && !signal.aborted) continue;
      this.#waiting.delete(token);
      reject(signal.aborted ? signal.reason : new errors.TimeoutError());
    }
    this.#timer = this.#waiting.size === 0 ? undefined : setTimeout(() => this.#sweep(), SWEEP_MS);
  }

  /**
   * A denied publish shows nowhere else. The end of the connection ends what waits: acks that were on their way are lost,
   * and each try that waits for one to its timeout would keep its sender from the next try that long.
   */
  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "disconnect") this.#rejectAll(new errors.ConnectionError("the connection was lost"));
      if (status.type !== "error" || !(status.error instanceof errors.PermissionViolationError)) continue;
      const { operation, subject } = status.error;
      if (operation !== "publish") continue;
      for (const [token, waiting] of this.#waiting) {
        if (waiting.subject !== subject) continue;
        this.#waiting.delete(token);
        waiting.reject(status.error);
      }
    }
    this.#rejectAll(new errors.ClosedConnectionError());
  }

  #rejectAll(error: unknown): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [token, waiting] of this.#waiting) {
      this.#waiting.delete(token);
      waiting.reject(error);
    }
  }
}
