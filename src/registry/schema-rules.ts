import { PatternError, compileLinear } from "../lib/linear-pattern.ts";
import { createSchemaEngine } from "../lib/schema-engine.ts";
import { pointerToken } from "../lib/json-pointer.ts";

/** A problem of one hook: where in the hook, and what is wrong. */
type Problem = [pointer: string, message: string];

const AT = "/x-posthorn/schema";
const MAX_SHOWN_CHARACTERS = 80;
/** Keywords whose values are data and no schemas. */
const DATA: ReadonlySet<string> = new Set(["const", "default", "enum", "examples"]);

/**
 * Why a hook's schema cannot be used, tried on the engine that payloads run on: it is none, it points to another place, which
 * is never fetched, or a pattern in it is none that the engine knows.
 */
export function schemaProblemsOf(schema: unknown): Problem[] {
  if (schema === undefined) return [];
  const patterns = patternProblemsOf(schema);
  if (patterns.length > 0) return patterns;
  try {
    createSchemaEngine().compile(schema as object);
    return [];
  } catch (error) {
    return [[AT, `is no JSON Schema that can be used: ${error instanceof Error ? error.message : String(error)}`]];
  }
}

/** Every pattern, each with its place: the engine itself stops at the first and does not say where it stands. */
function patternProblemsOf(schema: unknown): Problem[] {
  const problems: Problem[] = [];
  const check = (pointer: string, pattern: string) => {
    try {
      compileLinear(pattern);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      problems.push([pointer, `is ${shown(pattern)}: ${error.message}; instead, ${error.advice}`]);
    }
  };
  const open: [pointer: string, value: unknown][] = [[AT, schema]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [at, value] = next;
    if (typeof value !== "object" || value === null) continue;
    for (const [name, member] of Object.entries(value).reverse()) {
      const pointer = `${at}/${pointerToken(name)}`;
      if (name === "pattern" && typeof member === "string") check(pointer, member);
      if (name === "patternProperties" && typeof member === "object" && member !== null)
        for (const pattern of Object.keys(member)) check(`${pointer}/${pointerToken(pattern)}`, pattern);
      if (!DATA.has(name)) open.push([pointer, member]);
    }
  }
  return problems;
}

function shown(pattern: string): string {
  const text = JSON.stringify(pattern);
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text;
}
