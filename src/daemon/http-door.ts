import { presentedKey } from "../authenticate/api-key.ts";
import { answerHandshake, handshakeMethods, isHandshakeInBody } from "../authenticate/handshakes.ts";
import type { Settings } from "../config/settings.ts";
import { SETTINGS } from "../config/settings.ts";
import type { Engine } from "../engine/engine.ts";
import { Budget } from "../lib/budget.ts";
import { isInternal } from "../lib/networks.ts";
import type { SlidingMinute } from "../lib/sliding-minute.ts";
import type { Hook } from "../model/hook.ts";
import type { EventId, RequestOutcome } from "../model/outcome.ts";
import type { ReceivedRequest, RequestHeaders } from "../model/request.ts";
import { headerOf } from "../model/request.ts";
import type { MailStages } from "../pipeline/deliver-mail.ts";
import { deliverRequest } from "../pipeline/deliver-request.ts";
import type { Pulse } from "../publish/pulse.ts";
import type { Admission } from "../receive/admission.ts";
import { ClientLimits } from "../receive/client-limits.ts";
import { HttpDoor } from "../receive/http/door.ts";
import { isTrusted } from "../receive/http/remote-address.ts";
import type { RateVerdict } from "../receive/http/rate-headers.ts";
import type { HttpDoorServices, RefusedRequest, Refusal } from "../receive/http/services.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { parseTraceparent } from "../telemetry/trace-context.ts";
import type { Tracer } from "../telemetry/tracer.ts";
import { addressInWords, listenError } from "./listen-error.ts";
import { lookUpUnknown } from "./look-up.ts";
import { requestStages } from "./request-stages.ts";
import { connectionsWithinFileLimit } from "./file-limit.ts";
import { secretsFrom } from "./secrets.ts";
import type { Storage } from "./storage.ts";
import { endWithOutcomes, tracedPublishing } from "./traced.ts";

const BYTES_IN_FLIGHT = 256 * 1024 * 1024;
const MAX_HEADER_BYTES = 32 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 300_000;
const IDLE_MS = 15_000;
const MAX_CONNECTIONS = 4_000;
const KEEP_ALIVE_MS = 72_000;

/** The listener of form and web hooks, open. */
export interface HttpHooks {
  /** `host:port` or `unix:/path`; undefined when it is switched off. */
  readonly address: string | undefined;
  /** Bytes of request bodies in memory. */
  bytesInFlight(): number;
  close(graceMs: number): Promise<void>;
}

export interface HttpDoorParts {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly stages: MailStages;
  readonly engine: Engine;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracer: Tracer | undefined;
  readonly admission: Admission;
  readonly pulse: Pulse;
  readonly rates: SlidingMinute;
  readonly env: NodeJS.ProcessEnv;
  /** Told of what was stored for a sender that will send it again. */
  readonly rememberStored: (eventId: EventId) => void;
  /** Told of each answer that is no 2xx. */
  readonly onRefusal?: (refused: RefusedRequest) => void;
}

/** Opens the listener of form and web hooks. Throws `OperatorError` when its address is taken. */
export async function openHttpDoor(parts: HttpDoorParts): Promise<HttpHooks> {
  const { settings, log } = parts;
  const { at } = settings.httpListen;
  if (at === "off") return { address: undefined, bytesInFlight: () => 0, close: async () => undefined };
  const services = servicesOf(parts);
  const door = new HttpDoor(
    {
      maxBodyBytes: settings.maxBodyBytes,
      maxUploadBytes: settings.maxUploadBytes,
      idleMs: IDLE_MS,
      publicUrl: settings.publicUrl,
      trustedProxies: settings.trustedProxies,
      maxHeaderBytes: MAX_HEADER_BYTES,
      headersTimeoutMs: HEADERS_TIMEOUT_MS,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      keepAliveMs: KEEP_ALIVE_MS,
      maxConnections: await connectionsWithinFileLimit(MAX_CONNECTIONS, log),
      limits: new ClientLimits({
        connections: settings.clientConnections,
        mailsPerMinute: 0,
        bytesPerMinute: 0,
        unknownPerMinute: 0,
        processes: settings.processes,
      }),
      isKnownClient: (address) => isInternal(address) || isTrusted(address, settings.trustedProxies),
    },
    services,
  );
  try {
    const { port } = await door.listen(at);
    const address = addressInWords("path" in at ? at : { ...at, port });
    log.info("Listening for hooks", { door: "http", address });
    return { address, bytesInFlight: () => services.inFlight.used, close: (graceMs) => door.close(graceMs) };
  } catch (error) {
    throw listenError({ what: "hooks", at, variable: SETTINGS.httpListen.variable }, error);
  }
}

function servicesOf(parts: HttpDoorParts): HttpDoorServices {
  const { storage, log, metrics, admission, pulse } = parts;
  const { snapshot, nats, keys } = storage;
  const secretsOf = secretsFrom(storage, parts.env);
  const ofRequests = requestStages({ ...parts, secretsOf });

  const deliver = async (request: ReceivedRequest) => {
    const startedAt = performance.now();
    const span = parts.tracer?.start(`${request.method} ${request.hook.type} hook`, {
      startMs: request.receivedAt,
      continued: parseTraceparent(headerOf(request.headers, "traceparent")),
    });
    const stages = span === undefined ? ofRequests : tracedPublishing(ofRequests, span);
    const delivered = await deliverRequest(request, stages);
    const { outcome } = delivered;
    if (span !== undefined)
      endWithOutcomes(span, [outcome], {
        "http.request.method": request.method,
        "posthorn.request_id": request.requestId,
      });
    const hook = request.hook.eventName;
    metrics.countOutcome({ door: "http", hook, outcome: outcome.kind, cause: causeOf(outcome) });
    logRequest(request, outcome, performance.now() - startedAt, log);
    return delivered;
  };

  const authorize = async (
    hook: Hook,
    headers: RequestHeaders,
    remoteAddress: string,
  ): Promise<Refusal | undefined> => {
    const presented = presentedKey(headers);
    if (presented === "") return { kind: "refused", cause: "key-missing" };
    const now = Date.now();
    if (!keys.isKnown(presented)) {
      if (!admission.tryGuess(remoteAddress, now)) return { kind: "tryLater", cause: "rate-limited" };
      if (!nats.isConnected()) return { kind: "tryLater", cause: "nats-away" };
    }
    const check = await keys.check(presented, now).catch((error: unknown) => {
      log.warn("A key could not be looked up; the sender tries again", { error });
      return undefined;
    });
    if (check === undefined) return { kind: "tryLater", cause: "nats-away" };
    if (check.kind !== "ok") return { kind: "refused", cause: "key-wrong" };
    keys.noteUse(check.keyId, now);
    const opens = check.app === hook.app && (check.eventNames?.includes(hook.eventName) ?? true);
    return opens ? undefined : { kind: "refused", cause: "key-of-another-app" };
  };

  return {
    hookById: (hookId, remoteAddress) => {
      const known = snapshot.hookById(hookId);
      return known === undefined ? lookUpUnknown({ hookId }, remoteAddress, parts) : { kind: "hook", hook: known };
    },
    authorize,
    handshake: (hook, request) => {
      const { handshake, signature } = hook.options;
      if (handshake === undefined) return undefined;
      const { kind, secret } = typeof handshake === "string" ? { kind: handshake, secret: undefined } : handshake;
      const references = secret ?? signature?.secret;
      const asked = { ...request, now: Date.now() };
      return answerHandshake(kind, asked, references === undefined ? [] : secretsOf(hook, references));
    },
    handshakeMethods,
    isHandshakeInBody,
    countRate: (hook, remoteAddress) => countRate(hook, remoteAddress, parts.rates, Date.now()),
    deliver,
    whyNotNow: () => (!nats.isConnected() ? "nats-away" : pulse.isSilent ? "no-ack" : undefined),
    onRefusal: (refused) => {
      log.debug("Refused", { door: "http", ...refused });
      parts.onRefusal?.(refused);
    },
    onAnswered: (hook, milliseconds) => metrics.observeDelivery({ door: "http", hook }, milliseconds),
    onUnheard: (eventIds) => {
      for (const eventId of eventIds) parts.rememberStored(eventId);
    },
    onFault: (sentence, fields) => log.error(sentence, fields),
    inFlight: new Budget(BYTES_IN_FLIGHT),
  };
}

/** The hook's own limit, and its limit for each sender's address. */
function countRate(hook: Hook, remoteAddress: string, rates: SlidingMinute, now: number): RateVerdict[] {
  const { perMinute, perAddress } = hook.options.rateLimit ?? {};
  const count = (name: RateVerdict["name"], key: string, limit: number): RateVerdict => {
    const isWithin = rates.tryCount(key, limit, now);
    return { isWithin, name, perMinute: limit, ...rates.room(key, limit, now) };
  };
  const own = perAddress === undefined ? [] : [count("address", `${hook.hookId} ${remoteAddress}`, perAddress)];
  // One address that sends too much does not use up the room of all others.
  if (perMinute === undefined || own.some(({ isWithin }) => !isWithin)) return own;
  return [...own, count("hook", hook.hookId, perMinute)];
}

/** One line per request with its outcome. */
function logRequest(request: ReceivedRequest, outcome: RequestOutcome, tookMs: number, log: Log): void {
  const fields = {
    requestId: request.requestId,
    remoteAddress: request.remoteAddress,
    bytes: request.body.length,
    tookMs: Math.round(tookMs * 10) / 10,
    hook: request.hook.eventName,
    outcome: outcome.kind,
    ...("eventId" in outcome && { eventId: outcome.eventId }),
    ...(outcome.kind !== "stored" && { cause: causeOf(outcome) }),
    ...(outcome.kind === "tryLater" && outcome.error !== undefined && { error: errorInWords(outcome.error) }),
  };
  if (outcome.kind === "tryLater") log.warn("Request not taken; the sender keeps it", fields);
  else log.info("Request", fields);
}

function causeOf(outcome: RequestOutcome): string {
  if (outcome.kind === "deadLettered") return outcome.reason.code;
  return outcome.kind === "tryLater" || outcome.kind === "refused" ? outcome.cause : "";
}

const errorInWords = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : typeof error === "string" ? error : typeof error;
