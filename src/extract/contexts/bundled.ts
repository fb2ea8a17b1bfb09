import { schemaOrgContext } from "./schema-org.ts";

/** A JSON-LD context document. */
export type ContextDocument = object;

const SCHEMA_ORG = /^(?:https?:)?(?:\/\/)?(?:www\.)?schema\.org(?:\/(?:docs\/jsonldcontext\.json(?:ld)?)?)?\/?#?$/i;
const ACTIVITY_STREAMS = /^https?:\/\/www\.w3\.org\/ns\/activitystreams[#/]?$/;

/** Whether `url` is a way to write the context of schema.org: senders write http, www, a slash, a file name, no scheme. */
export function isSchemaOrgContext(url: string): boolean {
  return SCHEMA_ORG.test(url.trim());
}

/**
 * The context that is bundled for `url`; `undefined` for every other: nothing is ever fetched.
 *
 * schema.org is derived in `schema-org.ts`; ActivityStreams is the package `activitystreams-context` 3.1 (MIT).
 */
export async function bundledContext(url: string): Promise<ContextDocument | undefined> {
  if (isSchemaOrgContext(url)) return schemaOrgContext();
  if (ACTIVITY_STREAMS.test(url)) {
    const { default: context } = await import("activitystreams-context", { with: { type: "json" } });
    return context;
  }
  return undefined;
}
