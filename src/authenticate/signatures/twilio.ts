import { createHash, createHmac } from "node:crypto";

import { headerOf } from "../../model/request.ts";
import type { Scheme, SignedRequest } from "./scheme.ts";
import { bad, decoded, good, isSame, valueOf } from "./scheme.ts";

/**
 * Twilio: HMAC-SHA1 in base64 over the whole address and, of a form, its fields sorted by name; a JSON body is named by its
 * SHA-256 in the address (`bodySHA256`). Twilio signs the address with or without the port, so both are tried.
 *
 * Source: Twilio, "Webhooks security: Validating signatures from Twilio".
 */
export const twilio: Scheme = (request, secrets) => {
  const value = valueOf(request, "x-twilio-signature");
  if (value === undefined) return bad("missing");
  const signature = decoded(value, "base64") ?? new Uint8Array(0);
  const bodyHash = URL.parse(request.url)?.searchParams.get("bodySHA256") ?? undefined;
  if (bodyHash !== undefined) {
    const own = createHash("sha256").update(request.body).digest();
    if (!isSame(decoded(bodyHash, "hex") ?? new Uint8Array(0), own)) return bad("no-match");
  }
  const fields = bodyHash === undefined ? sortedFields(request) : "";
  // Neither named by the address nor made of fields, a body is in no signature of theirs: anybody could have put it there.
  if (bodyHash === undefined && request.body.length > 0 && !isForm(request)) return bad("no-match");
  let isGood = false;
  for (const secret of secrets)
    for (const url of spellings(request.url)) {
      const expected = createHmac("sha1", secret)
        .update(url + fields)
        .digest();
      if (isSame(signature, expected)) isGood = true;
    }
  return isGood ? good({ signed: request.url + fields }) : bad("no-match");
};

const isForm = ({ headers }: SignedRequest): boolean =>
  headerOf(headers, "content-type").toLowerCase().startsWith("application/x-www-form-urlencoded");

/** Names and values without anything between them; a name with several values has each once, sorted. */
function sortedFields(request: SignedRequest): string {
  if (!isForm(request)) return "";
  const { body } = request;
  const values = new Map<string, Set<string>>();
  for (const [name, value] of new URLSearchParams(Buffer.from(body).toString("utf8")))
    values.set(name, (values.get(name) ?? new Set()).add(value));
  return [...values.keys()]
    .sort()
    .map((name) =>
      [...(values.get(name) ?? [])]
        .sort()
        .map((value) => name + value)
        .join(""),
    )
    .join("");
}

/** The address as we know it, and with the port that its scheme implies written out or left away. */
function spellings(url: string): string[] {
  const [, scheme = "", host = "", rest = ""] = /^(https?):\/\/([^/?#]*)(.*)$/s.exec(url) ?? [];
  const [, name = host, port] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  const implied = scheme === "http" ? "80" : "443";
  return [...new Set([url, `${scheme}://${name}${rest}`, `${scheme}://${name}:${port ?? implied}${rest}`])];
}
