import jsonld from "jsonld";
import type { ContextDefinition, JsonLdDocument, Options } from "jsonld";
import type { Frame, RemoteDocument } from "jsonld/jsonld-spec.js";

import type { JsonLdForm } from "../model/hook-options.ts";
import type { JsonText } from "../model/mail.ts";
import { bundledContext } from "./contexts/bundled.ts";
import type { JsonNode } from "./json-node.ts";
import { memberOf, parseNode, writeNode } from "./json-node.ts";

/**
 * A JSON-LD document in another form, `undefined` where it cannot be had: an unknown context, or a document that the
 * algorithms refuse. Never throws, and never reaches the network.
 *
 * Numbers travel through jsonld as markers and come back with the sender's digits. Source: JSON-LD 1.1 API §9; JSON-LD
 * 1.1 Framing §4.
 */
export async function transformJsonLd(
  value: JsonText,
  form: Exclude<JsonLdForm, "as-sent">,
): Promise<JsonText | undefined> {
  const numbers = new NumberMarkers();
  const source = parseNode(value);
  const document = JSON.parse(writeNode(numbers.mark(source))) as object;
  const contextNode = memberOf(source.kind === "array" ? source.items[0] : source, "@context");
  const context = contextNode === undefined ? {} : (JSON.parse(writeNode(contextNode)) as object);
  try {
    const result = await transform(document, context, form);
    return numbers.restore(parseNode(JSON.stringify(result) as JsonText));
  } catch {
    // An unknown context or a document that is no JSON-LD: the value stays as sent, which is what the caller does now.
    return undefined;
  }
}

async function transform(document: object, context: object, form: Exclude<JsonLdForm, "as-sent">): Promise<object> {
  const options = { documentLoader: loadBundled };
  const input = document as JsonLdDocument;
  // A frame without a context of its own speaks the document's words.
  if (typeof form === "object")
    return jsonld.frame(input, { "@context": context, ...form.frame } as Frame, options as Options.Frame);
  switch (form) {
    case "compact":
      return jsonld.compact(input, context as ContextDefinition, options);
    case "expand":
      return jsonld.expand(input, options);
    case "flatten":
      return jsonld.flatten(input, context as ContextDefinition, options);
  }
}

async function loadBundled(url: string): Promise<RemoteDocument> {
  const document = await bundledContext(url);
  if (document === undefined) throw new Error("a context that is not bundled is never fetched");
  return { documentUrl: url, document: document as RemoteDocument["document"] };
}

/** Stands in for every number with a double of its own, because jsonld reads numbers as doubles and writes them its own way. */
class NumberMarkers {
  readonly #digits = new Map<string, string>();

  mark(node: JsonNode): JsonNode {
    switch (node.kind) {
      case "object":
        return {
          kind: "object",
          members: node.members.map((member) => ({ ...member, value: this.mark(member.value) })),
        };
      case "array":
        return { kind: "array", items: node.items.map((item) => this.mark(item)) };
      case "number":
        return { kind: "number", raw: this.#markerOf(node.raw) };
      default:
        return node;
    }
  }

  restore(node: JsonNode): JsonText {
    return writeNode(this.#restored(node));
  }

  #restored(node: JsonNode): JsonNode {
    switch (node.kind) {
      case "object":
        return {
          kind: "object",
          members: node.members.map((member) => ({ ...member, value: this.#restored(member.value) })),
        };
      case "array":
        return { kind: "array", items: node.items.map((item) => this.#restored(item)) };
      case "number":
        return { kind: "number", raw: this.#digits.get(node.raw) ?? node.raw };
      default:
        return node;
    }
  }

  /** Doubles near 2^52, where every odd half is exact and is written without an exponent; a sender's own never meets one, because all are marked. */
  #markerOf(raw: string): string {
    const marker = String(2 ** 51 + this.#digits.size + 0.5);
    this.#digits.set(marker, raw);
    return marker;
  }
}
