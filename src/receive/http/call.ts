import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import type { Hook } from "../../model/hook.ts";
import type { RequestProblem } from "../../model/outcome.ts";
import type { Language } from "./negotiate.ts";
import { pageProblemOf } from "./page-texts.ts";
import { PAGE_HEADERS, problemPage } from "./pages.ts";
import { answerOf, problemJson } from "./problem.ts";
import type { Refusal, RefusedRequest } from "./services.ts";

/** One request on its way to its answer. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly remoteAddress: string;
  readonly method: string;
  /** What stands behind the `?`, "" when nothing does. */
  readonly query: string;
  /** Header fields that every answer to this request carries: CORS, rate limits. */
  readonly extra: OutgoingHttpHeaders;
  /** Whether the door closes: the connection ends with this answer, instead of being cut off before the next one. */
  readonly isLast: () => boolean;
  hook: Hook | undefined;
  /** The language of pages, when a browser asks that shows its answer to a person. */
  language: Language | undefined;
  /** Bytes of the body that were read. */
  size: number;
}

const RETRY_AFTER_SECONDS = { "hook-paused": 60, "rate-limited": 10, "stream-full": 30 } as const;
const DEFAULT_RETRY_AFTER_SECONDS = 5;
const SHORT_BODY_BYTES = 64 * 1024;
const LINGER_MS = 2_000;
const LINGER_BYTES = 8 * 1024 * 1024;
const SAFE_HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;

/** Sends an answer whole. A sender that went away hears nothing, which is no fault. */
export function send(call: Call, status: number, headers: OutgoingHttpHeaders, body: string): void {
  const { response, request } = call;
  if (response.headersSent || response.destroyed) return;
  const isUnread = !request.complete && isLong(request);
  response.writeHead(status, {
    ...SAFE_HEADERS,
    "x-request-id": call.requestId,
    ...call.extra,
    ...headers,
    // 204 and 304 carry no length (RFC 9110 §8.6).
    ...(status !== 204 && { "content-length": Buffer.byteLength(body) }),
    ...((isUnread || call.isLast()) && { connection: "close" }),
  });
  const text = call.method === "HEAD" ? "" : body;
  if (isUnread) linger(call, text);
  else response.end(text);
}

/**
 * Gives a sender that is still sending its answer, and reads on for a moment: closed at once, the connection would be reset,
 * and many clients lose an answer that they had already (RFC 9112 §9.6).
 */
function linger({ request, response }: Call, text: string): void {
  let unread = 0;
  const end = () => {
    clearTimeout(timer);
    request.off("data", onData).off("end", end).off("close", end);
    response.end();
  };
  const onData = (chunk: Buffer) => {
    unread += chunk.length;
    if (unread > LINGER_BYTES) end();
  };
  const timer = setTimeout(end, LINGER_MS);
  closing.add(request.socket);
  response.flushHeaders();
  response.write(text);
  request.on("data", onData).once("end", end).once("close", end);
  request.resume();
}

/** Whether what is left of a body may be more than Node throws away by itself behind an answer. */
function isLong({ headers }: IncomingMessage): boolean {
  return (
    headers["transfer-encoding"] !== undefined ||
    headers.expect !== undefined ||
    Number(headers["content-length"] ?? 0) > SHORT_BODY_BYTES
  );
}

/** Connections whose last answer went out: what still comes on them is no request of anybody. */
const closing = new WeakSet<Socket>();

/** What still comes on this connection is not answered any more. */
export function noteClosing(socket: Socket): void {
  closing.add(socket);
}

export function isClosing(socket: Socket): boolean {
  return closing.has(socket);
}

/** Answers with problem details (RFC 9457), or with a page for people, and tells `onRefusal`. */
export function refuse(
  call: Call,
  refusal: Refusal & { readonly problems?: readonly RequestProblem[] },
  onRefusal: (refused: RefusedRequest) => void,
  headers: OutgoingHttpHeaders = {},
): void {
  const answer = answerOf(refusal);
  onRefusal({
    requestId: call.requestId,
    remoteAddress: call.remoteAddress,
    hookEventName: call.hook?.eventName,
    status: answer.status,
    cause: refusal.cause,
    size: call.size,
  });
  const { requestId, language } = call;
  const all: OutgoingHttpHeaders = {
    "content-type": "application/problem+json",
    ...(refusal.kind === "tryLater" && { "retry-after": retryAfterOf(refusal.cause) }),
    // RFC 6750 §3: which scheme opens the door.
    ...(answer.status === 401 && { "www-authenticate": 'Bearer realm="posthorn"' }),
    ...(language !== undefined && PAGE_HEADERS),
    ...headers,
  };
  const problems = refusal.problems ?? [];
  if (language !== undefined) {
    const problem = pageProblemOf(refusal.cause, refusal.kind === "tryLater");
    return send(call, answer.status, all, problemPage(language, problem, { requestId, problems }));
  }
  const detail = "detail" in refusal && refusal.detail !== undefined ? { detail: refusal.detail } : {};
  send(call, answer.status, all, problemJson(answer, { requestId, problems, ...detail }));
}

export function retryAfterOf(cause: string): string {
  const seconds = RETRY_AFTER_SECONDS[cause as keyof typeof RETRY_AFTER_SECONDS] ?? DEFAULT_RETRY_AFTER_SECONDS;
  return String(seconds);
}
