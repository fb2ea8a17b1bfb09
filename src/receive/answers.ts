import type { RefusedCause, RequestRefusedCause, TryLaterCause } from "../model/outcome.ts";

type TemporaryCode = `4${number} 4.${number}.${number}`;
type PermanentCode = `5${number} 5.${number}.${number}`;

/**
 * What the sender hears when it shall keep what it sent (contract §7).
 *
 * The types keep the promise that a fault of ours is never permanent: a 5yz code, or a missing row, does not compile.
 * The texts are the same for everybody and say nothing of our insides; the detail goes to the log.
 */
export const TRY_LATER = {
  "registry-not-loaded": { smtp: "451 4.3.0", http: 503, text: "Not ready yet, please try again" },
  "nats-away": { smtp: "451 4.3.0", http: 503, text: "Storage unavailable, please try again" },
  "no-ack": { smtp: "451 4.3.0", http: 503, text: "Storage did not confirm in time, please try again" },
  "our-fault": { smtp: "451 4.3.0", http: 503, text: "Local error, please try again" },
  "setting-wrong": { smtp: "451 4.3.5", http: 503, text: "Storage misconfigured, please try again" },
  "stream-full": { smtp: "452 4.3.1", http: 507, text: "Storage full, please try again" },
  "too-many-recipients": {
    smtp: "452 4.5.3",
    http: 503,
    text: "Too many recipients, send the rest in another transaction",
  },
  busy: { smtp: "451 4.3.2", http: 503, text: "Too much in flight, please try again" },
  "parse-slow": { smtp: "451 4.3.0", http: 503, text: "Too busy to read it in time, please try again" },
  "dns-trouble": { smtp: "451 4.7.0", http: 503, text: "Name service unavailable, please try again" },
  "captcha-away": { smtp: "451 4.3.0", http: 503, text: "The captcha could not be checked, please try again" },
  "rate-limited": { smtp: "450 4.7.1", http: 429, text: "Rate limit reached, please slow down" },
  guessing: { smtp: "421 4.7.0", http: 429, text: "Too many wrong guesses, closing the connection" },
  "hook-paused": { smtp: "450 4.2.1", http: 503, text: "This hook is paused, please try again" },
  "too-many-connections": { smtp: "421 4.3.2", http: 503, text: "Too many connections, please try again" },
  "shutting-down": { smtp: "421 4.3.2", http: 503, text: "Shutting down, please try again" },
  idle: { smtp: "421 4.4.2", http: 503, text: "Nothing heard in time, closing the connection" },
} as const satisfies Record<TryLaterCause, { smtp: TemporaryCode; http: 429 | 503 | 507; text: string }>;

/** What the sender hears when trying again would not help (contract §7). */
export const REFUSED = {
  "no-such-hook": { smtp: "550 5.1.1", http: 404, text: "No such hook here" },
  "not-our-domain": { smtp: "550 5.7.1", http: 404, text: "We do not take mail for this domain" },
  "hook-disabled": { smtp: "550 5.2.1", http: 410, text: "This hook is disabled" },
  "too-large": { smtp: "552 5.3.4", http: 413, text: "Larger than the limit" },
  "mail-loop": { smtp: "554 5.4.6", http: 400, text: "Mail loop, too many Received fields" },
  "tls-required": { smtp: "530 5.7.0", http: 403, text: "Must issue a STARTTLS command first" },
  smuggling: { smtp: "550 5.5.2", http: 400, text: "Line ends must be CRLF" },
  "unknown-parameter": { smtp: "555 5.5.4", http: 400, text: "Parameter not recognized or not implemented" },
  "credentials-wrong": { smtp: "535 5.7.8", http: 403, text: "These credentials open nothing" },
  "client-not-allowed": { smtp: "554 5.7.1", http: 403, text: "This address may not connect here" },
  empty: { smtp: "550 5.6.0", http: 422, text: "Nothing to extract in this mail" },
  "authentication-failed": { smtp: "550 5.7.26", http: 403, text: "The sender could not be authenticated" },
} as const satisfies Record<
  RefusedCause,
  { smtp: PermanentCode; http: 400 | 403 | 404 | 410 | 413 | 422; text: string }
>;

/** What only an HTTP sender hears (contract §7). */
export const REQUEST_REFUSED = {
  malformed: { http: 400, text: "The request cannot be read" },
  "key-missing": { http: 401, text: "An API key is needed" },
  "key-wrong": { http: 401, text: "This API key opens nothing" },
  "key-of-another-app": { http: 403, text: "This API key is not for this hook" },
  "signature-wrong": { http: 401, text: "The signature does not match" },
  "origin-not-allowed": { http: 403, text: "This form may not be sent from that page" },
  "captcha-failed": { http: 403, text: "The captcha was not solved" },
  "wrong-method": { http: 405, text: "This method is not for this address" },
  "media-type": { http: 415, text: "This media type is not taken here" },
  "schema-failed": { http: 422, text: "The data does not meet the schema" },
  "id-reused": { http: 422, text: "This id was used before with another body" },
  expectation: { http: 417, text: "This expectation cannot be met" },
  "headers-too-large": { http: 431, text: "The header fields are too large" },
} as const satisfies Record<RequestRefusedCause, { http: 400 | 401 | 403 | 405 | 415 | 417 | 422 | 431; text: string }>;
