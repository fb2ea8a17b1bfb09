import type { JetStreamManager } from "@nats-io/jetstream";
import { JetStreamApiError } from "@nats-io/jetstream";
import { jserrors } from "@nats-io/jetstream/internal";
import { errors } from "@nats-io/transport-node";

import type { TryLaterCause } from "../model/outcome.ts";

/** Source: nats-server, `server/errors.json`. */
const FULL_CODES: ReadonlySet<number> = new Set([10023, 10047, 10077]);
const STREAM_NOT_FOUND = 10059;
const WRONG_STREAM = 10060;
const MESSAGE_TOO_LARGE = 10054;
const HEADERS_TOO_LARGE = 10097;
const JETSTREAM_OFF: ReadonlySet<number> = new Set([10039, 10076]);

/**
 * What an error of the NATS client means for the sender. Told by class and code, never by text; the unknown is
 * `our-fault`.
 *
 * `no-responders` is no answer yet: a stream that is gone and an election look alike, see {@link causeOfPublish}.
 */
export function causeOf(error: unknown): TryLaterCause | "no-responders" {
  if (error instanceof JetStreamApiError) return causeOfCode(error.code);
  if (error instanceof jserrors.JetStreamNotEnabled || error instanceof errors.NoRespondersError)
    return "no-responders";
  if (error instanceof errors.RequestError) return error.isNoResponders() ? "no-responders" : causeOfRequest(error);
  if (error instanceof errors.TimeoutError) return "no-ack";
  if (error instanceof errors.PermissionViolationError) return "setting-wrong";
  if (
    error instanceof errors.ClosedConnectionError ||
    error instanceof errors.ConnectionError ||
    error instanceof errors.DrainingConnectionError
  )
    return "nats-away";
  if (error instanceof errors.InvalidArgumentError) return "our-fault";
  return "our-fault";
}

/** As {@link causeOf}, and asks the server about the stream where nobody answered: gone is a wrong setting, silent is away. */
export async function causeOfPublish(error: unknown, stream: string, jsm: JetStreamManager): Promise<TryLaterCause> {
  const cause = causeOf(error);
  if (cause !== "no-responders") return cause;
  try {
    await jsm.streams.info(stream);
    // It is there, so this was an election or a stream that came back in the meantime: worth another try.
    return "nats-away";
  } catch (infoError) {
    const infoCause = causeOf(infoError);
    return infoCause === "no-responders" || infoCause === "no-ack" ? "nats-away" : infoCause;
  }
}

function causeOfRequest(error: InstanceType<typeof errors.RequestError>): TryLaterCause {
  const cause = error.cause === undefined ? "our-fault" : causeOf(error.cause);
  return cause === "no-responders" ? "nats-away" : cause;
}

function causeOfCode(code: number): TryLaterCause {
  if (FULL_CODES.has(code)) return "stream-full";
  if (code === STREAM_NOT_FOUND || code === WRONG_STREAM || code === MESSAGE_TOO_LARGE || code === HEADERS_TOO_LARGE)
    return "setting-wrong";
  if (JETSTREAM_OFF.has(code)) return "setting-wrong";
  return "our-fault";
}

const WRONG_LAST_SEQUENCE: ReadonlySet<number> = new Set([10071, 10164]);

/** Whether a KV write failed because somebody else wrote first (compare and set). */
export function isWrongRevision(error: unknown): boolean {
  return error instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.has(error.code);
}
