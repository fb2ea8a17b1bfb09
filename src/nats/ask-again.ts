import type { ServerInfo } from "@nats-io/transport-node";
import { errors } from "@nats-io/transport-node";

import { causeOf } from "./cause-of.ts";

/** A question that a healthy cluster has not answered by then was most likely lost. */
const SILENT_MS = 1_000;
const MOST_ASKS = 8;

/**
 * Asks JetStream something that changes nothing, or that may happen twice, and asks again each second while nobody answers.
 *
 * A question is lost when the server that should answer has just died: for as long as an election takes, and for a new
 * consumer of one copy for minutes, because the cluster goes on to place some of them on the dead server (nats-server
 * 2.10.27, after a SIGKILL). The next try is placed by chance again. The first answer counts; `discard` gets each that
 * comes after it. Throws the last error when nobody answered at all, and at once what asking again would not mend.
 */
export function askAgain<T>(ask: () => Promise<T>, discard?: (late: T) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    let [asked, waiting, isOver] = [0, 0, false];
    let timer: NodeJS.Timeout | undefined;
    const end = () => {
      isOver = true;
      clearTimeout(timer);
    };
    const askOnce = () => {
      asked += 1;
      waiting += 1;
      if (asked < MOST_ASKS) timer = setTimeout(askOnce, SILENT_MS);
      ask().then(
        (answer) => {
          if (isOver) {
            discard?.(answer);
            return;
          }
          end();
          resolve(answer);
        },
        (error: unknown) => {
          waiting -= 1;
          if (isOver || (isPassing(error) && (asked < MOST_ASKS || waiting > 0))) return;
          end();
          reject(error);
        },
      );
    };
    askOnce();
  });
}

/** Whether JetStream may well answer a moment later: nobody answered, or the cluster said that it has no leader just now. */
export function isPassing(error: unknown): boolean {
  if (error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError) return false;
  const cause = causeOf(error);
  return cause === "no-ack" || cause === "nats-away" || cause === "no-responders";
}

/** A server by itself says whether it has JetStream; one of a cluster, or one that leads to a `domain`, leaves it to others. */
export function mayHaveJetStream(info: ServerInfo | undefined, domain: string | undefined): boolean {
  return info === undefined || info.jetstream === true || info.cluster !== undefined || domain !== undefined;
}
