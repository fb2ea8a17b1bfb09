import { Command } from "commander";

import { EVENT_SCHEMA } from "../event/event-schema.ts";
import { typeTextOf } from "../event/schema-types.ts";
import type { Hook } from "../model/hook.ts";
import { wantsJson, withStorage } from "./context.ts";
import { print, printJson } from "./print.ts";

/** `posthorn types`: TypeScript types of the installed hooks' events, made of the schemas that `posthorn schema` prints. */
export function typesCommand(): Command {
  return new Command("types")
    .description("TypeScript types for subscribers, of every installed hook")
    .addHelpText("after", "\nExample:\n  posthorn types > posthorn-events.d.ts")
    .action(async (_options, command: Command) => {
      const typescript = typesOf(await withStorage(async ({ snapshot }) => snapshot.hooks()));
      if (wantsJson(command)) printJson({ typescript });
      else print(typescript);
    });
}

/** One named type for each definition of the event's schema, and a map from event name to the type of its payload. */
export function typesOf(hooks: readonly Hook[]): string {
  const definitions = Object.entries(EVENT_SCHEMA.$defs)
    .filter(([name]) => name !== "data")
    .map(([name, schema]) => `export type ${nameOf(name)} = ${typeTextOf(schema, nameOf)};`);
  const { data } = EVENT_SCHEMA.$defs;
  const { payload: _payload, ...otherData } = data.properties;
  const envelope = { ...EVENT_SCHEMA, properties: { ...EVENT_SCHEMA.properties, data: undefined } };
  const { data: _data, ...attributes } = envelope.properties;
  const dataType = typeTextOf({ ...data, required: [], properties: otherData }, nameOf);
  const payloads = hooks.map(({ eventName, displayEventName, options }) => {
    const name = displayEventName.replaceAll("*/", "* /").replaceAll(/\s+/g, " ");
    return `  /** ${name} */\n  readonly ${JSON.stringify(eventName)}: ${typeTextOf(options.schema, () => "unknown")};`;
  });
  return [
    "// Made by `posthorn types`; run it again when hooks change.",
    ...definitions,
    `/** The payload of each installed hook, by event name. */`,
    `export interface PosthornPayloads {\n${payloads.join("\n")}\n}`,
    `/** An event; \`data\` is missing where \`dataref\` names the object that holds it. */`,
    `export type PosthornEvent<Payload = unknown> = ${typeTextOf({ ...envelope, properties: attributes }, nameOf)}`,
    `  & { readonly data?: { readonly payload: Payload } & ${dataType} };`,
  ].join("\n");
}

/** `itemSource` is `PosthornItemSource`. */
function nameOf(definition: string): string {
  return `Posthorn${definition.charAt(0).toUpperCase()}${definition.slice(1)}`;
}
