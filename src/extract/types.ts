import type { JsonNode } from "./json-node.ts";
import { memberOf, textOf } from "./json-node.ts";
import { namesUnknownContext } from "./unknown-context.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { NO_VOCABULARY, absoluteUnder, holdsTypes, vocabularyIn } from "./vocabulary.ts";

/** The types of a document's top-level nodes, absolute, and whether it names a context that nobody here knows. */
export interface TypeReading {
  readonly types: readonly string[];
  readonly unknownContext: boolean;
}

const SCHEMA_ORG = "https://schema.org/";
const SCHEMA_ORG_ANY = /^(?:https?:)?(?:\/\/)?(?:www\.)?schema\.org(?:\/|$)/i;

/** Any spelling of schema.org as `https://schema.org/…`; every other type as it stands. */
export function absoluteType(type: string): string {
  return type.trim().replace(SCHEMA_ORG_ANY, SCHEMA_ORG);
}

/**
 * The types of the top-level nodes of a JSON-LD document: the object itself, the members of an array or of `@graph`.
 * `mayNest` as {@link mayNestContexts} says of its text.
 */
export function typesOf(document: JsonNode, mayNest = true): TypeReading {
  const types = new Set<string>();
  for (const top of topNodesOf(document)) for (const type of typesOfTop(top)) types.add(type);
  return { types: [...types], unknownContext: namesUnknownContext(document, mayNest) };
}

/** A top-level node, and the `@context` that holds for it. */
export interface TopNode {
  readonly node: JsonNode;
  /** Its own behind those around it, as one. */
  readonly context: JsonNode | undefined;
  readonly vocabulary: Vocabulary;
  /** It was taken out of an array or `@graph`. */
  readonly taken: boolean;
}

/** What surrounds a node. */
interface Surroundings {
  readonly around: Surroundings | undefined;
  readonly context: JsonNode | undefined;
  readonly vocabulary: Vocabulary;
}

const NOTHING_AROUND: Surroundings = { around: undefined, context: undefined, vocabulary: NO_VOCABULARY };

/** The nodes that `types` and `select` look at: never nested ones. A graph that has a type is a node, and so are its own. */
export function topNodesOf(document: JsonNode): TopNode[] {
  const found: TopNode[] = [];
  const visit = (node: JsonNode, around: Surroundings, taken: boolean) => {
    if (node.kind !== "object") return;
    const context = memberOf(node, "@context");
    const here =
      context === undefined ? around : { around, context, vocabulary: vocabularyIn(around.vocabulary, context) };
    const graph = memberOf(node, "@graph");
    if (graph === undefined || typeValuesOf(node, here.vocabulary).length > 0)
      found.push({
        node,
        taken,
        vocabulary: here.vocabulary,
        get context() {
          return joined(here);
        },
      });
    if (graph !== undefined)
      for (const member of graph.kind === "array" ? graph.items : [graph]) visit(member, here, true);
  };
  if (document.kind === "array") for (const item of document.items) visit(item, NOTHING_AROUND, true);
  else visit(document, NOTHING_AROUND, false);
  return found;
}

/** The contexts from the outermost to the node's own as one (JSON-LD 1.1 §4.1.8). */
function joined(here: Surroundings): JsonNode | undefined {
  const contexts: JsonNode[] = [];
  for (let at: Surroundings | undefined = here; at !== undefined; at = at.around)
    if (at.context !== undefined) contexts.unshift(at.context);
  if (contexts.length < 2) return contexts[0];
  return { kind: "array", items: contexts.flatMap((part) => (part.kind === "array" ? part.items : [part])) };
}

/** The absolute types of one node under its context. */
export function typesOfTop({ node, vocabulary }: TopNode): string[] {
  return typeValuesOf(node, vocabulary)
    .flatMap((value) => (value.kind === "array" ? value.items : [value]))
    .flatMap((value) => (value.kind === "string" ? [absoluteType(absoluteUnder(vocabulary, textOf(value.raw)))] : []));
}

/** What a node says under `@type` and its aliases; of a name that stands twice the last. */
function typeValuesOf(node: JsonNode, vocabulary: Vocabulary): JsonNode[] {
  if (node.kind !== "object") return [];
  const values = new Map<string, JsonNode>();
  for (const { name, value } of node.members) if (holdsTypes(vocabulary, name)) values.set(name, value);
  return [...values.values()];
}
