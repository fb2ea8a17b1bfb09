import { Command } from "commander";

import { EVENT_SCHEMA, eventSchemaOf } from "../event/event-schema.ts";
import { OperatorError } from "../model/operator-error.ts";
import { APP_DEFINITION_SCHEMA } from "../registry/app-definition-schema.ts";
import { withStorage } from "./context.ts";
import { printJson } from "./print.ts";

/** `posthorn schema`: the JSON Schemas of an event and of an app definition. Always JSON. */
export function schemaCommand(): Command {
  const schema = new Command("schema").description("JSON Schemas for subscribers and app authors");
  schema
    .command("event")
    .description("the JSON Schema of an event; with --hook, of that hook's events")
    .option("--hook <event>", "event name of a hook; its own schema then describes data.payload")
    .addHelpText(
      "after",
      "\nExamples:\n  posthorn schema event > event.schema.json\n  posthorn schema event --hook kustomer.app.shop.order",
    )
    .action(async ({ hook: eventName }: { hook?: string }) => {
      if (eventName === undefined) return printJson(EVENT_SCHEMA);
      const hook = await withStorage(async ({ snapshot }) => snapshot.hookByEventName(eventName));
      if (hook === undefined) throw new OperatorError(`no hook publishes ${eventName}`, "see `posthorn hooks list`");
      printJson(eventSchemaOf({ eventName, type: hook.type, schema: hook.options.schema }));
    });
  schema
    .command("app")
    .description("the JSON Schema of an app definition, for an editor")
    .addHelpText("after", "\nExample:\n  posthorn schema app > app-definition.schema.json")
    .action(() => printJson(APP_DEFINITION_SCHEMA));
  return schema;
}
