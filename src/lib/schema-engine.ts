import type { ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { default as addFormats } from "ajv-formats";

import { compileLinear } from "./linear-pattern.ts";

/** The engine that hooks' schemas run on, and are tried on when their app is installed. */
export interface SchemaEngine {
  /** Throws with what is wrong with the schema. */
  readonly compile: (schema: boolean | object) => ValidateFunction;
}

/**
 * Makes an engine for JSON Schema 2020-12 that changes nothing in what it checks, never fetches a `$ref`, and runs patterns
 * in linear time.
 */
export function createSchemaEngine(): SchemaEngine {
  const linear = Object.assign(
    (pattern: string) => {
      const { test } = compileLinear(pattern);
      // Ajv 8.20 keeps expressions under their toString(): without one of its own, all patterns would be the first.
      return { test, toString: () => `/${pattern}/` };
    },
    { code: "linear" },
  );
  const ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    logger: false,
    // What every object inherits, "constructor" say, is no member of the sender's.
    ownProperties: true,
    // 1.10 is a multiple of 0.01, though not among doubles.
    multipleOfPrecision: 8,
    code: { regExp: linear as never },
  });
  addFormats.default(ajv as never);
  // Else the engine's own format would ask for patterns of ECMA-262 only.
  ajv.addFormat("regex", { type: "string", validate: isLinear });
  return {
    compile: (schema) => {
      // Its validator would answer with a promise, and a promise looks like "meets".
      if (typeof schema === "object" && "$async" in schema) throw new Error("$async is not supported");
      try {
        return ajv.compile(schema);
      } finally {
        // The engine keeps every schema it has seen, and its $id; those who need one again keep its validator.
        if (typeof schema === "object") ajv.removeSchema(schema);
      }
    },
  };
}

function isLinear(pattern: string): boolean {
  try {
    compileLinear(pattern);
    return true;
  } catch {
    return false;
  }
}
