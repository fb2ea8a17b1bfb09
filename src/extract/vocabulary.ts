import { bundledContext, isSchemaOrgContext } from "./contexts/bundled.ts";
import type { ContextDocument } from "./contexts/terms.ts";
import type { JsonNode } from "./json-node.ts";
import { memberOf, textOf } from "./json-node.ts";

/**
 * What a JSON-LD context says that matters for types. Contexts inside one another are layers that share what is around
 * them: a copy for each of 10,000 nodes of a graph would cost its square.
 */
export interface Vocabulary {
  readonly around: Vocabulary | undefined;
  /** What terms, prefixes and aliases of keywords stand for here. */
  readonly terms: ReadonlyMap<string, string>;
  /** Where terms belong that nothing names. */
  readonly vocab: string | undefined;
  /** Whether all of it is known: a remote context that is not bundled may redefine anything. */
  readonly known: boolean;
}

export const NO_VOCABULARY: Vocabulary = { around: undefined, terms: new Map(), vocab: undefined, known: true };

const ofBundled = new WeakMap<ContextDocument, ReadonlyMap<string, string>>();
/** Nearly every mail names schema.org and nothing else. */
let schemaOrg: Vocabulary | undefined;

/** The vocabulary inside `around` behind a `@context`; those in an array follow one another (JSON-LD 1.1 API §4.1). */
export function vocabularyIn(around: Vocabulary, context: JsonNode | undefined): Vocabulary {
  if (context === undefined) return around;
  const isCommon = around === NO_VOCABULARY && context.kind === "string" && isSchemaOrgContext(textOf(context.raw));
  if (isCommon) return (schemaOrg ??= layerOf(around, [context]));
  return layerOf(around, context.kind === "array" ? context.items : [context]);
}

function layerOf(outer: Vocabulary, parts: readonly JsonNode[]): Vocabulary {
  let around: Vocabulary | undefined = outer;
  let { vocab, known } = outer;
  const terms = new Map<string, string>();
  for (const part of parts) {
    if (part.kind === "literal") {
      // `null` forgets everything so far.
      around = undefined;
      terms.clear();
      vocab = undefined;
      known = true;
      continue;
    }
    const definitions = definitionsOf(part);
    if (definitions === undefined) known = false;
    const own = [...(definitions ?? [])].filter(([term]) => !term.startsWith("@"));
    for (const [term, iri] of own) terms.set(term, iri);
    const layer = { around, terms, vocab, known };
    const newVocab = definitions?.get("@vocab");
    if (newVocab !== undefined) vocab = layer.vocab = expand(layer, newVocab);
    // At once: a later context may give the same prefix another meaning.
    for (const [term, iri] of own) terms.set(term, meaningOf(iri, layer));
  }
  return { around, terms, vocab, known };
}

/** What a definition's address stands for: a keyword, an address, a compact one, or another term. */
function meaningOf(iri: string, layer: Vocabulary): string {
  if (iri.startsWith("@")) return iri;
  return iri.includes(":") ? expand(layer, iri) : (lookUp(layer, iri) ?? (layer.vocab ?? "") + iri);
}

/** What one context defines; `undefined` when it is a remote one that is not bundled. */
function definitionsOf(part: JsonNode): ReadonlyMap<string, string> | undefined {
  if (part.kind === "object") return new Map(part.members.flatMap(({ name, value }) => definition(name, value)));
  if (part.kind !== "string") return new Map();
  const document = bundledContext(textOf(part.raw));
  if (document === undefined) return undefined;
  const known = ofBundled.get(document) ?? termsOfDocument(document);
  ofBundled.set(document, known);
  return known;
}

function definition(name: string, value: JsonNode): [string, string][] {
  const iri = value.kind === "object" ? memberOf(value, "@id") : value;
  return iri?.kind === "string" ? [[name, textOf(iri.raw)]] : [];
}

function termsOfDocument(document: ContextDocument): ReadonlyMap<string, string> {
  const terms = new Map<string, string>();
  for (const [term, value] of Object.entries(document["@context"])) {
    const iri: unknown = typeof value === "object" && value !== null && "@id" in value ? value["@id"] : value;
    if (typeof iri === "string") terms.set(term, iri);
  }
  return terms;
}

function lookUp(vocabulary: Vocabulary, term: string): string | undefined {
  for (let layer: Vocabulary | undefined = vocabulary; layer !== undefined; layer = layer.around) {
    const iri = layer.terms.get(term);
    if (iri !== undefined) return iri;
  }
  return undefined;
}

/** Whether members of that name hold types: `@type`, or what the context calls it. */
export function holdsTypes(vocabulary: Vocabulary, name: string): boolean {
  return name === "@type" || (!name.startsWith("@") && lookUp(vocabulary, name) === "@type");
}

/** A type made absolute where the vocabulary says how; as sent otherwise, and always so under an unknown context. */
export function absoluteUnder(vocabulary: Vocabulary, type: string): string {
  const { vocab, known } = vocabulary;
  if (!known || type.startsWith("@")) return type.includes(":") ? expand(vocabulary, type) : type;
  const named = lookUp(vocabulary, type);
  if (named !== undefined) return named;
  if (type.includes(":")) return expand(vocabulary, type);
  return vocab === undefined ? type : vocab + type.replace(/^\//, "");
}

/** What an address must end in for its term to be a prefix (JSON-LD 1.1 API §4.2.2, step 14.2.5: a "gen-delim"). */
const PREFIX_END = /[:/?#[\]@]$/;

/** A compact IRI written out; its prefix may itself be written with a prefix, one deep. */
function expand(vocabulary: Vocabulary, iri: string): string {
  const once = withoutPrefix(vocabulary, iri);
  return once === iri ? iri : withoutPrefix(vocabulary, once);
}

function withoutPrefix(vocabulary: Vocabulary, iri: string): string {
  const colon = iri.indexOf(":");
  if (colon <= 0 || iri.startsWith("//", colon + 1)) return iri;
  const prefix = lookUp(vocabulary, iri.slice(0, colon));
  return prefix === undefined || !PREFIX_END.test(prefix) ? iri : prefix + iri.slice(colon + 1);
}
