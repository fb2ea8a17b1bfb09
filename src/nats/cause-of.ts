import type { JetStreamManager } from "@nats-io/jetstream";
import { JetStreamApiError } from "@nats-io/jetstream";
import { jserrors } from "@nats-io/jetstream/internal";
import { errors } from "@nats-io/transport-node";

import type { TryLaterCause } from "../model/outcome.ts";
import { subjectCovers } from "./subject-covers.ts";

/**
 * What the server's error codes mean for a sender; every other code is `our-fault`.
 *
 * Source: nats-server 2.10, `server/errors.json`; the constant's name stands behind each code.
 */
const CAUSES: ReadonlyMap<number, TryLaterCause> = new Map<number, TryLaterCause>([
  [10002, "stream-full"], // JSAccountResourcesExceededErr
  [10023, "stream-full"], // JSInsufficientResourcesErr
  [10028, "stream-full"], // JSMemoryResourcesExceededErr
  [10047, "stream-full"], // JSStorageResourcesExceededErr
  [10077, "stream-full"], // JSStreamStoreFailedF: max_bytes or max_msgs reached, or the disk is full
  [10035, "setting-wrong"], // JSNoAccountErr
  [10039, "setting-wrong"], // JSNotEnabledForAccountErr
  [10054, "setting-wrong"], // JSStreamMessageExceedsMaximumErr: max_msg_size is below our events
  [10059, "setting-wrong"], // JSStreamNotFoundErr
  [10060, "setting-wrong"], // JSStreamNotMatchErr
  [10076, "setting-wrong"], // JSNotEnabledErr
  [10097, "setting-wrong"], // JSStreamHeaderExceedsMaximumErr
  [10109, "setting-wrong"], // JSStreamSealedErr
  [10004, "nats-away"], // JSClusterIncompleteErr
  [10007, "nats-away"], // JSClusterNotAssignedErr
  [10008, "nats-away"], // JSClusterNotAvailErr
  [10009, "nats-away"], // JSClusterNotLeaderErr
  [10041, "nats-away"], // JSRaftGeneralErrF
  // JSStreamDuplicateMessageConflict: a replica has our first try in hand and nobody knows yet how it ends.
  [10158, "no-ack"],
]);

const WRONG_LAST_SEQUENCE: ReadonlySet<number> = new Set([10071, 10164]);

/**
 * What an error of the NATS client means for the sender. Told by class and code, never by text; the unknown is
 * `our-fault`.
 *
 * `no-responders` is no answer yet: a stream that is gone and an election look alike, see {@link causeOfPublish}.
 */
export function causeOf(error: unknown): TryLaterCause | "no-responders" {
  if (error instanceof JetStreamApiError) return causeOfApi(error);
  // The client (3.4.0) says "not enabled" for silence too; only where the server said so does an API error stand behind it.
  if (error instanceof jserrors.JetStreamNotEnabled)
    return error.cause instanceof JetStreamApiError ? "setting-wrong" : "no-responders";
  if (error instanceof errors.NoRespondersError) return "no-responders";
  if (error instanceof errors.RequestError) return error.cause === undefined ? "our-fault" : causeOf(error.cause);
  if (error instanceof errors.TimeoutError) return "no-ack";
  if (error instanceof errors.PermissionViolationError) return "setting-wrong";
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError)
    return "setting-wrong";
  if (
    error instanceof errors.ClosedConnectionError ||
    error instanceof errors.ConnectionError ||
    error instanceof errors.DrainingConnectionError
  )
    return "nats-away";
  return "our-fault";
}

/**
 * As {@link causeOf}, and asks the server where nobody answered: a stream that is gone, or that no longer has our
 * subject, is a wrong setting; a silent one is away. Never throws.
 */
export async function causeOfPublish(error: unknown, stream: string, jsm: JetStreamManager): Promise<TryLaterCause> {
  const cause = causeOf(error);
  if (cause !== "no-responders") return cause;
  try {
    const { config } = await jsm.streams.info(stream);
    const subject = unansweredSubject(error);
    if (subject !== undefined && !(config.subjects ?? []).some((pattern) => subjectCovers(pattern, subject)))
      return "setting-wrong";
    // It is there, so this was an election or a stream that came back in the meantime: worth another try.
    return "nats-away";
  } catch (infoError) {
    const infoCause = causeOf(infoError);
    return infoCause === "no-responders" || infoCause === "no-ack" ? "nats-away" : infoCause;
  }
}

/** Whether a KV write failed because somebody else wrote first (compare and set). */
export function isWrongRevision(error: unknown): boolean {
  return error instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.has(error.code);
}

function causeOfApi(error: JetStreamApiError): TryLaterCause {
  const known = CAUSES.get(error.code);
  if (known !== undefined) return known;
  // A server without a leader also answers 503 without a code of its own ("raft: not leader").
  return error.status === 503 ? "nats-away" : "our-fault";
}

/** The subject that nobody answered on; it stands at the bottom of the client's causes. */
function unansweredSubject(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof errors.NoRespondersError) return cause.subject;
  }
  return undefined;
}
