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
    const text = JSON.stringify(result).replaceAll(`"${SAME_DOCUMENT}"`, '""');
    return numbers.restore(parseNode(text as JsonText));
  } catch {
    // An unknown context or a document that is no JSON-LD: the value stays as sent, which is what the caller does now.
    return undefined;
  }
}

/**
 * Expanded first, against the base, and given its form from there: the library would drop the base with
 * `compactToRelative`, and without it write every IRI relative again. A base of `null` leaves relative IRIs alone, while the
 * library's default, the empty one, makes `./` of an empty `@id`.
 */
async function transform(
  input: JsonLdDocument,
  context: object | undefined,
  form: Exclude<JsonLdForm, "as-sent">,
  numbers: NumberMarkers,
  { baseUrl }: JsonLdOptions,
): Promise<object> {
  const expanded = await jsonld.expand(input, optionsWith(baseUrl));
  if (form === "expand") return expanded;
  nameEmptyIds(expanded);
  const options = optionsWith(undefined);
  if (typeof form === "object") {
    // A frame without a context of its own speaks the document's words.
    const frame = parseNode(JSON.stringify({ "@context": context ?? {}, ...form.frame }) as JsonText);
    return jsonld.frame(expanded, objectOf(numbers.mark(frame)) as Frame, options as Options.Frame);
  }
  return form === "compact"
    ? jsonld.compact(expanded, (context ?? {}) as ContextDefinition, { ...options, skipExpansion: true })
    : jsonld.flatten(expanded, context as ContextDefinition, options);
}

/** Stands for an empty `@id` while the library, which takes that for none and drops whoever refers to it, is at work. */
const SAME_DOCUMENT = "\uE000this document\uE000";

/** Gives nodes and references with an empty `@id` a name; there are some only where no base was known. */
function nameEmptyIds(expanded: unknown): void {
  const stack = [expanded];
  while (stack.length > 0) {
    const next = stack.pop();
    if (typeof next !== "object" || next === null) continue;
    if ("@id" in next && next["@id"] === "") next["@id"] = SAME_DOCUMENT;
    for (const inner of Object.values(next)) if (typeof inner === "object" && inner !== null) stack.push(inner);
  }
}

/** The declared types know no `null`, which the library takes for a document without an address. */
function optionsWith(baseUrl: string | undefined): Options.Expand & Options.Compact {
  return { documentLoader: loadBundled, base: (baseUrl ?? null) as string };
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
