import { cutHookIds } from "../model/cut-hook-ids.ts";
import type { HookId } from "../model/hook-id.ts";
import type { Refusal } from "../model/refused-call.ts";
import { RefusedTrace } from "../publish/refused-trace.ts";
import type { RefusedRequest } from "../receive/http/services.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Storage } from "./storage.ts";

const SUM_EVERY_MS = 60_000;

/** Where every door tells of its refusals. */
export interface Refusals extends Disposable {
  readonly note: (refusal: Refusal) => void;
  readonly noteRequest: (refused: RefusedRequest) => void;
}

/** Counts refused calls and writes them to their stream, without waiting and never in the way of an answer (contract §6). */
export function openRefusals(storage: Storage, log: Log, metrics: Metrics): Refusals {
  const { nats, snapshot } = storage;
  const trace = new RefusedTrace({
    write: (subject, bytes) => {
      if (!nats.isConnected()) return false;
      try {
        // Core publish: the stream takes it, and nobody waits for an ack.
        nats.connection.publish(subject, bytes);
        return true;
      } catch (error) {
        log.debug("A refused call could not be written", { error });
        return false;
      }
    },
    now: Date.now,
  });
  const timer = setInterval(() => trace.flush(), SUM_EVERY_MS);
  const cut = (address: string | null) =>
    address && cutHookIds(address, (id) => snapshot.hookById(id as HookId) !== undefined);
  const note = (refused: Refusal) => {
    const refusal = { ...refused, sender: cut(refused.sender), recipient: cut(refused.recipient) };
    log.debug("Refused", { ...refusal });
    const { door, hook, answer, cause } = refusal;
    metrics.countRefusal({ door, hook: hook ?? "", answer, cause });
    trace.note(refusal);
  };
  return {
    note,
    noteRequest: ({ remoteAddress, hookEventName, status, cause }) =>
      note({
        door: "http",
        remoteAddress,
        hook: hookEventName ?? null,
        answer: String(status),
        reason: cause,
        cause,
        sender: null,
        recipient: null,
      }),
    [Symbol.dispose]: () => {
      clearInterval(timer);
      trace.flush();
    },
  };
}
