import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import type { HandshakeKind } from "../model/hook-options.ts";
import type { RequestHeaders } from "../model/request.ts";
import { headerOf } from "../model/request.ts";
import { isChallengeToken } from "./challenge-token.ts";
import { verifySignature } from "./signatures/verify.ts";

/** What a handshake looks at. */
export interface HandshakeRequest {
  readonly method: string;
  /** What stands behind the `?`. */
  readonly query: string;
  readonly headers: RequestHeaders;
  /** Empty for methods without one. */
  readonly body: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What the provider wants to hear; nothing is published for it. */
export interface HandshakeAnswer {
  readonly status: 200 | 204 | 403;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One provider's ownership check; undefined when a request is none. */
interface Handshake {
  readonly methods: readonly string[];
  /** The check stands in a POST's body, so that body has to be read before anybody is authenticated. */
  readonly isInBody?: true;
  readonly answer: (request: HandshakeRequest, secrets: readonly string[]) => HandshakeAnswer | undefined;
}

const MAX_CHALLENGE_CHARACTERS = 4_000;
const MAX_BODY_BYTES = 16 * 1024;

// Never HTML: what comes back is the sender's own text, under our name.
const text = (body: string): HandshakeAnswer => ({ status: 200, headers: { "content-type": "text/plain" }, body });
const json = (value: unknown): HandshakeAnswer => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value),
});
const FORBIDDEN: HandshakeAnswer = { status: 403, headers: { "content-type": "text/plain" }, body: "" };

function parameterOf({ query }: HandshakeRequest, name: string): string | undefined {
  if (!query.includes(`${name}=`)) return undefined;
  const value = new URLSearchParams(query).get(name);
  return value === null || value === "" || value.length > MAX_CHALLENGE_CHARACTERS ? undefined : value;
}

/** A small JSON body; nothing of it reaches an event, so the engine's own reader will do. */
function bodyOf({ body }: HandshakeRequest): Readonly<Record<string, unknown>> | undefined {
  if (body.length === 0 || body.length > MAX_BODY_BYTES) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // No handshake then; the pipeline says what is wrong with it.
    return undefined;
  }
}

const isChallenge = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.length <= MAX_CHALLENGE_CHARACTERS;

function isSecret(given: string, secrets: readonly string[]): boolean {
  const digest = (value: string) => createHash("sha256").update(value).digest();
  return secrets.some((secret) => timingSafeEqual(digest(given), digest(secret)));
}

function isSignedByZoom({ headers, body, now }: HandshakeRequest, secret: string): boolean {
  return verifySignature({ headers, body, url: "", now }, { scheme: "zoom", secret: "kv" }, [secret]).kind === "good";
}

/**
 * Every handshake (contract §2), each as its vendor documents it.
 *
 * Sources: Slack, "url_verification event"; Meta, "Webhooks: Verification Requests"; Microsoft Graph, "Receive change
 * notifications through webhooks: notificationUrl validation"; Dropbox, "Webhooks: The verification request"; Zoom,
 * "Validate your webhook endpoint"; X, "Account Activity API: Challenge-Response Checks"; CloudEvents, "HTTP 1.1 Web Hooks
 * for Event Delivery 1.0" §4.
 */
const HANDSHAKES: Readonly<Record<HandshakeKind, Handshake>> = {
  slack: {
    methods: ["POST"],
    isInBody: true,
    answer: (request) => {
      const { type, challenge } = bodyOf(request) ?? {};
      return type === "url_verification" && isChallenge(challenge) ? text(challenge) : undefined;
    },
  },
  meta: {
    methods: ["GET"],
    answer: (request, secrets) => {
      if (parameterOf(request, "hub.mode") !== "subscribe") return undefined;
      const [token, challenge] = [parameterOf(request, "hub.verify_token"), parameterOf(request, "hub.challenge")];
      return token !== undefined && challenge !== undefined && isSecret(token, secrets) ? text(challenge) : FORBIDDEN;
    },
  },
  "microsoft-graph": {
    methods: ["POST"],
    answer: (request) => {
      const token = parameterOf(request, "validationToken");
      return token === undefined ? undefined : text(token);
    },
  },
  dropbox: {
    methods: ["GET"],
    answer: (request) => {
      const challenge = parameterOf(request, "challenge");
      return challenge === undefined ? undefined : text(challenge);
    },
  },
  zoom: {
    methods: ["POST"],
    isInBody: true,
    answer: (request, secrets) => {
      const { event, payload } = bodyOf(request) ?? {};
      if (event !== "endpoint.url_validation" || typeof payload !== "object" || payload === null) return undefined;
      const { plainToken } = payload as { readonly plainToken?: unknown };
      if (typeof plainToken !== "string" || !isChallengeToken(plainToken)) return undefined;
      // Zoom signs its check like everything else. Without that, anybody could ask what the secret makes of a text.
      const secret = secrets.find((one) => isSignedByZoom(request, one));
      if (secret === undefined) return undefined;
      return json({ plainToken, encryptedToken: createHmac("sha256", secret).update(plainToken).digest("hex") });
    },
  },
  x: {
    methods: ["GET"],
    answer: (request, [secret]) => {
      const token = parameterOf(request, "crc_token");
      // Nobody signs this check, so its answers are kept apart from signatures where those are looked at.
      if (token === undefined || !isChallengeToken(token)) return undefined;
      if (secret === undefined) return FORBIDDEN;
      return json({ response_token: `sha256=${createHmac("sha256", secret).update(token).digest("base64")}` });
    },
  },
  cloudevents: {
    methods: ["OPTIONS"],
    answer: ({ headers }) => {
      const origin = headerOf(headers, "webhook-request-origin");
      if (!/^[A-Za-z0-9.:_-]{1,255}$/.test(origin)) return undefined;
      const rate = headers["webhook-request-rate"] === undefined ? {} : { "webhook-allowed-rate": "*" };
      return { status: 200, headers: { allow: "POST", "webhook-allowed-origin": origin, ...rate }, body: "" };
    },
  },
};

/** The methods that a hook takes for its handshake, beside those that deliver. HEAD goes where GET goes. */
export function handshakeMethods(kind: HandshakeKind): readonly string[] {
  const { methods } = HANDSHAKES[kind];
  return methods.includes("GET") ? [...methods, "HEAD"] : methods;
}

/** Whether the answer is an HMAC under the hook's secret, so that others must be kept from using it as a signature. */
export function isAnsweredWithHmac(kind: HandshakeKind): boolean {
  return kind === "zoom" || kind === "x";
}

/** Whether the check stands in a POST's body. */
export function isHandshakeInBody(kind: HandshakeKind): boolean {
  return HANDSHAKES[kind].isInBody === true;
}

/** The answer to a provider's ownership check; undefined when the request is none. Never throws. */
export function answerHandshake(
  kind: HandshakeKind,
  request: HandshakeRequest,
  secrets: readonly string[],
): HandshakeAnswer | undefined {
  const { methods, answer } = HANDSHAKES[kind];
  const method = request.method === "HEAD" ? "GET" : request.method;
  return methods.includes(method) ? answer(request, secrets) : undefined;
}
