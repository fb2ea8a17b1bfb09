import type { JetStreamManager } from "@nats-io/jetstream";
import { JetStreamApiError } from "@nats-io/jetstream";

import { OperatorError } from "../model/operator-error.ts";
import { askAgain } from "./ask-again.ts";
import { BACKING_STREAMS, STREAMS } from "./stream-names.ts";

const STREAM_NOT_FOUND = 10059;

/** Which of our streams are not there. Throws what the client throws. */
async function streamsNotThere(jsm: JetStreamManager): Promise<string[]> {
  const names = [...Object.values(STREAMS), ...Object.values(BACKING_STREAMS)];
  const found = await Promise.all(
    names.map((name) =>
      askAgain(() => jsm.streams.info(name)).then(
        () => true,
        (error: unknown) => {
          if (isNotFound(error)) return false;
          throw error;
        },
      ),
    ),
  );
  return names.filter((_, index) => found[index] === false);
}

/** An error that means that a stream is missing, with the names of all that are; every other error as it is. Never throws. */
export async function missingStreams(jsm: JetStreamManager, error: unknown): Promise<unknown> {
  if (!isNotFound(error)) return error;
  const names = await streamsNotThere(jsm).catch(() => []);
  return new OperatorError(
    `not in NATS: ${names.length === 0 ? "a stream of Posthorn's" : names.join(", ")}`,
    "start the daemon first: only `posthorn serve` creates streams",
    { cause: error },
  );
}

/** Whether the server said that there is no such stream. */
export function isNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND;
}
