import type { StreamConfig } from "@nats-io/jetstream";

import type { StreamSettings } from "./stream-plans.ts";
import { objectsMaxAgeMs } from "./stream-plans.ts";
import { BACKING_STREAMS, STREAMS } from "./stream-names.ts";

/** Where a stream that is there is otherwise than the settings say, and the command that changes it. */
export interface PlanDifference {
  readonly stream: string;
  /** What is different: `max_age is 7d; POSTHORN_EVENTS_MAX_AGE says 90d`. */
  readonly what: string;
  readonly command: string;
}

const NANOS_PER_MS = 1_000_000;
const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/**
 * Compares the streams that are there with the settings: copies, how long events and their ids are kept, where streams are
 * placed, and whether objects live as long as what names them. An operator may want it so: nothing is changed.
 */
export function planDifferences(configs: readonly StreamConfig[], settings: StreamSettings): PlanDifference[] {
  const events = configs.find(({ name }) => name === STREAMS.events);
  return configs.flatMap((config) => [
    ...replicaDifference(config, settings),
    ...placementDifference(config, events),
    ...(config.name === STREAMS.events ? eventDifferences(config, settings) : []),
    ...(config.name === BACKING_STREAMS.objects ? objectDifference(config, configs) : []),
  ]);
}

function replicaDifference(
  { name, num_replicas: copies }: StreamConfig,
  { replicas }: StreamSettings,
): PlanDifference[] {
  if (copies === replicas) return [];
  return [
    {
      stream: name,
      what: `it has ${copies} ${copies === 1 ? "copy" : "copies"}, and POSTHORN_REPLICAS says ${replicas}`,
      command: edit(name, `--replicas=${replicas}`),
    },
  ];
}

function eventDifferences(config: StreamConfig, { eventsMaxAgeMs, dedupeWindowMs }: StreamSettings): PlanDifference[] {
  const [maxAgeMs, windowMs] = [config.max_age / NANOS_PER_MS, config.duplicate_window / NANOS_PER_MS];
  const age = maxAgeMs !== eventsMaxAgeMs && {
    stream: config.name,
    what: `events are kept for ${inWords(maxAgeMs)}, and POSTHORN_EVENTS_MAX_AGE says ${inWords(eventsMaxAgeMs)}`,
    command: edit(config.name, `--max-age=${inWords(eventsMaxAgeMs)}`),
  };
  const window = windowMs !== dedupeWindowMs && {
    stream: config.name,
    what: `repeats are recognised for ${inWords(windowMs)}, and POSTHORN_DEDUPE_WINDOW says ${inWords(dedupeWindowMs)}`,
    command: edit(config.name, `--dupe-window=${inWords(dedupeWindowMs)}`),
  };
  return [age, window].filter((difference) => difference !== false);
}

/** There is no setting for it: all streams belong where the events are. */
function placementDifference(config: StreamConfig, events: StreamConfig | undefined): PlanDifference[] {
  const [here, wanted] = [placeOf(config), placeOf(events ?? config)];
  if (here.words === wanted.words) return [];
  return [
    {
      stream: config.name,
      what: `it is placed ${here.words}, and ${STREAMS.events} ${wanted.words}`,
      // A placement cannot be taken off a stream: then the others follow.
      command: wanted.flags.length > 0 ? edit(config.name, ...wanted.flags) : edit(STREAMS.events, ...here.flags),
    },
  ];
}

function placeOf({ placement }: StreamConfig): { readonly words: string; readonly flags: readonly string[] } {
  const { cluster = "", tags = [] } = placement ?? {};
  const sorted = tags.toSorted();
  const words = [cluster !== "" && `in cluster ${cluster}`, sorted.length > 0 && `by tags ${sorted.join(", ")}`];
  return {
    words: words.filter((part) => part !== false).join(" ") || "anywhere",
    flags: [...(cluster === "" ? [] : [`--cluster=${cluster}`]), ...sorted.map((tag) => `--tag=${tag}`)],
  };
}

function objectDifference(config: StreamConfig, configs: readonly StreamConfig[]): PlanDifference[] {
  const naming = configs.filter(({ name }) => name === STREAMS.events || name === STREAMS.deadLetters);
  const longestMs = naming.some(({ max_age: age }) => age === 0)
    ? 0
    : Math.max(0, ...naming.map(({ max_age: age }) => age / NANOS_PER_MS));
  const liveMs = config.max_age / NANOS_PER_MS;
  if (liveMs === 0 || (longestMs !== 0 && liveMs >= longestMs) || naming.length === 0) return [];
  const wantedMs = objectsMaxAgeMs(naming.map(({ max_age: age }) => age / NANOS_PER_MS));
  return [
    {
      stream: config.name,
      what: `objects live for ${inWords(liveMs)}, and what names them for ${inWords(longestMs)}: mails, files and the data of big events go before their events`,
      command: edit(config.name, `--max-age=${wantedMs === 0 ? "0s" : inWords(wantedMs)}`),
    },
  ];
}

const edit = (stream: string, ...flags: readonly string[]) => `nats stream edit ${stream} ${flags.join(" ")}`;

/** As settings are written, and as the `nats` command takes it. */
function inWords(ms: number): string {
  if (ms === 0) return "ever";
  const [unit, unitMs] = UNITS.find(([, length]) => ms % length === 0) ?? ["ms", 1];
  return `${ms / unitMs}${unit}`;
}
