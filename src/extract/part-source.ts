import type { ItemSource } from "../model/item.ts";
import type { MailPart } from "../model/mail-part.ts";

/** The source of an item that was found in `part`. */
export function sourceOf(
  part: MailPart,
  element: ItemSource["element"],
  marks: { readonly quoted?: boolean; readonly forwarded?: boolean } = {},
): ItemSource {
  const { mediaType, filename } = part;
  const forwarded = part.forwarded || marks.forwarded === true;
  return { part: part.part, mediaType, element, filename, forwarded, ...(marks.quoted === true && { quoted: true }) };
}
