import { hash } from "node:crypto";

import type { Covered } from "../authenticate/signatures/scheme.ts";
import type { JsonNode } from "../extract/json-node.ts";
import { memberOf, parseNode, readNode, textOf } from "../extract/json-node.ts";
import type { DeliveryIdPlace, SignatureOption } from "../model/hook-options.ts";
import type { JsonText } from "../model/mail.ts";
import type { RequestHeaders } from "../model/request.ts";
import { headerOf } from "../model/request.ts";
import { BODY_LIMITS } from "./budgets.ts";

/** What a delivery is called by its sender, over all of its tries. */
export interface DeliveryName {
  readonly name: string;
  /** The sender chose it as a key of its own: the same one with another payload is its mistake. */
  readonly isKey: boolean;
}

/** A request whose sender is known, by an API key or by what its signature covers. */
export interface NamedRequest {
  readonly headers: RequestHeaders;
  readonly body: Uint8Array;
  /** Undefined for a body that nobody reads here. */
  readonly payload: JsonText | undefined;
  readonly signature: { readonly option: SignatureOption; readonly covered: Covered } | undefined;
  readonly place: DeliveryIdPlace | undefined;
}

const IDEMPOTENCY_KEY = "idempotency-key";

/** Header fields in which providers give the same delivery the same id over all of its tries, in the order they are asked. */
const DELIVERY_HEADERS = [
  IDEMPOTENCY_KEY, // draft-ietf-httpapi-idempotency-key-header; GitLab, "Webhooks: Delivery headers"
  "webhook-id", // Standard Webhooks 1.0, "Webhook Metadata"
  "svix-id", // Svix, "Receiving webhooks: Idempotency"
  "x-github-delivery", // GitHub, "Webhook events and payloads: Delivery headers"
  "x-forgejo-delivery", // Forgejo, "Webhooks"
  "x-gitea-delivery", // Gitea, "Webhooks"
  "x-gogs-delivery", // Gogs, "Webhooks"
  "x-gitlab-event-uuid", // GitLab, "Webhooks: Delivery headers"
  "x-shopify-webhook-id", // Shopify, "Verify webhook deliveries"
  "x-kustomer-webhook-id",
  "x-amz-sns-message-id", // AWS, "Amazon SNS: HTTP/HTTPS headers"
  "i-twilio-idempotency-token", // Twilio, "Webhooks: Connection Overrides"
  "paypal-transmission-id", // PayPal, "Webhooks: Integrate webhooks"
  "x-wc-webhook-delivery-id", // WooCommerce, "REST API: Webhooks, Delivery"
  "linear-delivery", // Linear, "Webhooks: The webhook payload"
  "x-request-uuid", // Bitbucket Cloud, "Event payloads: HTTP headers"
] as const;

/**
 * What the sender calls this delivery; undefined when it gave it no name.
 *
 * Under a signature only what the signature covers counts (contract §5): whoever catches a signed call could send it again
 * with another header field, and make a second event of it.
 */
export function deliveryNameOf(request: NamedRequest): DeliveryName | undefined {
  const { place, signature } = request;
  if (place !== undefined) return nameAt(place, request);
  if (signature === undefined || isSecretShown(signature.covered)) return nameInHeaders(request.headers);
  const name = coveredName(signature.option, signature.covered, request);
  return name === undefined ? undefined : { name, isKey: false };
}

/** A secret in the clear (GitLab's token) vouches for the whole request, as an API key does. */
const isSecretShown = ({ id, signed }: Covered) => id === undefined && signed === undefined;

function nameAt(place: DeliveryIdPlace, { headers, payload }: NamedRequest): DeliveryName | undefined {
  if ("header" in place) {
    const name = place.header.toLowerCase();
    const value = headerOf(headers, name).trim();
    return value === "" ? undefined : { name: `${name}:${value}`, isKey: name === IDEMPOTENCY_KEY };
  }
  const id = payload === undefined ? undefined : idAt(place.pointer, parseNode(payload));
  return id === undefined ? undefined : { name: `${place.pointer}:${id}`, isKey: false };
}

function nameInHeaders(headers: RequestHeaders): DeliveryName | undefined {
  for (const name of DELIVERY_HEADERS) {
    const value = headers[name] === undefined ? "" : headerOf(headers, name).trim();
    if (value !== "") return { name: `${name}:${value}`, isKey: name === IDEMPOTENCY_KEY };
  }
  return undefined;
}

/**
 * The name in what was signed: an id of the scheme's own, else one in the body that the provider documents. Where there is
 * none but the provider numbers its deliveries outside of what it signs, the signed bytes themselves: a retry repeats them.
 *
 * Sources: Slack, "Events API: The Events API object" (`event_id`); Stripe, "Webhooks: Handle duplicate events" (`evt_…`);
 * SendGrid, "Event Webhook Reference: Duplicate events" (`sg_event_id`); Zoom, "Webhooks: Retry policy"; Twilio, "Webhooks
 * security".
 */
function coveredName(option: SignatureOption, covered: Covered, request: NamedRequest): string | undefined {
  if (covered.id !== undefined) return `webhook-id:${covered.id}`;
  switch (option.scheme) {
    case "slack":
      return named("event_id", idAt("/event_id", nodeIn(request.body)));
    case "stripe": {
      const id = idAt("/id", nodeIn(request.body));
      // Others sign as Stripe does, and their `id` may be that of an order.
      return id?.startsWith("evt_") === true ? named("id", id) : undefined;
    }
    case "ecdsa":
      return named("sg_event_id", idsOfAll("/sg_event_id", nodeIn(request.body))) ?? bytesIfNumbered(covered, request);
    case "zoom":
    case "twilio":
      return bytesOf(covered);
    case "shopify":
      // One change of an order is told under several topics, with the same body.
      return bytesOf(covered, headerOf(request.headers, "x-shopify-topic"));
    case "standard-webhooks":
    case "github":
    case "gitlab":
    case "kustomer":
    case "hmac":
    case "ed25519":
      return bytesIfNumbered(covered, request);
  }
}

/** Unnumbered calls that are alike may be two alarms; numbered ones tell their provider from such senders. */
function bytesIfNumbered(covered: Covered, { headers }: NamedRequest): string | undefined {
  const isNumbered = DELIVERY_HEADERS.slice(FIRST_OF_A_PROVIDER).some((name) => headers[name] !== undefined);
  return isNumbered ? bytesOf(covered, headerOf(headers, "x-wc-webhook-topic")) : undefined;
}

/** Behind the names that any sender may use. */
const FIRST_OF_A_PROVIDER = DELIVERY_HEADERS.indexOf("x-github-delivery");

function bytesOf({ signed = "" }: Covered, topic = ""): string {
  return `signed:${hash("sha256", signed)}:${topic}`;
}

const named = (name: string, id: string | undefined) => (id === undefined ? undefined : `${name}:${id}`);

/** The body as JSON, whatever its media type says: that is in no signature. */
function nodeIn(body: Uint8Array): JsonNode | undefined {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  const reading = readNode(text, BODY_LIMITS.jsonDepth);
  return reading.kind === "node" && text.slice(reading.end).trim() === "" ? reading.node : undefined;
}

/** The text or the digits at a JSON Pointer; undefined for anything else. */
function idAt(pointer: string, root: JsonNode | undefined): string | undefined {
  let node = root;
  for (const token of pointer.slice(1).split("/")) {
    const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (node?.kind === "object") node = memberOf(node, name);
    else node = node?.kind === "array" && /^(?:0|[1-9]\d{0,8})$/.test(name) ? node.items[Number(name)] : undefined;
  }
  const id = node?.kind === "string" ? textOf(node.raw).trim() : node?.kind === "number" ? node.raw : "";
  return id === "" ? undefined : id;
}

/** The ids of every member of an array, together; undefined when one has none. */
function idsOfAll(pointer: string, root: JsonNode | undefined): string | undefined {
  if (root?.kind !== "array" || root.items.length === 0) return undefined;
  const ids = root.items.map((item) => idAt(pointer, item));
  return ids.includes(undefined) ? undefined : JSON.stringify(ids);
}
