import type { OutgoingHttpHeaders } from "node:http";

import type { Hook } from "../../model/hook.ts";
import type { RequestOutcome } from "../../model/outcome.ts";
import type { ReceivedRequest } from "../../model/request.ts";
import type { Call } from "./call.ts";
import { refuse } from "./call.ts";
import { readBodyOf } from "./read-body.ts";
import type { HttpDoorServices, Refusal } from "./services.ts";
import { streamBodyOf } from "./stream-body.ts";
import { ACCEPT_ENCODING, unpack } from "./unpack.ts";

export interface BodyLimits {
  readonly maxBodyBytes: number;
  /** Of a multipart form. */
  readonly maxUploadBytes: number;
  readonly idleMs: number;
}

export interface Taken {
  readonly outcome: RequestOutcome;
  readonly next?: string;
}

const MULTIPART = /^\s*multipart\/form-data\s*(?:;|$)/i;
const NO_BYTES = new Uint8Array(0);

export interface BodyWishes {
  /** A signature is made over the bytes of the whole body, so they are not streamed. */
  readonly isRawNeeded: boolean;
  /** Looks at the whole body first; true when it has answered. */
  readonly onBody?: (body: Uint8Array) => Promise<boolean>;
}

/** Reads the body and hands the request on; undefined when it was answered here, or by `onBody`. */
export async function takeBody(
  call: Call,
  hook: Hook,
  services: HttpDoorServices,
  limits: BodyLimits,
  { isRawNeeded, onBody }: BodyWishes,
): Promise<Taken | undefined> {
  const { request, response } = call;
  const no = (refusal: Refusal, headers: OutgoingHttpHeaders = {}) => {
    refuse(call, refusal, services.onRefusal, headers);
    return undefined;
  };
  const away = services.whyNotNow();
  if (away !== undefined) return no({ kind: "tryLater", cause: away });
  const coding = request.headers["content-encoding"];
  const isPlain = coding === undefined || coding.trim().toLowerCase() === "identity";
  const isStream = isPlain && !isRawNeeded && MULTIPART.test(request.headers["content-type"] ?? "");
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > (isStream ? limits.maxUploadBytes : limits.maxBodyBytes))
    return no({ kind: "refused", cause: "too-large" });
  // Only now, when nothing in the header fields speaks against it, is the body asked for (RFC 9110 §10.1.1).
  if (request.headers.expect !== undefined) response.writeContinue();
  if (isStream) return services.deliver({ ...requestOf(call, hook, NO_BYTES), stream: streamOf(call, limits) });
  const read = await readBodyOf(request, {
    maxBytes: limits.maxBodyBytes,
    idleMs: limits.idleMs,
    inFlight: services.inFlight,
  });
  switch (read.kind) {
    case "gone":
      response.destroy();
      return undefined;
    case "idle":
    case "busy":
      return no({ kind: "tryLater", cause: read.kind });
    case "too-large":
      return no({ kind: "refused", cause: "too-large" });
    case "body":
  }
  call.size = read.bytes.length;
  // What comes out of a coding may be as long as the limit, whatever went in.
  const unpackedBytes = isPlain ? 0 : limits.maxBodyBytes;
  if (!services.inFlight.tryTake(unpackedBytes)) {
    services.inFlight.give(read.bytes.length);
    return no({ kind: "tryLater", cause: "busy" });
  }
  try {
    const body = isPlain
      ? ({ kind: "body", bytes: read.bytes } as const)
      : await unpack(read.bytes, coding, limits.maxBodyBytes);
    switch (body.kind) {
      case "too-large":
        return no({ kind: "refused", cause: "too-large" });
      case "unknown":
        return no({ kind: "refused", cause: "media-type" }, { "accept-encoding": ACCEPT_ENCODING });
      case "damaged":
        return no({ kind: "refused", cause: "malformed", detail: "The body is damaged under its Content-Encoding" });
      case "body":
        if (onBody !== undefined && (await onBody(body.bytes))) return undefined;
        return await services.deliver({
          ...requestOf(call, hook, body.bytes),
          ...(!isPlain && { packed: read.bytes }),
        });
    }
  } finally {
    services.inFlight.give(read.bytes.length + unpackedBytes);
  }
}

/** A multipart form is read while it arrives, so that its files never stand in memory. */
function streamOf(call: Call, { maxUploadBytes, idleMs }: BodyLimits): AsyncIterable<Buffer> {
  return streamBodyOf(call.request, {
    maxBytes: maxUploadBytes,
    idleMs,
    onBytes: (size) => {
      call.size = size;
    },
  });
}

function requestOf(call: Call, hook: Hook, body: Uint8Array): ReceivedRequest {
  const { method, query, remoteAddress, requestId, request } = call;
  return { hook, method, query, headers: request.headers, remoteAddress, body, receivedAt: Date.now(), requestId };
}
