import type { MailPart } from "../model/mail-part.ts";
import { positionOf } from "./json-string.ts";
import type { JsonReading } from "./json-text.ts";

const REPLACEMENT = "\uFFFD";
const MAX_LABEL_LENGTH = 40;

/** Why what stands in a text may not be what the sender wrote, in words; `undefined` for a sound text. */
export function lossesOf(part: MailPart, fidelity = part.fidelity()): string | undefined {
  switch (fidelity) {
    case "exact":
      return undefined;
    case "lossy":
      return "bytes in it are no characters of its charset";
    case "unknown-charset":
      return `its charset ${JSON.stringify(part.charset?.slice(0, MAX_LABEL_LENGTH) ?? "")} is not known here, and it is not UTF-8: it was not decoded`;
  }
}

/**
 * What a candidate is that was decoded with losses: no JSON, whatever a parser or a repair makes of it, because a payload
 * never holds a U+FFFD that the sender did not write (contract §4). `undefined` when the losses are elsewhere in the part.
 */
export function lostIn(
  text: string,
  losses: string | undefined,
): (JsonReading & { readonly kind: "invalid" }) | undefined {
  const at = losses === undefined ? -1 : text.indexOf(REPLACEMENT);
  return losses === undefined || at < 0 ? undefined : { kind: "invalid", ...positionOf(text, at), reason: losses };
}
