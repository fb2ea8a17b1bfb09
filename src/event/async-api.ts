import type { Hook } from "../model/hook.ts";
import { EVENT_SCHEMA, eventSchemaOf } from "./event-schema.ts";

/**
 * An AsyncAPI 3 document of the installed hooks: one channel for each, whose address is the NATS subject.
 *
 * Source: AsyncAPI 3.0.0; "NATS Bindings" 0.1.0.
 */
export function asyncApiOf(
  hooks: readonly Hook[],
  about: { readonly version: string; readonly natsHosts: readonly string[] },
): object {
  const channels = hooks.map((hook) => [
    hook.eventName,
    {
      address: hook.eventName,
      title: hook.displayEventName,
      description: hook.description,
      messages: { event: messageOf(hook) },
      bindings: { nats: {} },
    },
  ]);
  const operations = hooks.map((hook) => [
    `send-${hook.eventName}`,
    {
      action: "send",
      channel: { $ref: `#/channels/${hook.eventName}` },
      summary: `Posthorn publishes what the ${hook.type} hook "${hook.displayEventName}" received`,
    },
  ]);
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Posthorn hooks",
      version: about.version,
      description: "Mail, forms and web hooks as CloudEvents on NATS JetStream.",
    },
    defaultContentType: "application/cloudevents+json",
    servers: Object.fromEntries(
      about.natsHosts.map((host, index) => [`nats${index === 0 ? "" : index + 1}`, { host, protocol: "nats" }]),
    ),
    channels: Object.fromEntries(channels) as object,
    operations: Object.fromEntries(operations) as object,
    components: { schemas: { event: EVENT_SCHEMA } },
  };
}

function messageOf(hook: Hook): object {
  const { eventName, type, options } = hook;
  return {
    name: hook.eventName,
    contentType: "application/cloudevents+json",
    payload: {
      schemaFormat: "application/schema+json;version=draft-2020-12",
      schema: eventSchemaOf({ eventName, type, schema: options.schema }),
    },
  };
}
