import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { ObjectStore } from "@nats-io/obj";

import { DEAD_LETTER_STREAM } from "./dead-letter.ts";
import type { StoredDeadLetter } from "./dead-letters.ts";
import { discardDeadLetter } from "./dead-letters.ts";
import { storedIdsSince } from "./find-stored.ts";
import { removeObject } from "./objects.ts";
import { EVENT_STREAM } from "./publish-event.ts";
import { readEntry, readForwards } from "./read-stream.ts";

export interface DiscardParts {
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly objects: ObjectStore;
}

/** Raw mail that only dead letters name, those of one message: `event/object-name.ts` makes the names. */
const OF_DEAD_LETTERS = /^[\d-]{10}\/[0-9a-z]{26}\/dead-/;
/** A file of a form, which that form alone names. */
const UPLOAD = /^[\d-]{10}\/upload-/;
/** `object` is the last member of every dead letter that we build. */
const OBJECT = /"object":"([^"\\]+)"\}$/;

/**
 * Discards dead letters for good: with the raw message and the files that each names.
 *
 * Raw mail stays while another dead letter names it (one mail to several hooks), files stay when a release that was cut off
 * has made an event of the form, and objects of an earlier version, which several messages may share, stay until they
 * expire. Which letter names which object is read once, so make one for a run, and let it go after it.
 */
export class Discards {
  readonly #parts: DiscardParts;
  /** Invariant: holds the letters up to `#seen`, and perhaps some that are gone. */
  readonly #namedBy = new Map<string, Set<number>>();
  #seen = 0;

  constructor(parts: DiscardParts) {
    this.#parts = parts;
  }

  /** Can be done again when it is cut off. Throws what the client throws. */
  async discard({ sequence, letter }: { readonly sequence: number; readonly letter: StoredDeadLetter }): Promise<void> {
    const { jsm, objects } = this.#parts;
    for (const file of await this.#filesOf(letter)) await removeObject(objects, file);
    const raw = rawOf(letter);
    if (raw === undefined) return discardDeadLetter(jsm, sequence);
    const isShared = await this.#isNamedByOther(raw, sequence);
    // Objects first, so that a letter which is still there can be discarded again.
    if (!isShared) await removeObject(objects, raw);
    await discardDeadLetter(jsm, sequence);
    // Once more behind the letter itself: of two that are discarded at once, the second finds nobody.
    if (isShared && !(await this.#isNamedByOther(raw, sequence))) await removeObject(objects, raw);
  }

  async #isNamedByOther(object: string, sequence: number): Promise<boolean> {
    const { jsm } = this.#parts;
    for await (const { sequence: at, text } of readForwards(jsm, DEAD_LETTER_STREAM, { after: this.#seen })) {
      this.#seen = at;
      const name = OBJECT.exec(text)?.[1];
      if (name === undefined) continue;
      const sequences = this.#namedBy.get(name) ?? new Set();
      this.#namedBy.set(name, sequences.add(at));
    }
    for (const other of this.#namedBy.get(object) ?? [])
      if (other !== sequence && (await readEntry(jsm, DEAD_LETTER_STREAM, other)) !== undefined) return true;
    return false;
  }

  /** The files that came with a form, unless an event names them too. */
  async #filesOf({ id, eventName, time, http }: StoredDeadLetter): Promise<readonly string[]> {
    const files = Array.isArray(http?.["files"]) ? (http["files"] as { readonly object?: unknown }[]) : [];
    const names = files.flatMap(({ object }) => (typeof object === "string" && UPLOAD.test(object) ? [object] : []));
    if (names.length === 0) return names;
    const wish = { stream: EVENT_STREAM, subject: eventName, since: new Date(time) };
    return (await storedIdsSince(this.#parts.js, wish)).has(id) ? [] : names;
  }
}

/** The raw message, where it belongs to dead letters of this message alone; of a request to this letter alone. */
function rawOf({ id, object }: StoredDeadLetter): string | undefined {
  return object !== null && (OF_DEAD_LETTERS.test(object) || object.split("/")[1] === id) ? object : undefined;
}
