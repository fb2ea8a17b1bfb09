import { readJson } from "../extract/json-text.ts";
import type { JsonReading } from "../extract/json-text.ts";
import type { JsonText } from "../model/mail.ts";
import type { RequestOutcome } from "../model/outcome.ts";
import type { BodyType } from "../parse/body-kind.ts";
import { bodyKindOf } from "../parse/body-kind.ts";
import type { FormField } from "../parse/body-fields.ts";
import { parseUrlencoded } from "../parse/body-fields.ts";
import { readXmlBody } from "../parse/body-xml.ts";
import { decodeText, readStrictly } from "../parse/charset.ts";
import { readLabel } from "../parse/charset-labels.ts";
import { BODY_LIMITS } from "./budgets.ts";

/** What a body turned out to be. */
export type BodyReading =
  | { readonly kind: "payload"; readonly payload: JsonText }
  | { readonly kind: "fields"; readonly fields: readonly FormField[] }
  /** Nothing that is read here: stored as an object when the hook allows that. */
  | { readonly kind: "opaque" }
  | { readonly kind: "refused"; readonly outcome: RequestOutcome };

/**
 * Reads a body by its media type (contract §3). JSON in a body of another or no type is still read as JSON: senders that
 * cannot set headers are many (`navigator.sendBeacon`, `curl -d`, AWS SNS). Never throws.
 */
export function readBody(body: Uint8Array, type: BodyType): BodyReading {
  const kind = bodyKindOf(type.mediaType);
  switch (kind) {
    case "json":
      return readJsonBody(body, type);
    case "ndjson":
      return readLinesBody(body, type);
    case "urlencoded": {
      const recovered = startsLikeJson(body) ? jsonOrNothing(body, type) : undefined;
      return recovered ?? readFieldsBody(body, type);
    }
    case "xml": {
      const recovered = startsLikeJson(body) ? jsonOrNothing(body, type) : undefined;
      return recovered ?? readXml(body, type);
    }
    case "text": {
      const recovered = startsLikeJson(body) ? jsonOrNothing(body, type) : undefined;
      if (recovered !== undefined) return recovered;
      const text = readStrictly(body, type.charset, "text");
      return text === undefined ? notText(type) : payload(JSON.stringify(text) as JsonText);
    }
    case "multipart":
    case "other":
      return jsonOrNothing(body, type) ?? { kind: "opaque" };
  }
}

const payload = (text: JsonText): BodyReading => ({ kind: "payload", payload: text });

function refused(pointer: string, message: string): BodyReading {
  return {
    kind: "refused",
    outcome: { kind: "refused", cause: "malformed", detail: message, problems: [{ pointer, message }] },
  };
}

function notText({ charset }: BodyType): BodyReading {
  if (charset === "") return refused("", "The body is not valid UTF-8");
  return refused(
    "",
    readLabel(charset).kind === "unknown"
      ? "The body is not valid UTF-8, and the charset that it names is not known here"
      : "The body is not valid in the charset it names",
  );
}

function readJsonBody(body: Uint8Array, type: BodyType): BodyReading {
  const text = readStrictly(body, type.charset, "json");
  if (text === undefined) return notText(type);
  const plain = plainJson(text);
  if (plain !== undefined) return payload(plain);
  const reading = readJson(text, { repair: false, maxDepth: BODY_LIMITS.jsonDepth });
  return asBody(reading) ?? refused("", whyNotJson(reading, ""));
}

/**
 * Valid JSON that cannot be too deep, because it has fewer brackets than the limit has levels; undefined for all else,
 * which the careful reader looks at. Most requests end here: that reader also counts members, which no request needs.
 */
function plainJson(text: string): JsonText | undefined {
  let brackets = 0;
  for (const bracket of ["{", "["])
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      brackets += 1;
      if (brackets > BODY_LIMITS.jsonDepth) return undefined;
    }
  try {
    JSON.parse(text);
  } catch {
    // Not JSON: the careful reader says where it goes wrong.
    return undefined;
  }
  return text.isWellFormed() ? (text.trim() as JsonText) : undefined;
}

/** One JSON text in each line; the payload is their array (contract §5). */
function readLinesBody(body: Uint8Array, type: BodyType): BodyReading {
  const text = readStrictly(body, type.charset, "json");
  if (text === undefined) return notText(type);
  const values: JsonText[] = [];
  let number = 0;
  for (const line of text.split("\n")) {
    number += 1;
    const reading = readJson(line, { repair: false, maxDepth: BODY_LIMITS.jsonDepth - 1 });
    if (reading.kind === "empty") continue;
    if (reading.kind !== "json") return refused(`/${values.length}`, whyNotJson(reading, `line ${number}, `));
    values.push(...reading.values);
  }
  return payload(`[${values.join(",")}]` as JsonText);
}

function readFieldsBody(body: Uint8Array, { charset }: BodyType): BodyReading {
  const reading = parseUrlencoded(body, BODY_LIMITS.fields, charset);
  if (reading.kind === "fields") return reading;
  return refused("", reading.kind === "malformed" ? reading.detail : `More than ${BODY_LIMITS.fields} fields`);
}

function readXml(body: Uint8Array, type: BodyType): BodyReading {
  const reading = readXmlBody(body, type.charset, { depth: BODY_LIMITS.jsonDepth });
  return reading.kind === "payload" ? payload(reading.payload) : refused("", reading.detail);
}

/** The body as JSON, when it is some; for media types that do not say so. */
function jsonOrNothing(body: Uint8Array, type: BodyType): BodyReading | undefined {
  const text = readStrictly(body, type.charset, "json");
  if (text === undefined) return undefined;
  const reading = readJson(text, { repair: false, maxDepth: BODY_LIMITS.jsonDepth });
  // An empty body of no type is no data, and says so as JSON would.
  if (reading.kind === "empty" && type.mediaType === "") return refused("", "The body is empty");
  return asBody(reading);
}

function asBody(reading: JsonReading): BodyReading | undefined {
  const [value] = reading.kind === "json" ? reading.values : [];
  return value === undefined ? undefined : payload(value);
}

function whyNotJson(reading: JsonReading, place: string): string {
  switch (reading.kind) {
    case "empty":
      return "The body is empty";
    case "too-deep":
      return `The JSON nests deeper than ${BODY_LIMITS.jsonDepth} levels`;
    case "invalid":
      return place === ""
        ? `No JSON: line ${reading.line}, column ${reading.column}: ${reading.reason}`
        : `No JSON: ${place}column ${reading.column}: ${reading.reason}`;
    case "json":
      return "Several JSON values";
  }
}

/** `{` or `[` behind blanks and a byte order mark: only objects and arrays are told from text. */
function startsLikeJson(body: Uint8Array): boolean {
  if ((body[0] === 0xff && body[1] === 0xfe) || (body[0] === 0xfe && body[1] === 0xff))
    return /^\s*[{[]/.test(decodeText(body.subarray(0, LOOK_BYTES), undefined, false));
  let at = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  for (let byte = body[at]; byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d; byte = body[at]) at += 1;
  return body[at] === 0x7b || body[at] === 0x5b;
}

const LOOK_BYTES = 256;
