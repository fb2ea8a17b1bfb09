import type { ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";

import { jsonFaultOf } from "../lib/json-fault.ts";
import { placesOfPointers } from "../lib/json-line.ts";
import type { AppName } from "../model/app-name.ts";
import { parseAppName } from "../model/app-name.ts";
import type { EventName } from "../model/event-name.ts";
import { parseEventName, reachesWorkflows } from "../model/event-name.ts";
import type { HookOptions } from "../model/hook-options.ts";
import type { HookType } from "../model/hook.ts";
import { APP_DEFINITION_SCHEMA } from "./app-definition-schema.ts";
import { defaultOptions } from "./default-options.ts";
import type { DefinitionFault } from "./definition-faults.ts";
import { shapeFaultsOf } from "./definition-faults.ts";
import type { DefinitionContext } from "./definition-rules.ts";
import { eventNameOf, recordOf, ruleFaultsOf } from "./definition-rules.ts";

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

/** One thing that is wrong in a definition, and where it stands. */
interface DefinitionProblem extends DefinitionFault {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
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
  version?: string;
  title?: string;
  hooks: RawHook[];
}

const MAX_FILE_BYTES = 1024 * 1024;
/** Far less than what a walk by recursion bears, here and in the threads that run a hook's schema. */
const MAX_DEPTH = 200;

/**
 * Reads an app definition (contract §2). Everything that is wrong in it at once, in the order of the text: its shape, the
 * rules, and names that belong to somebody else. No secret is repeated in what is said. Never throws.
 */
export function readAppDefinition(
  text: string,
  file: string,
  context: DefinitionContext = { isKvAllowed: false },
): DefinitionReading {
  const invalid = (message: string, line = 1): DefinitionReading => ({
    kind: "invalid",
    problems: [{ file, pointer: "", message, line }],
  });
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) return invalid(`is larger than ${MAX_FILE_BYTES} bytes`);
  const json = text.replace(/^\uFEFF/, "");
  const fault = jsonFaultOf(json, MAX_DEPTH);
  if (fault !== undefined)
    return invalid(`is invalid JSON: ${fault.what} (line ${fault.line} column ${fault.column})`, fault.line);
  const value: unknown = JSON.parse(json);
  const validate = validator();
  const shapeFaults = validate(value) ? [] : shapeFaultsOf(validate.errors ?? []);
  const faults = [...shapeFaults, ...ruleFaultsOf(value, context)];
  if (faults.length > 0) return { kind: "invalid", problems: inPlace(faults, json, file) };
  const raw = value as RawDefinition;
  return {
    kind: "definition",
    definition: definitionOf(raw),
    warnings: raw.hooks.flatMap(({ eventName }) => eventNameWarnings(raw.app, eventName)),
  };
}

/** For `takenBy`: the app that an event name belongs to, when it is another one than the app that asks. */
export function ownerInWords(owner: string | undefined, app: string | undefined): string | undefined {
  return owner === undefined || owner === app ? undefined : `the app ${owner}`;
}

/** The event names that a text uses, as far as they can be read, and its app: also of one that is wrong elsewhere. */
export function namesIn(text: string): { readonly app: string | undefined; readonly eventNames: readonly EventName[] } {
  const json = text.replace(/^\uFEFF/, "");
  if (Buffer.byteLength(text) > MAX_FILE_BYTES || jsonFaultOf(json, MAX_DEPTH) !== undefined)
    return { app: undefined, eventNames: [] };
  const { app, hooks } = recordOf(JSON.parse(json));
  const names = (Array.isArray(hooks) ? hooks : []).map((hook) => eventNameOf(recordOf(hook)));
  return {
    app: typeof app === "string" ? parseAppName(app) : undefined,
    eventNames: names.filter((name) => name !== undefined),
  };
}

let compiled: ValidateFunction | undefined;
function validator(): ValidateFunction {
  return (compiled ??= new Ajv2020({ allErrors: true, strict: false, verbose: true }).compile(APP_DEFINITION_SCHEMA));
}

/** In the order of the text, each once, with its line. */
function inPlace(faults: readonly DefinitionFault[], text: string, file: string): DefinitionProblem[] {
  const once = [...new Map(faults.map((fault) => [`${fault.pointer} ${fault.message}`, fault])).values()];
  const places = placesOfPointers(
    text,
    once.map(({ pointer }) => pointer),
  );
  return once
    .map((fault, index) => ({ fault, place: places[index] ?? { offset: 0, line: 1 } }))
    .toSorted((a, b) => a.place.offset - b.place.offset)
    .map(({ fault, place }) => ({ file, ...fault, line: place.line }));
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
    version: raw.version ?? "",
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
