import { isPassing } from "../nats/ask-again.ts";
import type { StreamLook } from "../nats/provision.ts";
import { ownServerOf } from "../nats/own-server.ts";
import { STREAMS } from "../nats/stream-names.ts";
import { TRY_LATER } from "../receive/answers.ts";
import type { HealthCheck } from "./health.ts";
import { durabilityCheck } from "./health-stream.ts";
import type { Storage } from "./storage.ts";

/** An election takes less: one server of a cluster that is gone must not take every replica out. */
const LEADERLESS_MS = 10_000;
/** The client goes on to another server of the cluster within a second. */
const RECONNECTING_MS = 2_000;
/** A failed publish makes a replica unready for so long; without traffic it is ready again then. */
const FAILURE_COUNTS_MS = 10_000;
const FAILURE_WARNS_MS = 60 * 60_000;

/** Whether mail can be taken now, from what is already known: nothing is asked, so it is said at once. */
export class Readiness {
  readonly #storage: Storage;
  readonly #now: () => number;
  #heardAt: number;
  /** What the server said instead of an answer: nothing that passes by itself. */
  #trouble: string | undefined;
  #durability: HealthCheck | undefined;

  constructor(storage: Storage, now: () => number) {
    this.#storage = storage;
    this.#now = now;
    // The registry has just been read.
    this.#heardAt = now();
    for (const info of storage.streams) this.note({ stream: info.config.name, info });
  }

  /** What became of a question about a stream; those about the event stream are asked every two seconds. */
  note({ stream, info, error }: StreamLook): void {
    if (stream !== STREAMS.events) return;
    if (info !== undefined) {
      const { serverSyncsAlways, nats } = this.#storage;
      this.#heardAt = this.#now();
      this.#trouble = undefined;
      this.#durability = durabilityCheck(info, serverSyncsAlways || ownServerOf(nats.connection) !== undefined);
    } else if (error === undefined) this.#trouble = "it is gone; it is created again within seconds";
    else if (!isPassing(error)) this.#trouble = error instanceof Error ? error.message : "an error without a message";
  }

  /** All that decides, and what an ack is worth in words. */
  checks(): HealthCheck[] {
    return [
      ...connectionChecks(this.#storage, RECONNECTING_MS),
      this.#streamCheck(),
      publishingCheck(this.#storage, this.#now()),
      ...(this.#durability === undefined ? [] : [this.#durability]),
    ];
  }

  #streamCheck(): HealthCheck {
    const name = `stream ${STREAMS.events}`;
    if (this.#trouble !== undefined)
      return {
        name,
        ok: false,
        detail: `cannot be used: ${this.#trouble}; mail gets ${TRY_LATER["setting-wrong"].smtp}`,
      };
    const silentMs = this.#now() - this.#heardAt;
    if (silentMs < LEADERLESS_MS) return { name, ok: true, detail: "has a leader" };
    return {
      name,
      ok: false,
      detail: `no leader has answered for ${seconds(silentMs)}; mail gets ${TRY_LATER["no-ack"].smtp}. In a cluster more than half of the servers have to run`,
    };
  }
}

/** The connection and the registry, as they are; a connection that has been lost for less than `graceMs` counts as there. */
export function connectionChecks(
  { nats, snapshot }: Pick<Storage, "nats" | "snapshot">,
  graceMs: number,
): HealthCheck[] {
  const isReconnecting = !nats.isConnected() && !nats.connection.isClosed() && nats.awayMs() < graceMs;
  return [
    {
      name: "nats",
      ok: nats.isConnected() || isReconnecting,
      detail: nats.isConnected()
        ? `connected to ${nats.connection.getServer()}, nats-server ${nats.connection.info?.version ?? "?"}`
        : isReconnecting
          ? "reconnecting, for a moment now"
          : "away; mail gets 451 until it is back. Start nats-server, or see POSTHORN_NATS_URL",
    },
    {
      name: "registry",
      ok: snapshot.isLoaded,
      detail: snapshot.isLoaded
        ? `${counted(snapshot.hooks().length, "hook")} of ${counted(snapshot.apps().length, "app")}`
        : "not loaded yet; mail gets 451 until it is. If it stays so, see the log and whether the bucket posthorn_registry exists",
    },
  ];
}

/** The last failure to store something, and what senders get for it. */
export function publishingCheck({ failures: { last } }: Pick<Storage, "failures">, now: number): HealthCheck {
  const name = "publishing";
  if (last === undefined) return { name, ok: true, detail: "nothing failed since the start" };
  const agoMs = now - last.at;
  const { smtp } = TRY_LATER[last.cause];
  const what = `storing in ${last.stream} failed ${seconds(agoMs)} ago: ${last.cause}${last.said === "" ? "" : ` (${last.said})`}`;
  if (agoMs < FAILURE_COUNTS_MS) return { name, ok: false, detail: `${what}; the sender got ${smtp}` };
  const isRecent = agoMs < FAILURE_WARNS_MS;
  return {
    name,
    ok: true,
    ...(isRecent && { warning: true }),
    detail: `${what}; the sender got ${smtp}. Nothing failed since`,
  };
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
const seconds = (ms: number) => (ms < 120_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`);
