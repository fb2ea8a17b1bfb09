import { isSchemaOrgContext } from "./contexts/bundled.ts";
import type { JsonNode } from "./json-node.ts";
import { memberOf, textOf } from "./json-node.ts";

/** The types of a document's top-level nodes, absolute, and whether its context is one that nobody here knows. */
export interface TypeReading {
  readonly types: readonly string[];
  readonly unknownContext: boolean;
}

/** What a context says that matters for types: where bare terms belong, what `type` is called, which prefixes stand for what. */
interface Vocabulary {
  readonly vocab: string | undefined;
  readonly typeNames: readonly string[];
  readonly prefixes: ReadonlyMap<string, string>;
  readonly known: boolean;
}

const SCHEMA_ORG = "https://schema.org/";
const ABSOLUTE = /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/|[^/])/;
const SCHEMA_ORG_ANY = /^https?:\/\/(?:www\.)?schema\.org(?:\/|$)/i;

/** Contexts that are bundled: the vocabulary that bare types belong to under each. */
const KNOWN_CONTEXTS: Readonly<Record<string, { readonly vocab: string; readonly typeNames: readonly string[] }>> = {
  "https://www.w3.org/ns/activitystreams": {
    vocab: "https://www.w3.org/ns/activitystreams#",
    typeNames: ["@type", "type"],
  },
  "http://www.w3.org/ns/activitystreams": {
    vocab: "https://www.w3.org/ns/activitystreams#",
    typeNames: ["@type", "type"],
  },
  "https://www.w3.org/2018/credentials/v1": {
    vocab: "https://www.w3.org/2018/credentials#",
    typeNames: ["@type", "type"],
  },
  "https://www.w3.org/ns/credentials/v2": {
    vocab: "https://www.w3.org/2018/credentials#",
    typeNames: ["@type", "type"],
  },
  "http://www.w3.org/ns/anno.jsonld": { vocab: "http://www.w3.org/ns/oa#", typeNames: ["@type", "type"] },
  "https://www.w3.org/ns/anno.jsonld": { vocab: "http://www.w3.org/ns/oa#", typeNames: ["@type", "type"] },
};

/** Any spelling of schema.org as `https://schema.org/…`; every other type as it stands. */
export function absoluteType(type: string): string {
  const trimmed = type.trim();
  return SCHEMA_ORG_ANY.test(trimmed) ? trimmed.replace(/^https?:\/\/(?:www\.)?schema\.org\/?/i, SCHEMA_ORG) : trimmed;
}

/** The types of the top-level nodes of a JSON-LD document: the object itself, the members of an array or of `@graph`. */
export function typesOf(document: JsonNode): TypeReading {
  const types = new Set<string>();
  let unknownContext = false;
  for (const { node, context } of topNodesOf(document)) {
    const vocabulary = vocabularyOf(context);
    unknownContext ||= !vocabulary.known;
    for (const type of typesOfNode(node, vocabulary)) types.add(type);
  }
  return { types: [...types], unknownContext };
}

/** A top-level node, and the `@context` that holds for it. */
export interface TopNode {
  readonly node: JsonNode;
  readonly context: JsonNode | undefined;
  /** It was taken out of an array or `@graph`. */
  readonly taken: boolean;
}

/** The nodes that `types` and `select` look at: never nested ones. */
export function topNodesOf(document: JsonNode): TopNode[] {
  const found: TopNode[] = [];
  const visit = (node: JsonNode, context: JsonNode | undefined, taken: boolean) => {
    if (node.kind !== "object") return;
    const own = memberOf(node, "@context") ?? context;
    const graph = memberOf(node, "@graph");
    if (graph === undefined || memberOf(node, "@type") !== undefined) found.push({ node, context: own, taken });
    if (graph !== undefined)
      for (const member of graph.kind === "array" ? graph.items : [graph]) visit(member, own, true);
  };
  if (document.kind === "array") for (const item of document.items) visit(item, undefined, true);
  else visit(document, undefined, false);
  return found;
}

/** The absolute types of one node under its context. */
export function typesOfTop({ node, context }: TopNode): string[] {
  return typesOfNode(node, vocabularyOf(context));
}

function typesOfNode(node: JsonNode, vocabulary: Vocabulary): string[] {
  for (const name of vocabulary.typeNames) {
    const value = memberOf(node, name);
    if (value === undefined) continue;
    const names = (value.kind === "array" ? value.items : [value]).flatMap((item) =>
      item.kind === "string" ? [textOf(item.raw)] : [],
    );
    return names.map((type) => absolute(type, vocabulary));
  }
  return [];
}

function absolute(type: string, { vocab, prefixes, known }: Vocabulary): string {
  const colon = type.indexOf(":");
  if (colon > 0) {
    const prefix = prefixes.get(type.slice(0, colon));
    if (prefix !== undefined && !type.startsWith("//", colon + 1)) return absoluteType(prefix + type.slice(colon + 1));
    if (/^schema:/.test(type)) return SCHEMA_ORG + type.slice("schema:".length);
    if (ABSOLUTE.test(type)) return absoluteType(type);
  }
  const term = prefixes.get(`=${type}`);
  if (term !== undefined) return absoluteType(term);
  // Types under an unknown context stay as sent (contract §4).
  return known && vocab !== undefined && !type.startsWith("@") ? absoluteType(vocab + type.replace(/^\//, "")) : type;
}

const NO_CONTEXT: Vocabulary = { vocab: undefined, typeNames: ["@type"], prefixes: new Map(), known: true };

function vocabularyOf(context: JsonNode | undefined): Vocabulary {
  if (context === undefined || context.kind === "literal") return NO_CONTEXT;
  const parts = context.kind === "array" ? context.items : [context];
  let vocab: string | undefined;
  let known = true;
  const typeNames = new Set(["@type"]);
  const prefixes = new Map<string, string>();
  for (const part of parts) {
    if (part.kind === "string") {
      const url = textOf(part.raw);
      const bundled = bundledContext(url);
      if (bundled === undefined) known = false;
      else {
        vocab = bundled.vocab;
        for (const name of bundled.typeNames) typeNames.add(name);
      }
    }
    if (part.kind !== "object") continue;
    for (const { name, value } of part.members) {
      const target = value.kind === "string" ? textOf(value.raw) : stringMember(value, "@id");
      if (target === undefined) continue;
      if (name === "@vocab") vocab = target;
      else if (target === "@type") typeNames.add(name);
      else if (!name.startsWith("@")) {
        prefixes.set(name, target);
        prefixes.set(`=${name}`, expandPrefixed(target, prefixes));
      }
    }
  }
  return { vocab, typeNames: [...typeNames], prefixes, known };
}

function expandPrefixed(target: string, prefixes: ReadonlyMap<string, string>): string {
  const colon = target.indexOf(":");
  const prefix = colon > 0 ? prefixes.get(target.slice(0, colon)) : undefined;
  return prefix === undefined ? target : prefix + target.slice(colon + 1);
}

function stringMember(node: JsonNode, name: string): string | undefined {
  const value = memberOf(node, name);
  return value?.kind === "string" ? textOf(value.raw) : undefined;
}

function bundledContext(url: string): { readonly vocab: string; readonly typeNames: readonly string[] } | undefined {
  const trimmed = url.trim();
  if (isSchemaOrgContext(trimmed)) return { vocab: SCHEMA_ORG, typeNames: ["@type", "type"] };
  return KNOWN_CONTEXTS[trimmed.replace(/[#/]$/, "")];
}
