import type { HookChange, InstallPreview } from "../admin/services.ts";
import type { Hook } from "../model/hook.ts";
import { OperatorError } from "../model/operator-error.ts";
import type { AppDefinition, DefinitionReading, HookDefinition } from "../registry/app-definition.ts";
import { ownerInWords, readAppDefinition } from "../registry/app-definition.ts";
import type { Storage } from "./storage.ts";

const FILE = "the definition";

/** What installing this text would do, against what is installed now; or everything that is wrong in it. */
export function previewInstall(storage: Storage, text: string): InstallPreview {
  const reading = readDefinition(storage, text);
  if (reading.kind === "invalid") return { kind: "invalid", problems: reading.problems };
  const { definition, warnings } = reading;
  const { app, title, version } = definition;
  const old = storage.snapshot.hooks().filter((hook) => hook.app === app);
  return {
    kind: "ready",
    app,
    title,
    version,
    installed: storage.snapshot.app(app)?.version ?? null,
    changes: changesOf(definition, old),
    warnings,
  };
}

/** The definition in this text. Throws `OperatorError` with everything that is wrong in it. */
export function definitionIn(storage: Storage, text: string): AppDefinition {
  const reading = readDefinition(storage, text);
  if (reading.kind === "definition") return reading.definition;
  throw new OperatorError(
    reading.problems.map(({ pointer, message }) => `${pointer === "" ? FILE : pointer} ${message}`).join("; "),
    "correct the definition; nothing was installed",
    { problems: reading.problems },
  );
}

function readDefinition({ snapshot, secrets }: Storage, text: string): DefinitionReading {
  return readAppDefinition(text, FILE, {
    isKvAllowed: secrets.hasKey,
    takenBy: (eventName, app) => ownerInWords(snapshot.hookByEventName(eventName)?.app, app),
    installed: { apps: snapshot.apps().map(({ app }) => app), hooks: snapshot.hooks() },
  });
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
