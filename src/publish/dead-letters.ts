import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import { DEAD_LETTER_STREAM, deadLetterSubject } from "./dead-letter.ts";
import { findStored } from "./find-stored.ts";
import { EVENT_STREAM } from "./publish-event.ts";
import { readForwards } from "./read-stream.ts";

/** A dead letter as it stands in the stream. */
export interface StoredDeadLetter {
  readonly id: string;
  readonly time: string;
  readonly reason: { readonly code: string; readonly title: string; readonly detail: string };
  readonly app: string;
  readonly hook: string;
  readonly hooktype: string;
  readonly eventName: string;
  readonly mail?: DeadMail;
  readonly http?: Readonly<Record<string, unknown>>;
  readonly object: string | null;
}

interface DeadMail {
  readonly tag: string | null;
  readonly subject?: string | null;
  readonly from?: { readonly address: string } | null;
  readonly envelope: {
    readonly from: string;
    readonly to: readonly string[];
    readonly remoteAddress: string;
    readonly helo: string;
    readonly protocol: string;
    readonly tls: string | null;
  };
}

/** Dead letters, those of one subject where it is named, oldest first, with their sequence in the stream. */
export async function* readDeadLetters(
  jsm: JetStreamManager,
  subject?: string,
): AsyncGenerator<{ sequence: number; letter: StoredDeadLetter }> {
  for await (const { sequence, text } of readForwards(jsm, DEAD_LETTER_STREAM, { subject }))
    yield { sequence, letter: JSON.parse(text) as StoredDeadLetter };
}

/** The dead letter with that id; undefined when it is gone. */
export async function findDeadLetter(
  jsm: JetStreamManager,
  id: string,
): Promise<{ sequence: number; letter: StoredDeadLetter } | undefined> {
  for await (const found of readDeadLetters(jsm)) if (found.letter.id === id) return found;
  return undefined;
}

/**
 * The dead letter that a message just sent to a hook became, by the id in its answer; undefined when it became an event.
 *
 * One that stood there before (its sequence is at most `before`) counts when there is no event of that id: then the stream
 * has recognised the message as a repeat.
 */
export async function deadLetterOfSent(
  { js, jsm }: { readonly js: JetStreamClient; readonly jsm: JetStreamManager },
  sent: { readonly app: string; readonly eventName: string; readonly id: string; readonly before: number },
): Promise<StoredDeadLetter | undefined> {
  const { app, eventName, id, before } = sent;
  const letters = readDeadLetters(jsm, deadLetterSubject(app, eventName));
  const found = (await Array.fromAsync(letters)).findLast(({ letter }) => letter.id === id);
  if (found === undefined || found.sequence > before) return found?.letter;
  const anywhere = { from: 0, to: Number.MAX_SAFE_INTEGER };
  const event = await findStored(js, { stream: EVENT_STREAM, subject: eventName, messageId: id, ...anywhere });
  return event === undefined ? found.letter : undefined;
}

/** Takes a dead letter off the stream; what it names stays, for an event may name it now. */
export async function discardDeadLetter(jsm: JetStreamManager, sequence: number): Promise<void> {
  await jsm.streams.deleteMessage(DEAD_LETTER_STREAM, sequence);
}
