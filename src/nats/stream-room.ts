import type { JetStreamAccountStats } from "@nats-io/jetstream";

import { OperatorError } from "../model/operator-error.ts";
import { inBytes } from "../lib/in-bytes.ts";
import type { OwnServer } from "./own-server.ts";
import type { StreamPlan } from "./stream-plans.ts";

/** What there is to store in, in bytes, counting every copy. */
export interface StreamRoom {
  /** What the account may store in all. */
  readonly totalBytes: number;
  /** What of it is stored already, or promised to streams that are there. */
  readonly takenBytes: number;
}

/** A stream below this would be full at once. */
const LEAST_BYTES = 64 * 1024;

/**
 * What the account may store; `undefined` when nobody says, because neither it nor our own server has a limit.
 *
 * Then streams get no bound of their own: the limit of a server that was given none is a share of its free disk, measured
 * anew at each start, and a stream that was promised more than that is not loaded any more (nats-server issue 8322).
 */
export function roomOf(
  account: JetStreamAccountStats,
  own: OwnServer | undefined,
  replicas: number,
): StreamRoom | undefined {
  const tier = account.tiers?.[`R${replicas}`];
  const { limits, storage, reserved_storage: reserved } = tier ?? account;
  const bounds = [limits.max_storage, own?.maxStoreBytes ?? 0].filter((bytes) => bytes > 0);
  if (bounds.length === 0) return undefined;
  return { totalBytes: Math.min(...bounds), takenBytes: Math.max(storage, reserved ?? 0) };
}

/**
 * `max_bytes` for each of these streams, which are to be created: their shares of the whole, less in the same proportion when
 * not so much is left. -1 where no bound is known, and the stream has none of its own.
 *
 * Throws `OperatorError` when too little is left for one of them.
 */
export function sizesOf(
  plans: readonly StreamPlan[],
  room: StreamRoom | undefined,
  replicas: number,
): ReadonlyMap<string, number> {
  if (room === undefined) return new Map(plans.map(({ config, mostBytes }) => [config.name, mostBytes ?? -1]));
  const { totalBytes, takenBytes } = room;
  const wanted = plans.reduce((sum, { share }) => sum + share, 0) * totalBytes;
  const part = Math.min(1, Math.max(0, totalBytes - takenBytes) / wanted);
  return new Map(
    plans.map(({ config: { name }, share, mostBytes = Infinity }) => {
      const bytes = Math.floor(Math.min((share * totalBytes * part) / replicas, mostBytes));
      if (bytes < LEAST_BYTES)
        throw new OperatorError(
          `no room for the stream ${name}: it would get ${inBytes(bytes)}${copiesOf(replicas)}; ${roomInWords(room)}`,
          "give the NATS account more storage (max_file), or delete streams that nobody needs (`nats stream ls`)",
        );
      return [name, bytes];
    }),
  );
}

/** What there is, for an error. */
export function roomInWords(room: StreamRoom | undefined): string {
  if (room === undefined) return "the account has no limit of its own, so the server's counts";
  const { totalBytes, takenBytes } = room;
  return `the account may store ${inBytes(totalBytes)}, of which ${inBytes(takenBytes)} are taken`;
}

/** Copies count, each of them. */
export const copiesOf = (replicas: number) => (replicas === 1 ? "" : ` in each of ${replicas} copies`);
