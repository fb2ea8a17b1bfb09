import type { Hook } from "./hook.ts";

/** Header fields as Node gives them: lower-case names. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One HTTP request for one hook, its body read whole and its content coding undone. */
export interface ReceivedRequest {
  readonly hook: Hook;
  readonly method: string;
  /** What stands behind the `?`, "" when nothing does. */
  readonly query: string;
  readonly headers: RequestHeaders;
  readonly remoteAddress: string;
  readonly body: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** Log lines of one request share it. */
  readonly requestId: string;
}

/** The first value of a header field, "" when it is missing. */
export function headerOf(headers: RequestHeaders, name: string): string {
  const value = headers[name];
  return typeof value === "string" ? value : (value?.[0] ?? "");
}
