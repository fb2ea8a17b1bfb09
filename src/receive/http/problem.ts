import type { RefusedCause, RequestProblem, RequestRefusedCause, TryLaterCause } from "../../model/outcome.ts";
import { REFUSED, REQUEST_REFUSED, TRY_LATER } from "../answers.ts";

/** What an HTTP sender hears of an outcome that is no 2xx. */
export interface HttpAnswer {
  readonly status: number;
  readonly title: string;
}

/** The row of `answers.ts` for a cause. */
export function answerOf(
  outcome:
    | { readonly kind: "tryLater"; readonly cause: TryLaterCause }
    | { readonly kind: "refused"; readonly cause: RefusedCause | RequestRefusedCause },
): HttpAnswer {
  const row =
    outcome.kind === "tryLater"
      ? TRY_LATER[outcome.cause]
      : outcome.cause in REFUSED
        ? REFUSED[outcome.cause as RefusedCause]
        : REQUEST_REFUSED[outcome.cause as RequestRefusedCause];
  return { status: row.http, title: row.text };
}

/** Problem details (RFC 9457) as JSON text; never the sender's bytes. */
export function problemJson(
  answer: HttpAnswer,
  about: { readonly requestId: string; readonly detail?: string; readonly problems?: readonly RequestProblem[] },
): string {
  return JSON.stringify({
    type: "about:blank",
    title: answer.title,
    status: answer.status,
    ...(about.detail !== undefined && { detail: about.detail }),
    ...(about.problems !== undefined &&
      about.problems.length > 0 && {
        errors: about.problems.map(({ pointer, message }) => ({ pointer, detail: message })),
      }),
    instance: `urn:posthorn:request:${about.requestId}`,
  });
}
