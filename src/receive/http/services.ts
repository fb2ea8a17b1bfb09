import type { Budget } from "../../lib/budget.ts";
import type { EventName } from "../../model/event-name.ts";
import type { HookId } from "../../model/hook-id.ts";
import type { HandshakeKind } from "../../model/hook-options.ts";
import type { Hook } from "../../model/hook.ts";
import type { EventId, RefusedCause, RequestOutcome, RequestRefusedCause, TryLaterCause } from "../../model/outcome.ts";
import type { ReceivedRequest, RequestHeaders } from "../../model/request.ts";
import type { Lookup } from "../smtp/recipient.ts";
import type { RateVerdict } from "./rate-headers.ts";

export type Refusal =
  | { readonly kind: "refused"; readonly cause: RefusedCause | RequestRefusedCause; readonly detail?: string }
  | { readonly kind: "tryLater"; readonly cause: TryLaterCause; readonly error?: unknown };

/** One answer that is no 2xx, for the log and the stream of refused calls: never the body. */
export interface RefusedRequest {
  readonly requestId: string;
  readonly remoteAddress: string;
  /** Undefined when no hook was found. */
  readonly hookEventName: EventName | undefined;
  readonly status: number;
  readonly cause: string;
  /** Bytes of the body, as far as they were read. */
  readonly size: number;
}

/** What a handshake looks at. */
type HandshakeAsk = Pick<ReceivedRequest, "method" | "query" | "headers" | "body">;

interface HandshakeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the door is given by `daemon`: it knows no other room. */
export interface HttpDoorServices {
  hookById(hookId: HookId, remoteAddress: string): Lookup | Promise<Lookup>;
  /** Whether the key in `headers` opens the hook; undefined when it does. */
  authorize(hook: Hook, headers: RequestHeaders, remoteAddress: string): Promise<Refusal | undefined>;
  /** The answer to the provider's ownership check; undefined when the request is none. */
  handshake(hook: Hook, request: HandshakeAsk): HandshakeAnswer | undefined;
  /** The methods that a handshake needs, and whether its check stands in a body. */
  readonly handshakeMethods: (kind: HandshakeKind) => readonly string[];
  readonly isHandshakeInBody: (kind: HandshakeKind) => boolean;
  /** Counts the request; one verdict for each limit that the hook has. */
  countRate(hook: Hook, remoteAddress: string): readonly RateVerdict[];
  /** Takes the request to its event; the outcome comes after the ack. Never throws. */
  deliver(request: ReceivedRequest): Promise<{ readonly outcome: RequestOutcome; readonly next?: string }>;
  /** Why no request can be stored now; asked before a body is read. */
  whyNotNow(): TryLaterCause | undefined;
  /** The sender went away before it heard that these were stored: it will send them again. */
  readonly onUnheard: (eventIds: readonly EventId[]) => void;
  readonly onRefusal: (refused: RefusedRequest) => void;
  /** A response to a request for this hook went out, so many milliseconds after its header fields came. */
  readonly onAnswered: (hookEventName: EventName, milliseconds: number) => void;
  onFault(sentence: string, fields: { readonly requestId: string; readonly error: unknown }): void;
  /** Bytes of bodies in memory. */
  readonly inFlight: Budget;
}
