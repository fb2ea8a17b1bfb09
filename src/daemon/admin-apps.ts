import type { DefinitionComplaint, HookChange, InstallPreview } from "../admin/services.ts";
import { lineOfPointer } from "../lib/json-line.ts";
import type { Hook } from "../model/hook.ts";
import { OperatorError } from "../model/operator-error.ts";
import type { AppDefinition, DefinitionReading, HookDefinition } from "../registry/app-definition.ts";
import { readAppDefinition } from "../registry/app-definition.ts";
import { variableConflicts } from "../registry/secret-rules.ts";
import type { Storage } from "./storage.ts";

const FILE = "the definition";

/** What installing this text would do, against what is installed now; or everything that is wrong in it. */
export function previewInstall({ snapshot, secrets }: Storage, text: string): InstallPreview {
  const reading = readAppDefinition(text, FILE, { isKvAllowed: secrets.hasKey });
  if (reading.kind === "invalid") return { kind: "invalid", problems: complaintsOf(reading, text) };
  const { definition, warnings } = reading;
  const installed = snapshot.app(definition.app);
  const old = snapshot.hooks().filter(({ app }) => app === definition.app);
  const taken = definition.hooks.flatMap(({ eventName }, index): DefinitionComplaint[] => {
    const owner = snapshot.hookByEventName(eventName)?.app;
    const pointer = `/hooks/${index}/eventName`;
    return owner === undefined || owner === definition.app
      ? []
      : [{ pointer, message: `belongs to the app ${owner}; choose another name`, line: lineOfPointer(text, pointer) }];
  });
  const named = { apps: snapshot.apps().map(({ app }) => app), hooks: snapshot.hooks() };
  const conflicts = variableConflicts(definition, named).map(([pointer, message]): DefinitionComplaint => ({
    pointer,
    message,
    line: lineOfPointer(text, pointer),
  }));
  if (taken.length + conflicts.length > 0) return { kind: "invalid", problems: [...taken, ...conflicts] };
  const { app, title, version } = definition;
  return {
    kind: "ready",
    app,
    title,
    version,
    installed: installed?.version ?? null,
    changes: changesOf(definition, old),
    warnings,
  };
}

/** The definition in this text. Throws `OperatorError` with everything that is wrong in it. */
export function definitionIn({ secrets }: Storage, text: string): AppDefinition {
  const reading = readAppDefinition(text, FILE, { isKvAllowed: secrets.hasKey });
  if (reading.kind === "definition") return reading.definition;
  throw new OperatorError(
    reading.problems.map(({ pointer, message }) => `${pointer === "" ? FILE : pointer} ${message}`).join("; "),
    "correct the definition; nothing was installed",
  );
}

function complaintsOf(reading: DefinitionReading & { kind: "invalid" }, text: string): DefinitionComplaint[] {
  return reading.problems.map(({ pointer, message }) => ({
    pointer,
    message,
    line: pointer === "" ? lineInMessage(message, text) : lineOfPointer(text, pointer),
  }));
}

/** V8 says where JSON ends to be JSON: "… at position 17 (line 2 column 3)". */
function lineInMessage(message: string, text: string): number {
  const [, line] = /\(line (\d+) column \d+\)/.exec(message) ?? [];
  if (line !== undefined) return Number(line);
  return /end of JSON input/.test(message) ? text.split("\n").length : 1;
}

function changesOf(definition: AppDefinition, old: readonly Hook[]): HookChange[] {
  const names = new Set<string>(definition.hooks.map(({ eventName }) => eventName));
  return [
    ...definition.hooks.map((hook) => {
      const before = old.find(({ eventName }) => eventName === hook.eventName);
      return changeOf(hook, before);
    }),
    ...old
      .filter(({ eventName }) => !names.has(eventName))
      .map(({ eventName, displayEventName, type }) => ({
        eventName,
        displayEventName,
        type,
        change: "removed" as const,
        details: ["Its address or URL stops working at once; stored events stay."],
      })),
  ];
}

function changeOf(hook: HookDefinition, before: Hook | undefined): HookChange {
  const { eventName, displayEventName, type } = hook;
  const row = { eventName, displayEventName, type };
  if (before === undefined) return { ...row, change: "added", details: [] };
  const details = [
    before.type !== type && `Changes from ${before.type} to ${type} and gets a new address.`,
    before.displayEventName !== displayEventName && `Was called “${before.displayEventName}”.`,
    before.description !== hook.description && "Has another description.",
    ...optionChanges(before, hook),
  ].filter((detail) => detail !== false);
  return { ...row, change: details.length === 0 ? "same" : "changed", details };
}

function optionChanges(before: Hook, after: HookDefinition): string[] {
  const names = new Set([...Object.keys(before.options), ...Object.keys(after.options)]) as Set<keyof Hook["options"]>;
  return [...names]
    .filter((name) => JSON.stringify(before.options[name]) !== JSON.stringify(after.options[name]))
    .map((name) => `${name}: ${shown(before.options[name])} becomes ${shown(after.options[name])}.`);
}

const MOST_SHOWN = 120;
function shown(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}
