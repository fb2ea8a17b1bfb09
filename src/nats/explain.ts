import { JetStreamApiError } from "@nats-io/jetstream";
import { jserrors } from "@nats-io/jetstream/internal";
import { errors } from "@nats-io/transport-node";

import { OperatorError } from "../model/operator-error.ts";
import { isPassing } from "./ask-again.ts";
import { neededFor } from "./needed-permissions.ts";

const SUBJECTS_OVERLAP = 10065;
const NO_JETSTREAM: ReadonlySet<number> = new Set([10039, 10076]);

/** What the operator has to mend, where an error of the NATS client means that; every other error as it is. */
export function explained(error: unknown): unknown {
  if (error instanceof OperatorError) return error;
  const denied = deniedBy(error);
  if (denied !== undefined) {
    const verb = denied.operation === "publish" ? "publish on" : "subscribe to";
    const needed = neededFor(denied)?.subject ?? denied.subject;
    return new OperatorError(
      `NATS permission missing: our user may not ${verb} ${denied.subject}`,
      `allow it to ${verb} ${JSON.stringify(needed)}; \`posthorn permissions\` prints all that it needs, as configuration for the server`,
      { cause: error },
    );
  }
  if (error instanceof jserrors.JetStreamNotEnabled || hasCode(error, NO_JETSTREAM)) {
    return noJetStream(error);
  }
  if (error instanceof JetStreamApiError && error.code === SUBJECTS_OVERLAP) {
    return new OperatorError(
      "a stream of somebody else already takes subjects of ours",
      "see `nats stream ls --subjects`; delete that stream or give Posthorn an account of its own",
      { cause: error },
    );
  }
  if (isPassing(error)) {
    return new OperatorError(
      "JetStream does not answer",
      "see the log of nats-server; in a cluster more than half of the servers have to run (`nats server report jetstream`)",
      { cause: error },
    );
  }
  if (error instanceof JetStreamApiError)
    return new OperatorError(`NATS refused: ${error.message} (${error.code})`, "see the log of nats-server", {
      cause: error,
    });
  return error;
}

export function noJetStream(cause?: unknown): OperatorError {
  return new OperatorError("the NATS server has no JetStream", "switch it on: `jetstream {}` in its configuration", {
    cause,
  });
}

/** What the server did not let us do, at the bottom of the client's causes. */
function deniedBy(error: unknown): InstanceType<typeof errors.PermissionViolationError> | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof errors.PermissionViolationError) return cause;
  return undefined;
}

function hasCode(error: unknown, codes: ReadonlySet<number>): boolean {
  return error instanceof JetStreamApiError && codes.has(error.code);
}
