import { createRandomPieces } from "../lib/random-pieces.ts";
import { within } from "../lib/within.ts";
import { cutHookIds } from "../model/cut-hook-ids.ts";
import type { HookId } from "../model/hook-id.ts";
import type { Refusal } from "../model/refused-call.ts";
import { INBOX_PREFIX } from "../nats/inbox.ts";
import { STREAMS } from "../nats/stream-names.ts";
import { AckInbox } from "../publish/ack-inbox.ts";
import { storeRefusedCall } from "../publish/refused-calls.ts";
import { RefusedTrace } from "../publish/refused-trace.ts";
import type { RefusedRequest } from "../receive/http/services.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Storage } from "./storage.ts";

const SUM_EVERY_MS = 60_000;
const TRY_AGAIN_MS = 2_000;
const ACK_MS = 5_000;
const LAST_WRITES_MS = 1_000;
const ID_BYTES = 16;
/** Lines of a minute, of everybody and of one remote address. */
const TOLD_PER_MINUTE = 120;
const TOLD_PER_ADDRESS = 20;
/** The end of a connection, not of something that was asked for. */
const ENDS: ReadonlySet<string> = new Set(["idle", "shutting-down"]);

/** Where every door tells of its refusals. */
export interface Refusals extends AsyncDisposable {
  /** `isLogged` when another line of the log tells of it. */
  readonly note: (refusal: Refusal, isLogged: boolean) => void;
  readonly noteRequest: (refused: RefusedRequest) => void;
}

/** Counts refused calls and writes them to their stream, without waiting and never in the way of an answer (contract §6). */
export function openRefusals(storage: Storage, log: Log, metrics: Metrics): Refusals {
  const { nats, snapshot } = storage;
  const inbox = new AckInbox(nats.connection, { inboxPrefix: INBOX_PREFIX, timeoutMs: ACK_MS });
  const random = createRandomPieces();
  const trace = new RefusedTrace({
    write: async (subject, bytes, id) => {
      if (!nats.isConnected()) return false;
      try {
        await storeRefusedCall(inbox, { subject, bytes, id });
        return true;
      } catch (error) {
        log.debug("A refused call could not be written; it is kept and tried again", { error });
        return false;
      }
    },
    newId: () => Buffer.from(random(ID_BYTES)).toString("base64url"),
    now: Date.now,
  });
  const told = new ToldRefusals(log);
  const timers = [
    setInterval(() => {
      trace.sumUp();
      told.nextMinute();
    }, SUM_EVERY_MS),
    setInterval(() => {
      trace.flush().catch((error: unknown) => log.error("Refused calls are no longer written", { error }));
    }, TRY_AGAIN_MS),
  ];
  const cut = (address: string | null) =>
    address && cutHookIds(address, (id) => snapshot.hookById(id as HookId) !== undefined);
  const note = (refused: Refusal, isLogged: boolean) => {
    const refusal = { ...refused, sender: cut(refused.sender), recipient: cut(refused.recipient) };
    const { door, hook, answer, cause } = refusal;
    if (isLogged || door === "http" || ENDS.has(cause)) log.debug("Refused", { ...refusal });
    else told.tell(refusal);
    metrics.countRefusal({ door, hook: hook ?? "", answer, cause });
    trace.note(refusal);
  };
  return {
    note,
    noteRequest: ({ remoteAddress, hookEventName, status, cause }) =>
      note(
        {
          door: "http",
          remoteAddress,
          hook: hookEventName ?? null,
          answer: String(status),
          reason: cause,
          cause,
          sender: null,
          recipient: null,
        },
        false,
      ),
    [Symbol.asyncDispose]: async () => {
      timers.forEach(clearInterval);
      told.nextMinute();
      trace.sumUp();
      await within(trace.flush(), LAST_WRITES_MS);
      if (trace.waiting > 0)
        log.warn("Refused calls are lost: they could not be written until the end", {
          stream: STREAMS.refused,
          calls: trace.waiting,
        });
    },
  };
}

/** Refusals in the log, each with who and why, as many as somebody may read; the rest of a minute is counted. */
class ToldRefusals {
  readonly #log: Log;
  readonly #byAddress = new Map<string, number>();
  #told = 0;
  #untold = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  tell(refusal: Refusal): void {
    const { remoteAddress } = refusal;
    const before = this.#byAddress.get(remoteAddress) ?? 0;
    if (this.#told >= TOLD_PER_MINUTE || before >= TOLD_PER_ADDRESS) {
      this.#untold += 1;
      return;
    }
    this.#told += 1;
    this.#byAddress.set(remoteAddress, before + 1);
    this.#log.info("Refused", { ...refusal });
  }

  nextMinute(): void {
    if (this.#untold > 0) this.#log.info("More was refused than is logged one by one", { count: this.#untold });
    this.#told = 0;
    this.#untold = 0;
    this.#byAddress.clear();
  }
}
