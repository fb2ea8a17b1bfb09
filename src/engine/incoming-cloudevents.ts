import type { JsonNode } from "../extract/json-node.ts";
import { memberOf, parseNode, textOf, writeNode } from "../extract/json-node.ts";
import type { CloudEventAttribute } from "../event/http-json.ts";
import { toJson } from "../event/json.ts";
import { percentDecoded } from "../lib/percent-decoded.ts";
import type { JsonText } from "../model/mail.ts";
import type { RequestProblem } from "../model/outcome.ts";
import type { RequestHeaders } from "../model/request.ts";
import { headerOf } from "../model/request.ts";
import type { BodyType } from "../parse/body-kind.ts";
import { parseBodyType } from "../parse/body-kind.ts";
import type { BodyReading } from "./request-payload.ts";
import { readBody } from "./request-payload.ts";

/** A request as far as its events go. */
interface RequestBytes {
  readonly headers: RequestHeaders;
  readonly body: Uint8Array;
}

/** One CloudEvent that came in: what it carries, and what it says of itself. */
interface IncomingEvent {
  readonly source: string;
  readonly id: string;
  readonly payload: JsonText;
  readonly attributes: readonly CloudEventAttribute[];
}

export type IncomingEvents =
  | { readonly kind: "none" }
  | {
      readonly kind: "events";
      readonly events: readonly IncomingEvent[];
      readonly mode: "binary" | "structured" | "batch";
    }
  | { readonly kind: "refused"; readonly problems: readonly RequestProblem[] };

const STRUCTURED = "application/cloudevents+json";
const BATCH = "application/cloudevents-batch+json";
const MAX_BATCH = 1_000;

/**
 * The CloudEvents of a request, in binary, structured or batch mode; `none` for any other request. Never throws.
 *
 * Source: CloudEvents HTTP Protocol Binding 1.0.2 §3; JSON Event Format 1.0.2 §3, §4.
 */
export function incomingEventsOf(request: RequestBytes, type: BodyType): IncomingEvents {
  if (type.mediaType === STRUCTURED || type.mediaType === BATCH) {
    const reading = readBody(request.body, type);
    if (reading.kind !== "payload") return { kind: "refused", problems: problemsOf(reading) };
    const node = parseNode(reading.payload);
    if (type.mediaType === STRUCTURED) return structured([node], "structured");
    if (node.kind !== "array") return refused("", "A batch is a JSON array of events");
    if (node.items.length > MAX_BATCH) return refused("", `A batch holds at most ${MAX_BATCH} events`);
    return structured(node.items, "batch");
  }
  return request.headers["ce-specversion"] === undefined ? { kind: "none" } : binary(request, type);
}

/** The source and id of a CloudEvent that is a body, whatever its media type says; undefined when it is none. */
export function namedInBody(body: Uint8Array): Pick<IncomingEvent, "source" | "id"> | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (!bytes.includes('"specversion"')) return undefined;
  const reading = readBody(body, { mediaType: STRUCTURED, charset: "" });
  if (reading.kind !== "payload") return undefined;
  const event = readEvent(parseNode(reading.payload), "");
  return "problems" in event ? undefined : event;
}

function refused(pointer: string, message: string): IncomingEvents {
  return { kind: "refused", problems: [{ pointer, message }] };
}

function problemsOf(reading: BodyReading): readonly RequestProblem[] {
  return (
    (reading.kind === "refused" && reading.outcome.kind === "refused" ? reading.outcome.problems : undefined) ?? [
      { pointer: "", message: "No JSON" },
    ]
  );
}

function structured(nodes: readonly JsonNode[], mode: "structured" | "batch"): IncomingEvents {
  const events: IncomingEvent[] = [];
  const problems: RequestProblem[] = [];
  for (const [index, node] of nodes.entries()) {
    const at = mode === "batch" ? `/${index}` : "";
    const event = readEvent(node, at);
    if ("problems" in event) problems.push(...event.problems);
    else events.push(event);
  }
  return problems.length > 0 ? { kind: "refused", problems } : { kind: "events", events, mode };
}

function readEvent(node: JsonNode, at: string): IncomingEvent | { readonly problems: readonly RequestProblem[] } {
  if (node.kind !== "object") return { problems: [{ pointer: at, message: "An event is a JSON object" }] };
  const text = (name: string) => {
    const member = memberOf(node, name);
    return member?.kind === "string" ? textOf(member.raw) : undefined;
  };
  const problems = requiredProblems({ get: text, pointerOf: (name) => `${at}/${name}` });
  const [source, id] = [text("source"), text("id")];
  if (problems.length > 0 || source === undefined || id === undefined) return { problems };
  const payload = payloadOf(node, text("datacontenttype") ?? "application/json");
  if (payload === undefined) return { problems: [{ pointer: `${at}/data_base64`, message: "is not base64" }] };
  return { source, id, payload, attributes: node.members.flatMap(attributeOfMember) };
}

/** No attribute holds an object or array (CloudEvents 1.0.2 §2.1): what does is `data`, or is left out. */
function attributeOfMember({ name, value }: { name: string; value: JsonNode }): CloudEventAttribute[] {
  if (name === "data" || name === "data_base64") return [];
  if (value.kind === "string") return [{ name, text: textOf(value.raw) }];
  return value.kind === "object" || value.kind === "array" ? [] : [{ name, json: writeNode(value) }];
}

/** What every event must say of itself (CloudEvents 1.0.2 §3.1). */
function requiredProblems(attributes: {
  readonly get: (name: string) => string | undefined;
  readonly pointerOf: (name: string) => string;
}): RequestProblem[] {
  const problems = ["id", "source", "type"]
    .filter((name) => (attributes.get(name) ?? "") === "")
    .map((name) => ({ pointer: attributes.pointerOf(name), message: "is required, a text that is not empty" }));
  const version = attributes.get("specversion");
  return version === "1.0"
    ? problems
    : [...problems, { pointer: attributes.pointerOf("specversion"), message: 'must be "1.0"' }];
}

const NULL = "null" as JsonText;

function payloadOf(node: JsonNode, dataType: string): JsonText | undefined {
  const data = memberOf(node, "data");
  if (data !== undefined) return writeNode(data);
  const packed = memberOf(node, "data_base64");
  if (packed === undefined) return NULL;
  const base64 = packed.kind === "string" ? textOf(packed.raw) : "";
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) return undefined;
  const reading = readBody(Buffer.from(base64, "base64"), parseBodyType(dataType));
  // What is no text for us stays as it came.
  return reading.kind === "payload" ? reading.payload : toJson(base64);
}

function binary(request: RequestBytes, type: BodyType): IncomingEvents {
  const { headers } = request;
  const get = (name: string) => attributeOf(headers, `ce-${name}`);
  const problems = requiredProblems({ get, pointerOf: (name) => `ce-${name}:` });
  const [source, id] = [get("source"), get("id")];
  if (problems.length > 0 || source === undefined || id === undefined) return { kind: "refused", problems };
  const reading: BodyReading =
    request.body.length === 0 ? { kind: "payload", payload: NULL } : readBody(request.body, type);
  if (reading.kind === "refused") return { kind: "refused", problems: problemsOf(reading) };
  const payload = reading.kind === "payload" ? reading.payload : toJson(Buffer.from(request.body).toString("base64"));
  const names = Object.keys(headers).filter((name) => /^ce-[a-z0-9]{1,20}$/.test(name));
  const attributes = names.map((name) => ({
    name: name.slice("ce-".length),
    text: attributeOf(headers, name) ?? "",
  }));
  // It travels as Content-Type (HTTP Protocol Binding §3.1.1).
  if (type.mediaType !== "") attributes.push({ name: "datacontenttype", text: headerOf(headers, "content-type") });
  return { kind: "events", events: [{ source, id, payload, attributes }], mode: "binary" };
}

/** The value of an attribute that travelled as a header: percent-encoded UTF-8 (HTTP Protocol Binding §3.1.3.2). */
function attributeOf(headers: RequestHeaders, name: string): string | undefined {
  if (headers[name] === undefined) return undefined;
  const value = headerOf(headers, name);
  // A lone % means itself: many senders do not encode.
  return percentDecoded(value) ?? value;
}
