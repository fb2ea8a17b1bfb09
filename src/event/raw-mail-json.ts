import type { Envelope, JsonText } from "../model/mail.ts";
import { objectOf, toJson } from "./json.ts";
import { envelopeJson } from "./mail-json.ts";

/** `mail` of a dead letter whose mail could not be read: the envelope, and where the raw bytes are. */
export function rawMailJson(about: {
  readonly envelope: Envelope;
  readonly envelopeTo: readonly string[];
  readonly tag: string | null;
  readonly size: number;
  readonly object: string;
}): JsonText {
  return objectOf([
    ["tag", toJson(about.tag)],
    ["envelope", envelopeJson(about.envelope, about.envelopeTo)],
    ["size", toJson(about.size)],
    ["object", toJson(about.object)],
  ]);
}
