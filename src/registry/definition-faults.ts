import type { ErrorObject } from "ajv";

import { parentsOf } from "../lib/json-line.ts";
import { nearestOf } from "../lib/nearest.ts";
import { OPTION_SCHEMAS } from "./app-definition-schema.ts";
import { pointerToken } from "../lib/json-pointer.ts";

/** One thing that is wrong in a definition: where (JSON Pointer), what was found, and what is allowed. */
export interface DefinitionFault {
  readonly pointer: string;
  readonly message: string;
}

type Schema = Readonly<Record<string, unknown>>;

const MAX_FOUND_CHARACTERS = 80;
/** Options in which a secret may stand where a reference to one belongs, and everything inside them. */
const MAY_HOLD_SECRETS = /^\/hooks\/\d+\/x-posthorn(?:\/(?:key|captcha|signature|handshake)(?:\/.*)?)?$/;
/** Members of theirs that choose between words of ours. */
const WORDS = /\/(?:scheme|provider|kind|algorithm|encoding)$/;
const WORD = /^[A-Za-z0-9-]{1,20}$/;

/** What `type` may be in a JSON Schema; the meta-schema of 2020-12 points to it. */
const SIMPLE_TYPES = '"array", "boolean", "integer", "null", "number", "object", "string"';

/** What Ajv found (with `verbose`), in our words: without its own, and without what may be a secret. */
export function shapeFaultsOf(errors: readonly ErrorObject[]): DefinitionFault[] {
  // The branches of an anyOf complain each for itself; the anyOf says what is allowed.
  const choices = new Set(errors.filter(({ keyword }) => keyword === "anyOf").map(({ instancePath }) => instancePath));
  const isOfBranch = ({ instancePath, keyword }: ErrorObject) =>
    (keyword !== "anyOf" && choices.has(instancePath)) || parentsOf(instancePath).some((parent) => choices.has(parent));
  const told = errors.filter((error) => !isOfBranch(error));
  return told.map((error) => ({ pointer: pointerOf(error), message: messageOf(error) }));
}

/** How a value is named in an error: short ones by themselves; never one in a place where a secret may stand. */
export function foundAt(pointer: string, value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "[]" : `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0 ? "{}" : "an object";
  if (typeof value !== "string") return JSON.stringify(value) ?? "missing";
  if (MAY_HOLD_SECRETS.test(pointer) && !(WORDS.test(pointer) && WORD.test(value)))
    return "a text that is not shown here, for it may be a secret";
  const text = JSON.stringify(value.replace(/\/\/[^/@]*@/, "//…@"));
  return text.length > MAX_FOUND_CHARACTERS ? `${text.slice(0, MAX_FOUND_CHARACTERS)}…` : text;
}

function pointerOf({ instancePath, params }: ErrorObject): string {
  const name: unknown = params["missingProperty"] ?? params["additionalProperty"];
  return typeof name === "string" ? `${instancePath}/${pointerToken(name)}` : instancePath;
}

function messageOf({ keyword, params, parentSchema, instancePath, data }: ErrorObject): string {
  if (keyword === "required") return "is required";
  const schema = (parentSchema ?? {}) as Schema;
  if (keyword === "additionalProperties") {
    const isOption = instancePath.endsWith("/x-posthorn");
    const known = Object.keys(isOption ? OPTION_SCHEMAS : ((schema["properties"] ?? {}) as Schema));
    const nearest = nearestOf(String(params["additionalProperty"]), known);
    const meant = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
    return `is an unknown ${isOption ? "option" : "member"}${meant}`;
  }
  // The description of the root is that of a whole file.
  const allowed = instancePath === "" ? inWords({ ...schema, description: undefined }) : inWords(schema);
  return `is ${foundAt(instancePath, data)}; allowed: ${allowed}`;
}

/** What a schema allows, in words. */
function inWords(schema: Schema): string {
  const { description, enum: values, const: only, type, items, required, anyOf } = schema;
  if (typeof description === "string") return description;
  if (Array.isArray(anyOf)) return (anyOf as Schema[]).map(inWords).join(" or ");
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(", ");
  if (only !== undefined) return JSON.stringify(only);
  switch (type) {
    case "string":
      return `a text${range(schema["minLength"], schema["maxLength"], " of", " characters")}`;
    case "integer":
      return `a whole number${range(schema["minimum"], schema["maximum"], "")}`;
    case "number":
      return `a number${range(schema["minimum"], schema["maximum"], "")}`;
    case "boolean":
      return "true or false";
    case "array": {
      const each = typeof items === "object" ? `, each ${inWords(items as Schema)}` : "";
      const once = schema["uniqueItems"] === true ? ", none twice" : "";
      return `a list${range(schema["minItems"], schema["maxItems"], " of")}${once}${each}`;
    }
    default:
      if (Array.isArray(type)) return type.map((one) => inWords({ ...schema, type: one })).join(" or ");
      if ("$dynamicRef" in schema) return "a JSON Schema";
      if (String(schema["$ref"]).endsWith("/simpleTypes")) return SIMPLE_TYPES;
      return Array.isArray(required) && required.length > 0
        ? `an object with ${required.map((name) => JSON.stringify(name)).join(" and ")}`
        : "an object";
  }
}

function range(least: unknown, most: unknown, before: string, unit = ""): string {
  if (typeof most !== "number")
    return typeof least === "number" && least > 0 ? `${before} at least ${least}${unit}` : "";
  if (typeof least !== "number") return `${before} at most ${most}${unit}`;
  return `${before === "" ? " from" : before} ${least} to ${most}${unit}`;
}
