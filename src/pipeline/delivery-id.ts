import type { RequestHeaders } from "../model/request.ts";
import { headerOf } from "../model/request.ts";

// Names under which senders give the same delivery the same id over all of their retries.
const HEADERS = [
  "idempotency-key", // IETF draft-ietf-httpapi-idempotency-key-header
  "webhook-id", // Standard Webhooks
  "svix-id",
  "x-github-delivery",
  "x-gitea-delivery",
  "x-gitlab-event-uuid",
  "x-shopify-webhook-id",
  "x-kustomer-webhook-id",
] as const;

/** The id that the sender gave this delivery, with the name of its header in front; undefined when it gave none. */
export function deliveryIdOf(headers: RequestHeaders): string | undefined {
  for (const name of HEADERS) {
    const value = headers[name] === undefined ? "" : headerOf(headers, name).trim();
    if (value !== "") return `${name}:${value}`;
  }
  return undefined;
}
