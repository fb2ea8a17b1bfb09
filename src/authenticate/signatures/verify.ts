import type { SignatureOption } from "../../model/hook-options.ts";
import type { SignatureVerdict, SignedRequest } from "./scheme.ts";
import { SCHEMES } from "./schemes.ts";

/** Whether a request was signed with one of the secrets, by the hook's scheme. Never throws. */
export function verifySignature(
  request: SignedRequest,
  option: SignatureOption,
  secrets: readonly string[],
): SignatureVerdict {
  const filled = secrets.filter((secret) => secret !== "");
  return SCHEMES[option.scheme](request, filled, option);
}
