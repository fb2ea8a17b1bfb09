import { Ajv2020 } from "ajv/dist/2020.js";

import { parseAppName } from "../model/app-name.ts";
import type { EventName } from "../model/event-name.ts";
import { parseEventName } from "../model/event-name.ts";
import type { HookType } from "../model/hook.ts";
import type { OptionName } from "./app-definition-schema.ts";
import { OPTION_SCHEMAS, OPTION_TYPES } from "./app-definition-schema.ts";
import type { DefinitionFault } from "./definition-faults.ts";
import { foundAt, shapeFaultsOf } from "./definition-faults.ts";
import { schemaProblemsOf } from "./schema-rules.ts";
import { secretProblemsOf, variableConflicts } from "./secret-rules.ts";

/** What a definition is read against, beside the rules that hold for all. */
export interface DefinitionContext {
  /** There is a key to keep secrets under. */
  readonly isKvAllowed: boolean;
  /** Who has an event name already, in words ("the app shop"); undefined when `app`, which asks, may have it. */
  readonly takenBy?: (eventName: EventName, app: string | undefined) => string | undefined;
  /** What is installed, whose variables are its own. */
  readonly installed?: Parameters<typeof variableConflicts>[1];
}

const HOOK_TYPES: readonly HookType[] = ["web", "form", "email"];

/** What a schema cannot say, of every hook, whatever else is wrong with it. */
export function ruleFaultsOf(value: unknown, context: DefinitionContext): DefinitionFault[] {
  const { app, hooks } = recordOf(value);
  if (!Array.isArray(hooks)) return [];
  const appName = typeof app === "string" ? parseAppName(app) : undefined;
  const firstAt = new Map<unknown, number>();
  const options = hooks.map((hook) => ({ options: recordOf(recordOf(hook)["x-posthorn"]) }));
  const conflicts =
    appName === undefined || context.installed === undefined
      ? []
      : variableConflicts({ app: appName, hooks: options }, context.installed);
  const faults = hooks.flatMap((one, index) => {
    const hook = recordOf(one);
    const at = `/hooks/${index}`;
    const first = firstAt.get(hook["eventName"]);
    if (typeof hook["eventName"] === "string" && first === undefined) firstAt.set(hook["eventName"], index);
    return [
      ...nameFaults(hook, first, appName, context),
      ...optionFaults(hook, at),
      ...secretProblemsOf(recordOf(hook["x-posthorn"]), appName, context.isKvAllowed),
    ].map(([pointer, message]) => ({ pointer: at + pointer, message }));
  });
  return [...faults, ...conflicts.map(([pointer, message]) => ({ pointer, message }))];
}

type Fault = [pointer: string, message: string];

/** A name that stands twice, or belongs to somebody else. */
function nameFaults(
  hook: Record<string, unknown>,
  first: number | undefined,
  app: string | undefined,
  { takenBy }: DefinitionContext,
): Fault[] {
  const eventName = eventNameOf(hook);
  const owner = eventName === undefined ? undefined : takenBy?.(eventName, app);
  const faults: Fault[] = [];
  if (first !== undefined)
    faults.push([
      "/eventName",
      `is ${foundAt("/eventName", hook["eventName"])}, which /hooks/${first} has already; allowed: a name of its own`,
    ]);
  if (owner !== undefined) faults.push(["/eventName", `belongs to ${owner}; choose another name`]);
  return faults;
}

/** Options of another type of hook, schemas that cannot be used, redirects that lead elsewhere. */
function optionFaults(hook: Record<string, unknown>, at: string): Fault[] {
  const faults: Fault[] = [];
  const options = recordOf(hook["x-posthorn"]);
  const type = HOOK_TYPES.find((known) => known === hook["type"]);
  for (const [name, value] of Object.entries(options)) {
    const types = Object.hasOwn(OPTION_TYPES, name) ? OPTION_TYPES[name as OptionName] : undefined;
    if (type === undefined || types === undefined || types.includes(type)) continue;
    // What is written as the default is no wish: the registry shows every option, and people copy what it shows.
    if (!isDefault(name as OptionName, value))
      faults.push([`/x-posthorn/${name}`, `is for hooks of type ${types.join(" or ")}, not ${type}`]);
  }
  faults.push(...schemaFaults(options["schema"]));
  const { redirect, origins } = options;
  const allowedOrigins = Array.isArray(origins) ? origins : [];
  if (typeof redirect === "string" && redirect !== "" && !isAllowedRedirect(redirect, allowedOrigins)) {
    const pointer = "/x-posthorn/redirect";
    faults.push([
      pointer,
      `is ${foundAt(at + pointer, redirect)}; allowed: a path that begins with one /, or an address whose origin is in origins`,
    ]);
  }
  return faults;
}

/** Why a hook's schema cannot be used: it is none, or the engine that payloads run on cannot use it. */
function schemaFaults(schema: unknown): Fault[] {
  // Another type is told by the shape already.
  if (typeof schema !== "boolean" && Object.keys(recordOf(schema)).length === 0) return [];
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true, verbose: true, logger: false });
  if (ajv.validateSchema(schema as object) === false) {
    const faults = shapeFaultsOf(ajv.errors ?? []).map(({ pointer, message }) => `${pointer} ${message}`.trim());
    return [["/x-posthorn/schema", `is no JSON Schema that can be used: ${[...new Set(faults)].join("; ")}`]];
  }
  return schemaProblemsOf(schema);
}

function isDefault(name: OptionName, value: unknown): boolean {
  const schema = OPTION_SCHEMAS[name];
  return "default" in schema && JSON.stringify(value) === JSON.stringify(schema.default);
}

/** `//host` and `/\host` look relative and are not (WHATWG URL §4.4). */
function isAllowedRedirect(redirect: string, origins: readonly unknown[]): boolean {
  if (/^\/(?![/\\])/.test(redirect)) return !/[\\\s]/.test(redirect);
  const url = URL.parse(redirect);
  return url !== null && (url.protocol === "https:" || url.protocol === "http:") && origins.includes(url.origin);
}

/** The members of an object; none of anything else. */
export function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function eventNameOf({ eventName }: Record<string, unknown>): EventName | undefined {
  return typeof eventName === "string" ? parseEventName(eventName) : undefined;
}
