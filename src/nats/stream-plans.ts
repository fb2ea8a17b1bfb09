import type { StreamConfig } from "@nats-io/jetstream";
import { DiscardPolicy, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";

import { BACKING_STREAMS, BUCKETS, STREAMS } from "./stream-names.ts";

/** What the settings say of streams. */
export interface StreamSettings {
  readonly dedupeWindowMs: number;
  readonly eventsMaxAgeMs: number;
  readonly replicas: number;
}

/** A stream as Posthorn creates it. */
export interface StreamPlan {
  readonly config: Partial<StreamConfig> & { readonly name: string };
  /** Its part of what the account may store (contract §6: events 50 %, objects 30 %, all else 20 %). */
  readonly share: number;
  /** In bytes, where the share would be more. */
  readonly mostBytes?: number;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
const DEAD_LETTERS_MAX_AGE_MS = 30 * DAY_MS;
const AUDIT_MAX_AGE_MS = 400 * DAY_MS;
const UNFINISHED_TTL_MS = 7 * DAY_MS;
const REFUSED_MAX_BYTES = 64 * 1024 * 1024;
/** An object is stored before what names it, and is named again by a retry of the same day. */
const OBJECTS_LIVE_LONGER_MS = DAY_MS;

/** Every stream and bucket of contract §6; two hundredths are left for streams that come later. */
export function streamPlans({ dedupeWindowMs, eventsMaxAgeMs, replicas }: StreamSettings): readonly StreamPlan[] {
  const kept = { retention: RetentionPolicy.Limits, storage: StorageType.File, num_replicas: replicas };
  const stream = { ...kept, allow_direct: true };
  // As the clients make their buckets. A direct get may be stale on a replica, and a revoked key must not open anything.
  const bucket = { ...kept, discard: DiscardPolicy.New, max_msgs_per_subject: 1, allow_rollup_hdrs: true };
  const exact = { ...bucket, allow_direct: false };
  const keysOf = (name: string) => [`$KV.${name}.>`];
  return [
    {
      share: 0.5,
      config: {
        ...stream,
        name: STREAMS.events,
        description: "Posthorn: one message per event",
        subjects: ["kustomer.app.>"],
        discard: DiscardPolicy.New,
        max_age: nanos(eventsMaxAgeMs),
        duplicate_window: nanos(dedupeWindowMs),
      },
    },
    {
      share: 0.08,
      config: {
        ...stream,
        name: STREAMS.deadLetters,
        description: "Posthorn: what became no event, and why",
        subjects: ["posthorn.dead.>"],
        discard: DiscardPolicy.New,
        max_age: nanos(DEAD_LETTERS_MAX_AGE_MS),
        duplicate_window: nanos(DAY_MS),
      },
    },
    {
      share: 0.02,
      mostBytes: REFUSED_MAX_BYTES,
      config: {
        ...stream,
        name: STREAMS.refused,
        description: "Posthorn: calls that were refused",
        subjects: ["posthorn.refused.>"],
        discard: DiscardPolicy.Old,
        max_age: nanos(DAY_MS),
      },
    },
    {
      share: 0.02,
      config: {
        ...stream,
        name: STREAMS.audit,
        description: "Posthorn: who changed what",
        subjects: ["posthorn.audit.>"],
        discard: DiscardPolicy.Old,
        max_age: nanos(AUDIT_MAX_AGE_MS),
      },
    },
    { share: 0.02, config: { ...exact, name: BACKING_STREAMS.registry, subjects: keysOf(BUCKETS.registry) } },
    { share: 0.01, config: { ...exact, name: BACKING_STREAMS.keys, subjects: keysOf(BUCKETS.keys) } },
    { share: 0.01, config: { ...exact, name: BACKING_STREAMS.secrets, subjects: keysOf(BUCKETS.secrets) } },
    {
      share: 0.02,
      config: {
        ...bucket,
        allow_direct: true,
        name: BACKING_STREAMS.unfinished,
        subjects: keysOf(BUCKETS.unfinished),
        max_age: nanos(UNFINISHED_TTL_MS),
      },
    },
    {
      share: 0.3,
      config: {
        ...kept,
        name: BACKING_STREAMS.objects,
        subjects: [`$O.${BUCKETS.objects}.C.>`, `$O.${BUCKETS.objects}.M.>`],
        discard: DiscardPolicy.New,
        allow_direct: true,
        allow_rollup_hdrs: true,
        max_age: nanos(objectsMaxAgeMs([eventsMaxAgeMs, DEAD_LETTERS_MAX_AGE_MS])),
      },
    },
  ];
}

/** How long objects have to live when those that name them live so long; 0 is for ever, in and out. */
export function objectsMaxAgeMs(namedForMs: readonly number[]): number {
  return namedForMs.includes(0) ? 0 : Math.max(...namedForMs) + OBJECTS_LIVE_LONGER_MS;
}
