import { createHash } from "node:crypto";

import type { SignatureScheme } from "../../model/hook-options.ts";
import { genericHmac } from "./generic-hmac.ts";
import { ecdsa, ed25519 } from "./public-key.ts";
import type { Scheme, SignedRequest } from "./scheme.ts";
import { bad, decoded, good, hmacScheme, isSame, valueOf } from "./scheme.ts";
import { standardWebhooks } from "./standard-webhooks.ts";
import { twilio } from "./twilio.ts";

/** One header that holds one signature over the body alone, behind a prefix. */
function bodyHmac(header: string, algorithm: string, prefix: string, encoding: "hex" | "base64"): Scheme {
  return hmacScheme({
    algorithm,
    claim: (request) => {
      const value = valueOf(request, header);
      if (value === undefined) return undefined;
      const signature = value.startsWith(prefix) ? decoded(value.slice(prefix.length), encoding) : undefined;
      return { signatures: signature === undefined ? [new Uint8Array(0)] : [signature] };
    },
    signed: ({ body }) => [body],
  });
}

/** `v0=<hex>` over `v0:<timestamp>:<body>`: what Slack invented and Zoom took over. */
function versionZero(signatureHeader: string, timestampHeader: string): Scheme {
  return hmacScheme({
    algorithm: "sha256",
    claim: (request) => {
      const [value, timestamp] = [valueOf(request, signatureHeader), valueOf(request, timestampHeader)];
      if (value === undefined || timestamp === undefined) return undefined;
      const signature = value.startsWith("v0=") ? decoded(value.slice("v0=".length), "hex") : undefined;
      return { signatures: [signature ?? new Uint8Array(0)], timestamp };
    },
    signed: ({ body }, { timestamp }) => [`v0:${timestamp ?? ""}:`, body],
  });
}

/** `t=<timestamp>,v1=<hex>,v1=<hex>` (Stripe). */
const stripe = hmacScheme({
  algorithm: "sha256",
  claim: (request) => {
    const pairs = (valueOf(request, "stripe-signature") ?? "").split(",", 50).map((pair) => pair.trim().split("=", 2));
    const timestamp = pairs.find(([name]) => name === "t")?.[1];
    const signatures = pairs.filter(([name]) => name === "v1").flatMap(([, hex]) => decoded(hex ?? "", "hex") ?? []);
    return timestamp === undefined ? undefined : { signatures, timestamp };
  },
  signed: ({ body }, { timestamp }) => [`${timestamp ?? ""}.`, body],
});

/** The token itself in a header, or, where GitLab was given a signing token, Standard Webhooks. */
const gitlab: Scheme = (request, secrets, option) => {
  if (valueOf(request, "webhook-signature") !== undefined) return standardWebhooks(request, secrets, option);
  const token = valueOf(request, "x-gitlab-token");
  if (token === undefined) return bad("missing");
  // Hashed, so that the comparison takes the same time for tokens of every length.
  const digest = (text: string) => createHash("sha256").update(text).digest();
  let isGood = false;
  for (const secret of secrets) if (isSame(digest(token), digest(secret))) isGood = true;
  return isGood ? good({}) : bad("no-match");
};

/** Hex of SHA-1 or SHA-256, told apart by its length, with or without the algorithm in front. */
const kustomer: Scheme = (request, secrets, option) => {
  const value = valueOf(request, "x-kustomer-webhook-signature");
  if (value === undefined) return bad("missing");
  const hex = value.replace(/^sha(?:1|256)=/i, "");
  const algorithm = hex.length === 40 ? "sha1" : "sha256";
  const scheme = hmacScheme({
    algorithm,
    claim: () => ({ signatures: [decoded(hex, "hex") ?? new Uint8Array(0)] }),
    signed: ({ body }: SignedRequest) => [body],
  });
  return scheme(request, secrets, option);
};

/**
 * Every signature scheme (contract §2). Adding one is an entry here and its name in `SignatureScheme`.
 *
 * Sources: the vendors' own pages, "Validating webhook deliveries" (GitHub), "Verify webhook signatures" (Stripe),
 * "Verify the origin of webhooks" (Shopify), "Verifying requests from Slack", "Validate webhook requests" (GitLab),
 * "Verify webhook events" (Zoom).
 */
export const SCHEMES: Readonly<Record<SignatureScheme, Scheme>> = {
  "standard-webhooks": standardWebhooks,
  github: bodyHmac("x-hub-signature-256", "sha256", "sha256=", "hex"),
  gitlab,
  stripe,
  shopify: bodyHmac("x-shopify-hmac-sha256", "sha256", "", "base64"),
  slack: versionZero("x-slack-signature", "x-slack-request-timestamp"),
  twilio,
  zoom: versionZero("x-zm-signature", "x-zm-request-timestamp"),
  kustomer,
  hmac: genericHmac,
  ed25519,
  ecdsa,
};
