import type { JsonNode } from "./json-node.ts";

type Member = { readonly name: string; readonly rawName: string; readonly value: JsonNode };

/**
 * A value that the engine has parsed, as a tree that is made where somebody looks at it.
 *
 * For names, strings and what nests in what: duplicate names are gone, and numbers have the engine's digits.
 */
export function valueNode(value: unknown): JsonNode {
  if (Array.isArray(value)) return new ArrayOfValues(value);
  if (typeof value === "object" && value !== null) return new ObjectOfValues(value);
  return new ScalarOfValue(value);
}

class ObjectOfValues {
  readonly kind = "object";
  readonly #value: object;
  #members: Member[] | undefined;

  constructor(value: object) {
    this.#value = value;
  }

  get members(): Member[] {
    return (this.#members ??= Object.entries(this.#value).map(([name, value]) => new MemberOfValue(name, value)));
  }
}

class MemberOfValue {
  readonly name: string;
  readonly #value: unknown;
  #node: JsonNode | undefined;

  constructor(name: string, value: unknown) {
    this.name = name;
    this.#value = value;
  }

  get rawName(): string {
    return JSON.stringify(this.name);
  }

  get value(): JsonNode {
    return (this.#node ??= valueNode(this.#value));
  }
}

class ArrayOfValues {
  readonly kind = "array";
  readonly #values: readonly unknown[];
  #items: JsonNode[] | undefined;

  constructor(values: readonly unknown[]) {
    this.#values = values;
  }

  get items(): JsonNode[] {
    return (this.#items ??= this.#values.map(valueNode));
  }
}

class ScalarOfValue {
  readonly kind: "string" | "number" | "literal";
  readonly #value: unknown;

  constructor(value: unknown) {
    this.kind = typeof value === "string" ? "string" : typeof value === "number" ? "number" : "literal";
    this.#value = value;
  }

  get raw(): string {
    return JSON.stringify(this.#value);
  }
}
