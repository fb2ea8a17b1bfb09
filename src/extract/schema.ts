import type { ErrorObject, ValidateFunction } from "ajv";
import type { Ajv2020 } from "ajv/dist/2020.js";

import { loadLate } from "../lib/load-late.ts";
import { makeRoom } from "../lib/make-room.ts";
import type { JsonSchema } from "../model/hook-options.ts";
import type { JsonText } from "../model/mail.ts";

/** One place where a payload does not meet its schema. */
export interface SchemaProblem {
  /** JSON Pointer (RFC 6901) into the payload; "" is the payload itself. */
  readonly pointer: string;
  readonly message: string;
}

export type SchemaVerdict =
  | { readonly kind: "meets" }
  | { readonly kind: "fails"; readonly problems: readonly SchemaProblem[] };

const MAX_PROBLEMS = 50;
const MAX_COMPILED = 200;
const compiled = new Map<string, ValidateFunction>();
let engine: Promise<Ajv2020> | undefined;

/**
 * Whether a payload meets a JSON Schema (2020-12). Of duplicate members the last one counts.
 *
 * Patterns run on RE2, whose time is linear; a `$ref` to another place is never fetched. A schema that cannot be used fails
 * everything and says why: the payload is kept, and can be run again when the schema is right. Throws `LoadError` only.
 */
export async function checkSchema(schema: JsonSchema, payload: JsonText): Promise<SchemaVerdict> {
  const ajv = await (engine ??= createEngine());
  let validate: ValidateFunction;
  try {
    validate = compile(schema, ajv);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      kind: "fails",
      problems: [{ pointer: "", message: `cannot be checked, the schema itself is wrong: ${why}` }],
    };
  }
  if (validate(JSON.parse(payload))) return { kind: "meets" };
  const problems = (validate.errors ?? [])
    .slice(0, MAX_PROBLEMS)
    .map((error) => ({ pointer: pointerOf(error), message: inWords(error) }));
  return { kind: "fails", problems };
}

/** Compiles a schema, or throws with what is wrong with it. */
function compile(schema: JsonSchema, ajv: Ajv2020): ValidateFunction {
  const text = JSON.stringify(schema);
  const known = compiled.get(text);
  if (known !== undefined) return known;
  // Its validator would answer with a promise, and a promise looks like "meets".
  if (typeof schema === "object" && schema["$async"] !== undefined) throw new Error("$async is not supported");
  let validate: ValidateFunction;
  try {
    validate = ajv.compile(schema);
  } finally {
    // The engine keeps every schema it has seen, and its $id; ours is the cache that is bounded.
    ajv.removeSchema(schema);
  }
  makeRoom(compiled, MAX_COMPILED);
  compiled.set(text, validate);
  return validate;
}

async function createEngine(): Promise<Ajv2020> {
  const [{ Ajv2020: Engine }, { default: addFormats }, { RE2JS }] = await loadLate(() =>
    Promise.all([import("ajv/dist/2020.js"), import("ajv-formats"), import("re2js")]),
  );
  const linear = Object.assign(
    (pattern: string) => {
      const expression = RE2JS.compile(RE2JS.translateRegExp(pattern));
      // Ajv 8.20 keeps expressions under their toString(): without one of its own, all patterns would be the first.
      return { test: (text: string) => expression.matcher(text).find(), toString: () => `/${pattern}/` };
    },
    { code: "linear" },
  );
  const ajv = new Engine({
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
  return ajv;
}

function pointerOf(error: ErrorObject): string {
  const missing: unknown = error.params["missingProperty"] ?? error.params["additionalProperty"];
  return typeof missing === "string"
    ? `${error.instancePath}/${missing.replaceAll("~", "~0").replaceAll("/", "~1")}`
    : error.instancePath;
}

function inWords(error: ErrorObject): string {
  switch (error.keyword) {
    case "required":
      return "is required";
    case "additionalProperties":
      return "is not allowed here";
    case "enum":
      return `must be one of ${JSON.stringify(error.params["allowedValues"])}`;
    case "const":
      return `must be ${JSON.stringify(error.params["allowedValue"])}`;
    default:
      return error.message ?? `fails "${error.keyword}"`;
  }
}
