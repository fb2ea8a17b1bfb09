import { verify } from "node:crypto";

import { ed25519Key } from "./public-key.ts";
import type { Scheme, SignedRequest } from "./scheme.ts";
import { bad, decoded, good, hmacScheme, isInWindow, valueOf } from "./scheme.ts";

const PUBLIC_KEY = "whpk_";

/** The three header fields, under the names of the specification or of its oldest sender. */
function fieldsOf(request: SignedRequest): { id: string; timestamp: string; signatures: string } | undefined {
  for (const family of ["webhook", "svix"]) {
    const [id, timestamp, signatures] = ["id", "timestamp", "signature"].map((name) =>
      valueOf(request, `${family}-${name}`),
    );
    if (id !== undefined && timestamp !== undefined && signatures !== undefined) return { id, timestamp, signatures };
  }
  return undefined;
}

/** `v1,<base64> v1,<base64>`: those of one version. */
function versions(signatures: string, version: string): Uint8Array[] {
  return signatures
    .split(" ", 20)
    .filter((signature) => signature.startsWith(`${version},`))
    .flatMap((signature) => decoded(signature.slice(version.length + 1), "base64") ?? []);
}

const symmetric = hmacScheme({
  algorithm: "sha256",
  claim: (request) => {
    const fields = fieldsOf(request);
    return fields && { id: fields.id, timestamp: fields.timestamp, signatures: versions(fields.signatures, "v1") };
  },
  signed: ({ body }, { id, timestamp }) => [`${id ?? ""}.${timestamp ?? ""}.`, body],
  keyOf: (secret) => Buffer.from(secret.replace(/^whsec_/, ""), "base64"),
});

/**
 * Standard Webhooks: HMAC with a secret (`whsec_…`), or Ed25519 with a public key (`whpk_…`).
 *
 * Source: Standard Webhooks specification 1.0, "Verifying webhook authenticity".
 */
export const standardWebhooks: Scheme = (request, secrets, option) => {
  const shared = secrets.filter((secret) => !secret.startsWith(PUBLIC_KEY));
  const verdict = symmetric(request, shared, option);
  const keys = secrets.filter((secret) => secret.startsWith(PUBLIC_KEY));
  const fields = fieldsOf(request);
  if (verdict.kind === "good" || keys.length === 0 || fields === undefined) return verdict;
  if (!isInWindow(fields.timestamp, option, request.now)) return bad("outside-window");
  const signed = Buffer.concat([Buffer.from(`${fields.id}.${fields.timestamp}.`), request.body]);
  const signatures = versions(fields.signatures, "v1a");
  const isGood = keys.some((key) => {
    const publicKey = ed25519Key(Buffer.from(key.slice(PUBLIC_KEY.length), "base64"));
    if (publicKey === undefined) return false;
    return signatures.some((signature) => verify(null, signed, publicKey, signature));
  });
  return isGood ? good({ id: fields.id, signed: request.body }) : bad(signatures.length === 0 ? "missing" : "no-match");
};
