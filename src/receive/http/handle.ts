import { parseHookId } from "../../model/hook-id.ts";
import type { HookType } from "../../model/hook.ts";
import type { RequestOutcome } from "../../model/outcome.ts";
import type { ReceivedRequest } from "../../model/request.ts";
import type { Call } from "./call.ts";
import { refuse, send } from "./call.ts";
import { readBodyOf } from "./read-body.ts";
import type { HttpDoorServices, Refusal } from "./services.ts";
import { streamBodyOf } from "./stream-body.ts";
import { ACCEPT_ENCODING, unpack } from "./unpack.ts";

/** What a request is measured by. */
export interface HandleLimits {
  readonly maxBodyBytes: number;
  /** Of a multipart form. */
  readonly maxUploadBytes: number;
  readonly idleMs: number;
}

const METHODS: Readonly<Record<"form" | "web", readonly string[]>> = { form: ["POST"], web: ["POST", "PUT"] };

/**
 * One request for `/v1/hooks/<kind>/<hookId>`, from its header fields to its answer. Hook, method, state and key are
 * looked at before the body is read (contract §7).
 */
export async function handleHookCall(
  call: Call,
  wanted: { readonly kind: string; readonly hookId: string },
  services: HttpDoorServices,
  limits: HandleLimits,
): Promise<void> {
  const no = (refusal: Refusal, headers = {}) => refuse(call, refusal, services.onRefusal, headers);
  const { kind } = wanted;
  const hookId = parseHookId(wanted.hookId);
  if (hookId === undefined || !isHttpKind(kind)) return no({ kind: "refused", cause: "no-such-hook" });
  const found = await services.hookById(hookId, call.remoteAddress);
  if (found.kind === "tryLater") return no(found);
  if (found.kind === "unknown" || found.hook.type !== kind) return no({ kind: "refused", cause: "no-such-hook" });
  const { hook } = found;
  call.hook = hook;
  const methods = METHODS[kind];
  if (!methods.includes(call.method))
    return no({ kind: "refused", cause: "wrong-method" }, { allow: methods.join(", ") });
  if (hook.state === "disabled") return no({ kind: "refused", cause: "hook-disabled" });
  if (hook.state === "paused") return no({ kind: "tryLater", cause: "hook-paused" });
  if (kind === "web") {
    const forbidden = await services.authorize(hook, call.request.headers, call.remoteAddress);
    if (forbidden !== undefined) return no(forbidden);
  }
  const away = services.whyNotNow();
  if (away !== undefined) return no({ kind: "tryLater", cause: away });
  await takeBody(call, hook, services, limits);
}

const isHttpKind = (kind: string): kind is "form" | "web" => kind === ("form" satisfies HookType) || kind === "web";

async function takeBody(
  call: Call,
  hook: ReceivedRequest["hook"],
  services: HttpDoorServices,
  limits: HandleLimits,
): Promise<void> {
  const { request, response } = call;
  const no = (refusal: Refusal, headers = {}) => refuse(call, refusal, services.onRefusal, headers);
  // Only now, when nothing in the header fields speaks against it, is the body asked for (RFC 9110 §10.1.1).
  if (request.headers.expect !== undefined) response.writeContinue();
  if (MULTIPART.test(request.headers["content-type"] ?? "")) return takeStream(call, hook, services, limits);
  const read = await readBodyOf(request, {
    maxBytes: limits.maxBodyBytes,
    idleMs: limits.idleMs,
    inFlight: services.inFlight,
  });
  if (read.kind === "gone") return void response.destroy();
  if (read.kind === "idle") return no({ kind: "tryLater", cause: "idle" });
  if (read.kind === "busy") return no({ kind: "tryLater", cause: "busy" });
  if (read.kind === "too-large") return no({ kind: "refused", cause: "too-large" });
  call.size = read.bytes.length;
  try {
    const coding = request.headers["content-encoding"];
    const unpacked =
      coding === undefined
        ? { kind: "body" as const, bytes: read.bytes }
        : await unpack(read.bytes, coding, limits.maxBodyBytes);
    if (unpacked.kind === "too-large") return no({ kind: "refused", cause: "too-large" });
    if (unpacked.kind === "unknown")
      return no({ kind: "refused", cause: "media-type" }, { "accept-encoding": ACCEPT_ENCODING });
    if (unpacked.kind === "damaged")
      return no({ kind: "refused", cause: "malformed", detail: "The body is damaged under its Content-Encoding" });
    const { outcome } = await services.deliver({
      hook,
      method: call.method,
      query: call.query,
      headers: request.headers,
      remoteAddress: call.remoteAddress,
      body: unpacked.bytes,
      receivedAt: Date.now(),
      requestId: call.requestId,
    });
    answer(call, outcome, services);
  } finally {
    services.inFlight.give(read.bytes.length);
  }
}

const MULTIPART = /^\s*multipart\/form-data\s*(?:;|$)/i;

/** A multipart form is read while it arrives, so that its files never stand in memory. */
async function takeStream(
  call: Call,
  hook: ReceivedRequest["hook"],
  services: HttpDoorServices,
  limits: HandleLimits,
): Promise<void> {
  const { request } = call;
  const coding = request.headers["content-encoding"] ?? "identity";
  if (coding.trim().toLowerCase() !== "identity")
    return refuse(call, { kind: "refused", cause: "media-type" }, services.onRefusal, {
      "accept-encoding": "identity",
    });
  const stream = streamBodyOf(request, {
    maxBytes: limits.maxUploadBytes,
    idleMs: limits.idleMs,
    onBytes: (size) => (call.size = size),
  });
  const { outcome } = await services.deliver({
    hook,
    method: call.method,
    query: call.query,
    headers: request.headers,
    remoteAddress: call.remoteAddress,
    body: NO_BYTES,
    stream,
    receivedAt: Date.now(),
    requestId: call.requestId,
  });
  answer(call, outcome, services);
}

const NO_BYTES = new Uint8Array(0);

function answer(call: Call, outcome: RequestOutcome, services: HttpDoorServices): void {
  const eventName = call.hook?.eventName;
  switch (outcome.kind) {
    case "stored":
      return send(
        call,
        202,
        JSON_TYPE,
        `{"id":"${outcome.eventId}","eventName":"${eventName}","duplicate":${outcome.duplicate}}`,
      );
    case "storedBatch":
      return send(
        call,
        202,
        JSON_TYPE,
        JSON.stringify({ events: outcome.events.map(({ eventId, duplicate }) => ({ id: eventId, duplicate })) }),
      );
    case "deadLettered":
      // Answered like success (contract §2, honeypot): whoever filled the trap learns nothing.
      return send(call, 202, JSON_TYPE, `{"id":"${outcome.eventId}","eventName":"${eventName}","duplicate":false}`);
    case "tryLater":
    case "refused":
      return refuse(call, outcome, services.onRefusal);
  }
}

const JSON_TYPE = { "content-type": "application/json" } as const;
