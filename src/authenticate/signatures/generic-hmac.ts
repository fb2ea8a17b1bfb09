import type { Scheme } from "./scheme.ts";
import { bad, decoded, hmacScheme, valueOf } from "./scheme.ts";

/**
 * The parameters of the schemes that belong to no vendor; each has a default.
 *
 * `header`, `algorithm` (sha256), `encoding` (hex), `prefix` (none), `timestampHeader` (none), `toleranceSeconds` (300),
 * `signed` ("{body}", with a timestamp "{timestamp}.{body}"): what the HMAC is made over.
 */
const HMAC_ALGORITHMS = ["sha1", "sha256", "sha384", "sha512"] as const;
const DEFAULT_HEADER = "x-signature";

/** An HMAC over the body, or over what `signed` says, found where the options say. */
export const genericHmac: Scheme = (request, secrets, option) => {
  const text = (name: string) => (typeof option[name] === "string" ? option[name] : undefined);
  const algorithm = HMAC_ALGORITHMS.find((name) => name === (text("algorithm") ?? "sha256"));
  if (algorithm === undefined) return bad("no-match");
  const prefix = text("prefix") ?? "";
  const encoding = text("encoding") === "base64" ? "base64" : "hex";
  const timestampHeader = text("timestampHeader")?.toLowerCase();
  const timestamp = timestampHeader === undefined ? undefined : valueOf(request, timestampHeader);
  if (timestampHeader !== undefined && timestamp === undefined) return bad("missing");
  const template = text("signed") ?? (timestampHeader === undefined ? "{body}" : "{timestamp}.{body}");
  const [before = "", after = ""] = template.replaceAll("{timestamp}", timestamp ?? "").split("{body}", 2);
  const scheme = hmacScheme({
    algorithm,
    claim: () => {
      const value = valueOf(request, (text("header") ?? DEFAULT_HEADER).toLowerCase());
      if (value === undefined) return undefined;
      // Some senders list several while they rotate.
      const signatures = value
        .split(",", 20)
        .map((one) => one.trim())
        .filter((one) => one.startsWith(prefix))
        .map((one) => decoded(one.slice(prefix.length), encoding) ?? new Uint8Array(0));
      return {
        signatures: signatures.length === 0 ? [new Uint8Array(0)] : signatures,
        ...(timestamp !== undefined && { timestamp }),
      };
    },
    signed: ({ body }) => [before, body, after],
  });
  return scheme(request, secrets, option);
};
