import type { Entry, EntryPage, EntryWish, EventServices } from "../admin/services.ts";
import { STREAMS } from "../nats/stream-names.ts";
import { followEvents } from "../publish/follow-events.ts";
import { getObject } from "../publish/objects.ts";
import { readBackwards, readEntry, sequenceAt } from "../publish/read-stream.ts";
import type { Storage } from "./storage.ts";

/** How long a list looks for entries before it shows what it has, with a link to go on. */
const PATIENCE_MS = 600;

/** What arrived, as the admin page reads it. */
export function adminEvents(storage: Storage): EventServices {
  const { js, jsm, objects } = storage;
  return {
    events: (wish) => pageOf(storage, STREAMS.events, wish),
    event: (sequence) => readEntry(jsm, STREAMS.events, sequence),
    eventsFrom: (moment) => sequenceAt(jsm, STREAMS.events, moment),
    followEvents: (signal, after) => followEvents(js, { signal, after }),
    object: (name) => getObject(objects, name),
    refused: (wish) => pageOf(storage, STREAMS.refused, wish),
    audit: (wish) => pageOf(storage, STREAMS.audit, wish),
  };
}

/** A page of any stream, filtered by subjects on the server and by text here. */
export function pageOf(storage: Storage, stream: string, wish: EntryWish): Promise<EntryPage> {
  const text = wish.text?.trim().toLowerCase();
  const { contains, before, limit, subjects, seen = (whole) => whole } = wish;
  const accepts = (entry: Entry): boolean =>
    (!text || seen(entry.text).toLowerCase().includes(text)) &&
    (contains === undefined || entry.text.includes(contains));
  const isFiltered = Boolean(text) || contains !== undefined;
  return readBackwards(storage, {
    stream,
    before,
    limit,
    subjects,
    patienceMs: PATIENCE_MS,
    ...(isFiltered && { accepts }),
  });
}
