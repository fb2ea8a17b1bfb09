import type { KeyObject } from "node:crypto";
import { createPublicKey, verify } from "node:crypto";

import type { SignatureOption } from "../../model/hook-options.ts";
import type { Scheme, SignedRequest } from "./scheme.ts";
import { bad, decoded, good, isInWindow, valueOf } from "./scheme.ts";

interface PublicKeyScheme {
  readonly header: string;
  readonly timestampHeader: string;
  readonly encoding: "hex" | "base64";
  readonly hash: string | null;
  readonly keyOf: (text: string) => KeyObject | undefined;
}

/** An Ed25519 public key of 32 bytes as SubjectPublicKeyInfo (RFC 8410 §4). */
const ED25519_SPKI = Buffer.from("302a300506032b6570032100", "hex");

/** A signature over `<timestamp><body>` that a public key verifies; the option may name other headers. */
function publicKeyScheme({ hash, keyOf, ...defaults }: PublicKeyScheme): Scheme {
  return (request, keys, option) => {
    const header = textOf(option, "header") ?? defaults.header;
    const timestampHeader = textOf(option, "timestampHeader") ?? defaults.timestampHeader;
    const encoding = textOf(option, "encoding") === undefined ? defaults.encoding : asEncoding(option);
    const [value, timestamp] = [valueOf(request, header), valueOf(request, timestampHeader)];
    if (value === undefined || timestamp === undefined) return bad("missing");
    if (!isInWindow(timestamp, option, request.now)) return bad("outside-window");
    const signature = decoded(value, encoding);
    if (signature === undefined) return bad("no-match");
    const signed = signedBytes(request, timestamp);
    const isGood = keys.some((text) => {
      const key = keyOf(text.trim());
      return key !== undefined && verify(hash, signed, key, signature);
    });
    return isGood ? good({ signed: request.body }) : bad("no-match");
  };
}

const textOf = (option: SignatureOption, name: string) => {
  const value = option[name];
  return typeof value === "string" ? (name === "encoding" ? value : value.toLowerCase()) : undefined;
};
const asEncoding = (option: SignatureOption) => (option["encoding"] === "base64" ? "base64" : "hex");

const signedBytes = ({ body }: SignedRequest, timestamp: string) => Buffer.concat([Buffer.from(timestamp), body]);

/** The key object of a raw Ed25519 public key; undefined when it is not 32 bytes. */
export function ed25519Key(raw: Uint8Array): KeyObject | undefined {
  return raw.length === 32
    ? createPublicKey({ key: Buffer.concat([ED25519_SPKI, raw]), format: "der", type: "spki" })
    : undefined;
}

/** A key in PEM, in base64 DER, or, for Ed25519, its 32 bytes in hex; undefined when it is none. */
function readKey(text: string, type: "ed25519" | "ec"): KeyObject | undefined {
  if (type === "ed25519" && /^[0-9a-f]{64}$/i.test(text)) return ed25519Key(Buffer.from(text, "hex"));
  try {
    const key = text.startsWith("-----")
      ? createPublicKey(text)
      : createPublicKey({
          key: Buffer.from(text, "base64"),
          format: "der",
          type: "spki",
        });
    return key.asymmetricKeyType === type ? key : undefined;
  } catch {
    // Not a key: nothing is verified by it.
    return undefined;
  }
}

/**
 * Ed25519 as Discord signs its interactions.
 *
 * Source: Discord, "Interactions: Validating Security Request Headers".
 */
export const ed25519 = publicKeyScheme({
  header: "x-signature-ed25519",
  timestampHeader: "x-signature-timestamp",
  encoding: "hex",
  hash: null,
  keyOf: (text) => readKey(text, "ed25519"),
});

/**
 * ECDSA over SHA-256, DER in base64, as SendGrid signs its event webhook.
 *
 * Source: Twilio SendGrid, "Getting Started with the Event Webhook Security Features".
 */
export const ecdsa = publicKeyScheme({
  header: "x-twilio-email-event-webhook-signature",
  timestampHeader: "x-twilio-email-event-webhook-timestamp",
  encoding: "base64",
  hash: "sha256",
  keyOf: (text) => readKey(text, "ec"),
});
