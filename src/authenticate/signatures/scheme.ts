import { createHmac, timingSafeEqual } from "node:crypto";

import type { SignatureOption } from "../../model/hook-options.ts";
import type { RequestHeaders } from "../../model/request.ts";
import { headerOf } from "../../model/request.ts";
import { couldBeChallengeToken } from "../challenge-token.ts";

/** What a signature is made over, as it came. */
export interface SignedRequest {
  readonly headers: RequestHeaders;
  readonly body: Uint8Array;
  /** The whole address as the sender calls it. */
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /**
   * Whether ownership checks are answered with one of these secrets. Anybody may ask for such an answer, so what could
   * have been asked about is not taken for signed then.
   */
  readonly isAnsweredWith?: () => boolean;
}

/** What the sender vouches for with its signature, the time aside: all else in a request could be anybody's. */
export interface Covered {
  /** The delivery's id, in schemes that sign one. */
  readonly id?: string;
  /** The body, or the text that was signed instead; undefined when only a secret was shown, as with an API key. */
  readonly signed?: Uint8Array | string;
}

export type SignatureVerdict =
  | { readonly kind: "good"; readonly covered: Covered }
  | { readonly kind: "bad"; readonly why: "missing" | "no-match" | "outside-window" };

/** One scheme: looks at the request, tries each secret, and never throws. */
export type Scheme = (request: SignedRequest, secrets: readonly string[], option: SignatureOption) => SignatureVerdict;

/** How an HMAC scheme differs from the others. */
export interface HmacScheme {
  readonly algorithm: string;
  /** What the sender claims: its signatures as bytes, and when it signed. Undefined when a header is missing. */
  readonly claim: (request: SignedRequest) => Claim | undefined;
  /** What goes into the HMAC, in order. */
  readonly signed: (request: SignedRequest, claim: Claim) => readonly (string | Uint8Array)[];
  /** The key that a secret stands for; the text itself when left out. */
  readonly keyOf?: (secret: string) => string | Uint8Array;
}

interface Claim {
  readonly signatures: readonly Uint8Array[];
  readonly id?: string;
  /** As sent; undefined in schemes that sign no time. */
  readonly timestamp?: string;
}

/** Five minutes, as Standard Webhooks, Stripe and Slack have it. */
const DEFAULT_TOLERANCE_SECONDS = 300;
const MAX_SIGNATURES = 20;

export const good = (covered: Covered): SignatureVerdict => ({ kind: "good", covered });
export const bad = (why: (SignatureVerdict & { readonly kind: "bad" })["why"]): SignatureVerdict => ({
  kind: "bad",
  why,
});

/** A scheme whose signature is an HMAC. Any secret with any of the claimed signatures will do: that is how keys rotate. */
export function hmacScheme({ algorithm, claim, signed, keyOf }: HmacScheme): Scheme {
  return (request, secrets, option) => {
    const claimed = claim(request);
    if (claimed === undefined || claimed.signatures.length === 0) return bad("missing");
    if (!isInWindow(claimed.timestamp, option, request.now)) return bad("outside-window");
    const pieces = signed(request, claimed);
    if (couldBeChallengeToken(pieces) && request.isAnsweredWith?.() === true) return bad("no-match");
    const signatures = claimed.signatures.slice(0, MAX_SIGNATURES);
    let isGood = false;
    for (const secret of secrets) {
      const key = keyOf === undefined ? secret : keyOf(secret);
      // A secret that was never filled in would let everybody sign.
      if (key.length === 0) continue;
      const hmac = createHmac(algorithm, key);
      for (const piece of pieces) hmac.update(piece);
      const expected = hmac.digest();
      // Every one is compared, so that the time tells nothing of which matched.
      for (const signature of signatures) if (isSame(signature, expected)) isGood = true;
    }
    const { id } = claimed;
    return isGood ? good({ signed: request.body, ...(id !== undefined && { id }) }) : bad("no-match");
  };
}

/** Whether a request was signed lately: `timestamp` is in seconds, or in milliseconds, or there is none. */
export function isInWindow(timestamp: string | undefined, option: SignatureOption, now: number): boolean {
  if (timestamp === undefined) return true;
  if (!/^\d{1,16}$/.test(timestamp)) return false;
  const ms = timestamp.length >= 13 ? Number(timestamp) : Number(timestamp) * 1_000;
  const tolerance = option["toleranceSeconds"];
  const seconds = typeof tolerance === "number" ? tolerance : DEFAULT_TOLERANCE_SECONDS;
  return Math.abs(now - ms) <= seconds * 1_000;
}

/** Constant time for bytes of the same length; a length is no secret. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** A header's value without blanks around it; undefined when there is none. */
export function valueOf({ headers }: SignedRequest, name: string): string | undefined {
  const value = headerOf(headers, name).trim();
  return value === "" ? undefined : value;
}

/** Bytes of a signature as text; undefined when it is not written so. */
export function decoded(text: string, encoding: "hex" | "base64"): Uint8Array | undefined {
  if (encoding === "hex") return /^(?:[0-9a-f]{2}){1,512}$/i.test(text) ? Buffer.from(text, "hex") : undefined;
  return /^[A-Za-z0-9+/_-]{1,1024}={0,2}$/.test(text) ? Buffer.from(text, "base64") : undefined;
}
