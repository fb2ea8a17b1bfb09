import { createHmac } from "node:crypto";

import type { SignatureOption } from "../../model/hook-options.ts";

/** What is signed for a test send. */
interface SignWish {
  readonly option: SignatureOption;
  readonly secret: string;
  readonly body: Uint8Array;
  readonly contentType: string;
  /** The whole address, as the daemon knows it. */
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * The header fields that a vendor would send with this body, for `posthorn send`; undefined for schemes whose private key
 * only the vendor has.
 */
export function signRequest(wish: SignWish): Readonly<Record<string, string>> | undefined {
  const { option, secret, body, url, now } = wish;
  const seconds = String(Math.floor(now / 1_000));
  const hmac = (algorithm: string, key: string | Uint8Array, ...pieces: (string | Uint8Array)[]) => {
    const made = createHmac(algorithm, key);
    for (const piece of pieces) made.update(piece);
    return made;
  };
  const hex = (...pieces: (string | Uint8Array)[]) => hmac("sha256", secret, ...pieces).digest("hex");
  switch (option.scheme) {
    case "standard-webhooks": {
      if (secret.startsWith("whpk_")) return undefined;
      const id = `msg_${now}`;
      const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
      const signature = hmac("sha256", key, `${id}.${seconds}.`, body).digest("base64");
      return { "webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": `v1,${signature}` };
    }
    case "github":
      return { "x-hub-signature-256": `sha256=${hex(body)}` };
    case "gitlab":
      return { "x-gitlab-token": secret };
    case "stripe":
      return { "stripe-signature": `t=${seconds},v1=${hex(`${seconds}.`, body)}` };
    case "shopify":
      return { "x-shopify-hmac-sha256": hmac("sha256", secret, body).digest("base64") };
    case "slack":
      return { "x-slack-request-timestamp": seconds, "x-slack-signature": `v0=${hex(`v0:${seconds}:`, body)}` };
    case "zoom":
      return { "x-zm-request-timestamp": seconds, "x-zm-signature": `v0=${hex(`v0:${seconds}:`, body)}` };
    case "kustomer":
      return { "x-kustomer-webhook-signature": hex(body) };
    case "twilio":
      return { "x-twilio-signature": hmac("sha1", secret, url + sortedFields(wish)).digest("base64") };
    case "hmac":
      return signGeneric(option, secret, body, seconds);
    case "ed25519":
    case "ecdsa":
      return undefined;
  }
}

function signGeneric(
  option: SignatureOption,
  secret: string,
  body: Uint8Array,
  seconds: string,
): Record<string, string> {
  const text = (name: string) => (typeof option[name] === "string" ? option[name] : undefined);
  const timestampHeader = text("timestampHeader");
  const template = text("signed") ?? (timestampHeader === undefined ? "{body}" : "{timestamp}.{body}");
  const [before = "", after = ""] = template.replaceAll("{timestamp}", seconds).split("{body}", 2);
  const encoding = text("encoding") === "base64" ? "base64" : "hex";
  const made = createHmac(text("algorithm") ?? "sha256", secret)
    .update(before)
    .update(body)
    .update(after);
  return {
    [text("header") ?? "x-signature"]: `${text("prefix") ?? ""}${made.digest(encoding)}`,
    ...(timestampHeader !== undefined && { [timestampHeader]: seconds }),
  };
}

function sortedFields({ contentType, body }: SignWish): string {
  if (contentType !== "application/x-www-form-urlencoded") return "";
  const fields = [...new URLSearchParams(Buffer.from(body).toString("utf8"))];
  return fields
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => name + value)
    .join("");
}
