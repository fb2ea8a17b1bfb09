import jsonld from "jsonld";
import type { ContextDefinition, JsonLdDocument, Options } from "jsonld";
import type { Frame, RemoteDocument } from "jsonld/jsonld-spec.js";

import type { JsonLdForm } from "../model/hook-options.ts";
import type { JsonText } from "../model/mail.ts";
import { bundledContext } from "./contexts/bundled.ts";
import { NumberMarkers } from "./json-ld-numbers.ts";
import type { JsonNode } from "./json-node.ts";
import { memberOf, parseNode, writeNode } from "./json-node.ts";

export interface JsonLdOptions {
  /** The address of the page, for relative ones in it. */
  readonly baseUrl?: string;
}

/**
 * A JSON-LD document in another form, `undefined` where it cannot be had: an unknown context, or a document that the
 * algorithms refuse. Never throws, and never reaches the network.
 *
 * Source: JSON-LD 1.1 API §9; JSON-LD 1.1 Framing §4.
 */
export async function transformJsonLd(
  value: JsonText,
  form: Exclude<JsonLdForm, "as-sent">,
  options: JsonLdOptions = {},
): Promise<JsonText | undefined> {
  const numbers = new NumberMarkers();
  const source = parseNode(value);
  try {
    const document = objectOf(numbers.mark(source)) as JsonLdDocument;
    const result = await transform(document, contextOf(source), form, numbers, options);
    return numbers.restore(parseNode(JSON.stringify(result) as JsonText));
  } catch {
    // An unknown context or a document that is no JSON-LD: the value stays as sent, which is what the caller does now.
    return undefined;
  }
}

async function transform(
  input: JsonLdDocument,
  context: object | undefined,
  form: Exclude<JsonLdForm, "as-sent">,
  numbers: NumberMarkers,
  { baseUrl }: JsonLdOptions,
): Promise<object> {
  const options = { documentLoader: loadBundled, ...(baseUrl !== undefined && { base: baseUrl }) };
  if (typeof form === "object") {
    // A frame without a context of its own speaks the document's words.
    const frame = parseNode(JSON.stringify({ "@context": context ?? {}, ...form.frame }) as JsonText);
    return jsonld.frame(input, objectOf(numbers.mark(frame)) as Frame, options as Options.Frame);
  }
  switch (form) {
    case "compact":
      return jsonld.compact(input, (context ?? {}) as ContextDefinition, options);
    case "expand":
      return jsonld.expand(input, options);
    case "flatten":
      return jsonld.flatten(input, context as ContextDefinition, options);
  }
}

/** The context of a document, that of the first node when it is an array. */
function contextOf(document: JsonNode): object | undefined {
  const context = memberOf(document.kind === "array" ? document.items[0] : document, "@context");
  return context === undefined ? undefined : objectOf(context);
}

function objectOf(node: JsonNode): object {
  return JSON.parse(writeNode(node)) as object;
}

async function loadBundled(url: string): Promise<RemoteDocument> {
  const document = bundledContext(url);
  if (document === undefined) throw new Error("a context that is not bundled is never fetched");
  return { documentUrl: url, document: document as RemoteDocument["document"] };
}
