/** A JSON Schema as far as types can say it; anything else becomes `unknown`. */
type Schema = { readonly [keyword: string]: unknown };

const PRIMITIVES: Readonly<Record<string, string>> = {
  string: "string",
  integer: "number",
  number: "number",
  boolean: "boolean",
  null: "null",
};
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/**
 * The TypeScript type of a JSON Schema, as text. References into `$defs` become the names that `nameOf` gives them.
 * What a type cannot say (patterns, bounds, foreign references) is left out, never guessed.
 */
export function typeTextOf(schema: unknown, nameOf: (definition: string) => string): string {
  if (typeof schema !== "object" || schema === null) return "unknown";
  const { $ref, const: constant, enum: values, anyOf, type, items, properties } = schema as Schema;
  if (typeof $ref === "string") return $ref.startsWith("#/$defs/") ? nameOf($ref.slice("#/$defs/".length)) : "unknown";
  if (constant !== undefined) return JSON.stringify(constant);
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(" | ");
  if (Array.isArray(anyOf)) return anyOf.map((one) => typeTextOf(one, nameOf)).join(" | ");
  if (Array.isArray(type)) return type.map((one) => typeTextOf({ ...schema, type: one }, nameOf)).join(" | ");
  if (type === "array") return `readonly (${typeTextOf(items, nameOf)})[]`;
  if (type === "object" || properties !== undefined) return objectType(schema as Schema, nameOf);
  return PRIMITIVES[String(type)] ?? "unknown";
}

function objectType(schema: Schema, nameOf: (definition: string) => string): string {
  const properties = Object.entries((schema["properties"] ?? {}) as Schema);
  const required = new Set(schema["required"] as string[] | undefined);
  const { additionalProperties } = schema;
  const rest = typeof additionalProperties === "object" ? typeTextOf(additionalProperties, nameOf) : "unknown";
  if (properties.length === 0) return `{ readonly [name: string]: ${rest} }`;
  const members = properties.map(([name, value]) => {
    const key = IDENTIFIER.test(name) ? name : JSON.stringify(name);
    return `readonly ${key}${required.has(name) ? "" : "?"}: ${typeTextOf(value, nameOf)};`;
  });
  return `{ ${members.join(" ")} }`;
}
