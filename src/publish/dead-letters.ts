import type { JetStreamManager } from "@nats-io/jetstream";

import { DEAD_LETTER_STREAM } from "./dead-letter.ts";
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

/** Dead letters, oldest first, with their sequence in the stream. */
export async function* readDeadLetters(
  jsm: JetStreamManager,
): AsyncGenerator<{ sequence: number; letter: StoredDeadLetter }> {
  for await (const { sequence, text } of readForwards(jsm, DEAD_LETTER_STREAM))
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

/** Takes a dead letter off the stream. */
export async function discardDeadLetter(jsm: JetStreamManager, sequence: number): Promise<void> {
  await jsm.streams.deleteMessage(DEAD_LETTER_STREAM, sequence);
}
