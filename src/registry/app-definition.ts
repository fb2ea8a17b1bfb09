import type { ErrorObject, ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";

import { isNestedDeeper } from "../lib/json-depth.ts";
import { nearestOf } from "../lib/nearest.ts";
import type { AppName } from "../model/app-name.ts";
import { parseAppName } from "../model/app-name.ts";
import type { EventName } from "../model/event-name.ts";
import { parseEventName, reachesWorkflows } from "../model/event-name.ts";
import type { HookOptions } from "../model/hook-options.ts";
import type { HookType } from "../model/hook.ts";
import type { OptionName } from "./app-definition-schema.ts";
import { APP_DEFINITION_SCHEMA, OPTION_SCHEMAS, OPTION_TYPES } from "./app-definition-schema.ts";
import { defaultOptions } from "./default-options.ts";
import { schemaProblemsOf } from "./schema-rules.ts";
import { secretProblemsOf } from "./secret-rules.ts";

export interface HookDefinition {
  readonly eventName: EventName;
  readonly displayEventName: string;
  readonly description: string;
  readonly type: HookType;
  readonly options: HookOptions;
}

export interface AppDefinition {
  readonly app: AppName;
  readonly version: string;
  readonly title: string;
  readonly hooks: readonly HookDefinition[];
}

/** One thing that is wrong in a definition: where, what was found, what is allowed. */
interface DefinitionProblem {
  readonly file: string;
  /** JSON Pointer (RFC 6901). */
  readonly pointer: string;
  readonly message: string;
}

export type DefinitionReading =
  | { readonly kind: "definition"; readonly definition: AppDefinition; readonly warnings: readonly string[] }
  | { readonly kind: "invalid"; readonly problems: readonly DefinitionProblem[] };

interface RawHook {
  eventName: string;
  displayEventName?: string;
  description?: string;
  type: HookType;
  "x-posthorn"?: Record<string, unknown>;
}
interface RawDefinition {
  app: string;
  version: string;
  title: string;
  hooks: RawHook[];
}

const MAX_FILE_BYTES = 1024 * 1024;
/** Far less than what a walk by recursion bears, here and in the threads that run a hook's schema. */
const MAX_DEPTH = 200;
const MAX_FOUND_CHARACTERS = 80;

/**
 * Reads an app definition (contract §2); `isKvAllowed` when there is a key to keep secrets under. Every problem at once, each with its place, what was found and what is allowed.
 * Never throws.
 */
export function readAppDefinition(
  text: string,
  file: string,
  settings: { readonly isKvAllowed: boolean } = { isKvAllowed: false },
): DefinitionReading {
  const invalid = (pointer: string, message: string): DefinitionReading => ({
    kind: "invalid",
    problems: [{ file, pointer, message }],
  });
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) return invalid("", `is larger than ${MAX_FILE_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    return invalid("", `is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (isNestedDeeper(value, MAX_DEPTH)) return invalid("", `nests deeper than ${MAX_DEPTH} levels`);
  const validate = validator();
  const shapeProblems = validate(value) ? [] : problemsOf(validate.errors ?? [], value, file);
  const problems = [...shapeProblems, ...ruleProblems(value, shapeProblems, file, settings.isKvAllowed)];
  if (problems.length > 0) return { kind: "invalid", problems };
  const raw = value as RawDefinition;
  return {
    kind: "definition",
    definition: definitionOf(raw),
    warnings: raw.hooks.flatMap(({ eventName }) => eventNameWarnings(raw.app, eventName)),
  };
}

let compiled: ValidateFunction | undefined;
function validator(): ValidateFunction {
  return (compiled ??= new Ajv2020({ allErrors: true, useDefaults: true, strict: false, verbose: true }).compile(
    APP_DEFINITION_SCHEMA,
  ));
}

function problemsOf(errors: readonly ErrorObject[], value: unknown, file: string): DefinitionProblem[] {
  // The branches of an anyOf complain each for itself; the anyOf says what is allowed.
  const told = errors.filter(({ schemaPath, keyword }) => keyword === "anyOf" || !/\/anyOf\//.test(schemaPath));
  const problems = told.map((error) => ({ file, pointer: pointerOf(error), message: messageOf(error, value) }));
  return problems.filter(
    (problem, index) =>
      problems.findIndex(({ pointer, message }) => pointer === problem.pointer && message === problem.message) ===
      index,
  );
}

function pointerOf({ instancePath, params }: ErrorObject): string {
  const name: unknown = params["missingProperty"] ?? params["additionalProperty"];
  return typeof name === "string"
    ? `${instancePath}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`
    : instancePath;
}

function messageOf(error: ErrorObject, root: unknown): string {
  const { keyword, params, parentSchema } = error;
  if (keyword === "required") return "is required";
  if (keyword === "additionalProperties" && error.instancePath.endsWith("/x-posthorn")) {
    const name = String(params["additionalProperty"]);
    const nearest = nearestOf(name, Object.keys(OPTION_SCHEMAS));
    return `is an unknown option${nearest === undefined ? "" : `; did you mean "${nearest}"?`}`;
  }
  const found = foundAt(error.data ?? root);
  const allowed = typeof parentSchema?.["description"] === "string" ? parentSchema["description"] : allowedBy(error);
  return `is ${found}; allowed: ${allowed}`;
}

function allowedBy({ keyword, params, message }: ErrorObject): string {
  if (keyword === "enum")
    return (params["allowedValues"] as unknown[]).map((value) => JSON.stringify(value)).join(", ");
  if (keyword === "const") return JSON.stringify(params["allowedValue"]);
  return message ?? keyword;
}

function foundAt(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > MAX_FOUND_CHARACTERS ? `${text.slice(0, MAX_FOUND_CHARACTERS)}…` : text;
}

/** The rules that a schema cannot say, for every hook whose shape is right. */
function ruleProblems(
  value: unknown,
  shapeProblems: readonly DefinitionProblem[],
  file: string,
  isKvAllowed: boolean,
): DefinitionProblem[] {
  const raw = value as RawDefinition | null;
  if (!Array.isArray(raw?.hooks) || typeof raw.app !== "string") return [];
  return raw.hooks.flatMap((hook, index) => {
    const at = `/hooks/${index}`;
    if (shapeProblems.some(({ pointer }) => pointer === at || pointer.startsWith(`${at}/`))) return [];
    return hookProblems(raw, hook, index, isKvAllowed).map(([pointer, message]) => ({
      file,
      pointer: at + pointer,
      message,
    }));
  });
}

/** What a schema cannot say: names that stand twice, options of another type, secrets of another app, redirects. */
function hookProblems(
  definition: RawDefinition,
  hook: RawHook,
  index: number,
  isKvAllowed: boolean,
): [pointer: string, message: string][] {
  const problems: [string, string][] = [];
  const first = definition.hooks.findIndex(({ eventName }) => eventName === hook.eventName);
  if (first < index)
    problems.push([
      "/eventName",
      `is ${JSON.stringify(hook.eventName)}, which /hooks/${first} has already; allowed: a name of its own`,
    ]);
  for (const [name, value] of Object.entries(hook["x-posthorn"] ?? {})) {
    const at = `/x-posthorn/${name}`;
    const types = OPTION_TYPES[name as OptionName];
    if (!types.includes(hook.type)) {
      // Defaults that the schema filled in are of every type; only what was written differs from them.
      if (!isDefault(name as OptionName, value))
        problems.push([at, `is for hooks of type ${types.join(" or ")}, not ${hook.type}`]);
    }
  }
  problems.push(...secretProblemsOf(hook["x-posthorn"] ?? {}, definition.app, isKvAllowed));
  problems.push(...schemaProblemsOf(hook["x-posthorn"]?.["schema"]));
  const { redirect, origins } = (hook["x-posthorn"] ?? {}) as { redirect?: string; origins?: readonly string[] };
  if (redirect !== undefined && !isAllowedRedirect(redirect, origins ?? [])) {
    problems.push([
      "/x-posthorn/redirect",
      `is ${foundAt(redirect)}; allowed: a path that begins with one /, or an address whose origin is in origins`,
    ]);
  }
  return problems;
}

function isDefault(name: OptionName, value: unknown): boolean {
  const schema = OPTION_SCHEMAS[name];
  return "default" in schema && JSON.stringify(value) === JSON.stringify(schema.default);
}

/** `//host` and `/\host` look relative and are not (WHATWG URL §4.4). */
function isAllowedRedirect(redirect: string, origins: readonly string[]): boolean {
  if (/^\/(?![/\\])/.test(redirect)) return !/[\\\s]/.test(redirect);
  const url = URL.parse(redirect);
  return url !== null && (url.protocol === "https:" || url.protocol === "http:") && origins.includes(url.origin);
}

/** What an operator should know of an event name of `app` that is right in itself. */
export function eventNameWarnings(app: string, eventName: string): string[] {
  if (!reachesWorkflows(eventName))
    return [`${eventName} does not begin with kustomer.app and so does not reach workflows`];
  return eventName.startsWith(`kustomer.app.${app}.`)
    ? []
    : [`${eventName} does not go on with the app's own name, ${app}`];
}

function definitionOf(raw: RawDefinition): AppDefinition {
  return {
    app: believed(parseAppName(raw.app)),
    version: raw.version,
    title: raw.title || raw.app,
    hooks: raw.hooks.map((hook) => ({
      eventName: believed(parseEventName(hook.eventName)),
      displayEventName: hook.displayEventName || hook.eventName,
      description: hook.description ?? "",
      type: hook.type,
      options: defaultOptions(hook["x-posthorn"]),
    })),
  };
}

/** A name that the schema let through. The one function that makes such names is asked again: it is the boundary. */
function believed<T>(name: T | undefined): T {
  if (name === undefined) throw new Error("the schema of app definitions let a wrong name through");
  return name;
}
