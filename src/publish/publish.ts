import { headers as natsHeaders } from "@nats-io/transport-node";
import type { PubAck } from "@nats-io/jetstream";

import type { Gate } from "../lib/gate.ts";
import type { TryLaterCause } from "../model/outcome.ts";
import type { AckInbox } from "./ack-inbox.ts";

/** One NATS message on its way into a stream. */
export interface Publication {
  readonly stream: string;
  readonly subject: string;
  /** `Nats-Msg-Id`: the same over all tries, so that a lost ack never makes two. */
  readonly messageId: string;
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

/** What JetStream said of it. Only `acked` may ever lead to a 250. */
export type PublishResult =
  | { readonly kind: "acked"; readonly sequence: number; readonly duplicate: boolean }
  | { readonly kind: "tryLater"; readonly cause: TryLaterCause; readonly error: unknown; readonly ambiguous: boolean };

export interface PublishOptions {
  /** At most this many publishes are in flight on the connection. */
  readonly gate: Gate;
  /** Tells what an error of the client means; asks the server where the error alone does not say. */
  readonly causeOf: (error: unknown, stream: string) => Promise<TryLaterCause>;
  readonly isConnected: () => boolean;
  /** Called with the milliseconds from publish to ack. */
  readonly onAck?: (ackMs: number) => void;
  /** Called for each try that ended without an ack although the connection stood. */
  readonly onNoAck?: () => void;
  /** Called when a publication that was tried is given up. */
  readonly onFailure?: (stream: string, cause: TryLaterCause, error: unknown) => void;
}

export type Publish = (publication: Publication, signal: AbortSignal) => Promise<PublishResult>;

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
// These pass by themselves within a sender's patience: an election, a reconnect, a lost ack.
const WORTH_ANOTHER_TRY: ReadonlySet<TryLaterCause> = new Set(["no-ack", "nats-away"]);

/**
 * Publishing that returns only after the ack, or with the reason why there is none.
 *
 * Tries again with the same id until `signal` aborts, with a capped and jittered pause between tries. The ack's stream
 * and sequence are checked: a foreign stream on the subject acks too. Never throws.
 *
 * Source: NATS ADR-22 "JetStream Publish Retries"; field notes, "Acks".
 */
export function createPublish(inbox: AckInbox, options: PublishOptions): Publish {
  return async (publication, signal) => {
    using place = await options.gate.enter();
    if (place === undefined) return { kind: "tryLater", cause: "busy", error: undefined, ambiguous: false };
    let pauseMs = FIRST_PAUSE_MS;
    let ambiguous = false;
    if (signal.aborted) return { kind: "tryLater", cause: "no-ack", error: signal.reason, ambiguous };
    for (;;) {
      const result = await tryOnce(inbox, publication, options, signal);
      if (result.kind === "acked") return result;
      ambiguous ||= result.ambiguous;
      const isOver = !WORTH_ANOTHER_TRY.has(result.cause) || signal.aborted;
      if (!isOver) await pause(pauseMs * (0.5 + Math.random() / 2), signal);
      if (isOver || signal.aborted) {
        options.onFailure?.(publication.stream, result.cause, result.error);
        return isOver ? { ...result, ambiguous } : { ...result, cause: "no-ack", error: signal.reason, ambiguous };
      }
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  };
}

async function tryOnce(
  inbox: AckInbox,
  publication: Publication,
  options: PublishOptions,
  signal: AbortSignal,
): Promise<PublishResult> {
  // A publish while disconnected is dropped in silence by the client (nats.js 3.4.0).
  if (!options.isConnected()) return { kind: "tryLater", cause: "nats-away", error: undefined, ambiguous: false };
  const startedAt = performance.now();
  try {
    const ack = await publishOnce(inbox, publication, signal);
    if (ack.stream !== publication.stream || !(ack.seq > 0)) {
      const error = new Error(`stream ${ack.stream} answered instead of ${publication.stream}, sequence ${ack.seq}`);
      return { kind: "tryLater", cause: "setting-wrong", error, ambiguous: true };
    }
    options.onAck?.(performance.now() - startedAt);
    return { kind: "acked", sequence: ack.seq, duplicate: ack.duplicate === true };
  } catch (error) {
    const cause = signal.aborted ? "no-ack" : await options.causeOf(error, publication.stream);
    if (WORTH_ANOTHER_TRY.has(cause)) options.onNoAck?.();
    // Whatever went wrong behind the write, the server may have stored it: only a clear refusal says it did not.
    return { kind: "tryLater", cause, error, ambiguous: WORTH_ANOTHER_TRY.has(cause) || cause === "our-fault" };
  }
}

function publishOnce(inbox: AckInbox, publication: Publication, signal: AbortSignal): Promise<PubAck> {
  // A fresh headers object for each try: publish changes the one it is given.
  const headers = natsHeaders();
  headers.set("Content-Type", publication.contentType);
  headers.set("Nats-Msg-Id", publication.messageId);
  headers.set("Nats-Expected-Stream", publication.stream);
  return inbox.publish(publication.subject, publication.bytes, headers, signal);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
