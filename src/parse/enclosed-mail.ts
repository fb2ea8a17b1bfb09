import { dispositionOf } from "./content-type.ts";
import type { Entity } from "./entity.ts";
import { filenameOf } from "./leaf.ts";
import { kindOfInput } from "./loose-input.ts";
import type { StructuredValue } from "./parameters.ts";

const MESSAGES = new Set(["message/rfc822", "message/global", "message/news"]);

export function isMessage({ value }: StructuredValue): boolean {
  return MESSAGES.has(value);
}

/**
 * An entity as one that holds a mail: by its type, or by its name where its content begins as a mail, because mailers send
 * `.eml` files as octet-stream. `undefined` when it holds none. `content` is asked for only when it decides.
 */
export function asMail(
  entity: Entity,
  content: () => Buffer,
  disposition = dispositionOf(entity.fields),
): Entity | undefined {
  const { contentType } = entity;
  if (isMessage(contentType)) return entity;
  if (!isCalledMail(contentType.value, filenameOf({ contentType, disposition }))) return undefined;
  if (kindOfInput(content()) !== "mail") return undefined;
  return { ...entity, contentType: { value: "message/rfc822", parameters: new Map() } };
}

/** Whether something is called a mail by its file name, or by a media type that is none of the registered ones. */
function isCalledMail(mediaType: string, filename: string | null): boolean {
  return /(?:\/|x-|\.)(?:rfc822|eml)$/.test(mediaType) || /\.eml$/i.test(filename ?? "");
}
