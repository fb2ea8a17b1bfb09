import type { Hook } from "./hook.ts";

/** Header fields as Node gives them: lower-case names. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One HTTP request for one hook, its content coding undone. */
export interface ReceivedRequest {
  readonly hook: Hook;
  readonly method: string;
  /** What stands behind the `?`, "" when nothing does. */
  readonly query: string;
  readonly headers: RequestHeaders;
  readonly remoteAddress: string;
  /** Empty when `stream` stands for it. */
  readonly body: Uint8Array;
  /** The body as it came, where a content coding was undone. */
  readonly packed?: Uint8Array;
  /** The body of a multipart form, still on its way. Throws {@link BodyProblem}. */
  readonly stream?: AsyncIterable<Buffer>;
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

/** A body that did not arrive: over the limit, silent for too long, or its sender went away. */
export class BodyProblem extends Error {
  readonly kind: "too-large" | "idle" | "gone";

  constructor(kind: BodyProblem["kind"], options?: ErrorOptions) {
    super(`the body is ${kind}`, options);
    this.name = "BodyProblem";
    this.kind = kind;
  }
}
