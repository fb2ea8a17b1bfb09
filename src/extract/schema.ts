import type { ErrorObject, ValidateFunction } from "ajv";

import { loadLate } from "../lib/load-late.ts";
import { makeRoom } from "../lib/make-room.ts";
import type { SchemaEngine } from "../lib/schema-engine.ts";
import type { JsonSchema } from "../model/hook-options.ts";
import type { JsonText } from "../model/mail.ts";
import { pointerToken } from "../lib/json-pointer.ts";

/** One place where a payload does not meet its schema. */
export interface SchemaProblem {
  /** JSON Pointer (RFC 6901) into the payload; "" is the payload itself. */
  readonly pointer: string;
  readonly message: string;
}

export type SchemaVerdict =
  | { readonly kind: "meets" }
  | { readonly kind: "fails"; readonly problems: readonly SchemaProblem[] }
  /** The schema itself is wrong, which no sender can help. */
  | { readonly kind: "unusable"; readonly why: string };

const MAX_PROBLEMS = 50;
const MAX_COMPILED = 200;
const compiled = new Map<string, ValidateFunction>();
let engine: Promise<SchemaEngine> | undefined;

/**
 * Whether a payload meets a JSON Schema (2020-12). Of duplicate members the last one counts.
 *
 * Patterns run on RE2, whose time is linear; a `$ref` to another place is never fetched. A schema that cannot be used, or
 * that breaks while it runs, is the fault of whoever installed it: the sender shall keep what it sent. Throws `LoadError`
 * only.
 */
export async function checkSchema(schema: JsonSchema, payload: JsonText): Promise<SchemaVerdict> {
  const loaded = await (engine ??= loadEngine());
  const value: unknown = JSON.parse(payload);
  try {
    const validate = compile(schema, loaded);
    if (validate(value)) return { kind: "meets" };
    const problems = (validate.errors ?? [])
      .slice(0, MAX_PROBLEMS)
      .map((error) => ({ pointer: pointerOf(error), message: inWords(error) }));
    return { kind: "fails", problems };
  } catch (error) {
    return { kind: "unusable", why: error instanceof Error ? error.message : String(error) };
  }
}

/** Compiles a schema, or throws with what is wrong with it. */
function compile(schema: JsonSchema, engine: SchemaEngine): ValidateFunction {
  const text = JSON.stringify(schema);
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const validate = engine.compile(schema);
  makeRoom(compiled, MAX_COMPILED);
  compiled.set(text, validate);
  return validate;
}

async function loadEngine(): Promise<SchemaEngine> {
  const { createSchemaEngine } = await loadLate(() => import("../lib/schema-engine.ts"));
  return createSchemaEngine();
}

function pointerOf(error: ErrorObject): string {
  const missing: unknown = error.params["missingProperty"] ?? error.params["additionalProperty"];
  return typeof missing === "string" ? `${error.instancePath}/${pointerToken(missing)}` : error.instancePath;
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
