/** A JSON-LD context document. */
export type ContextDocument = { readonly "@context": TermMap };
export type TermMap = Readonly<Record<string, unknown>>;

/**
 * Terms that share a form, from a list like `"body=oa:hasBody target oa:exact"`: `term=iri`, or a bare name that stands
 * for itself under `prefix`. `form` adds what the definition says besides its IRI; without it the IRI stands alone.
 */
export function terms(prefix: string, names: string, form?: TermMap): TermMap {
  const entries = names
    .trim()
    .split(/\s+/)
    .map((item) => {
      const equals = item.indexOf("=");
      const term = equals < 0 ? item : item.slice(0, equals);
      const iri = equals < 0 ? prefix + item : item.slice(equals + 1);
      return [term, form === undefined ? iri : { "@id": iri, ...form }] as const;
    });
  return Object.fromEntries(entries);
}

/** Values that are addresses. */
export const ADDRESS: TermMap = { "@type": "@id" };
/** `id` and `type` without their @, as most contexts of the W3C have it. */
export const ALIASES: TermMap = { id: "@id", type: "@type" };

/** A term with a context of its own that nobody may redefine (JSON-LD 1.1 §4.1.8, §4.1.11). */
export function scoped(iri: string, context: TermMap, form: TermMap = {}): TermMap {
  return { "@id": iri, ...form, "@context": { "@protected": true, ...context } };
}
