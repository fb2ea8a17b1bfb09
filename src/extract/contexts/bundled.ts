import activityStreams from "activitystreams-context" with { type: "json" };

import { credentialsV1Context, credentialsV2Context } from "./credentials.ts";
import { didV1Context, securityV1Context } from "./keys.ts";
import { schemaOrgContext } from "./schema-org.ts";
import type { ContextDocument } from "./terms.ts";
import { webAnnotationContext } from "./web-annotation.ts";

const SCHEMA_ORG =
  /^(?:https?:)?(?:\/\/)?(?:www\.|health-lifesci\.|pending\.|auto\.|bib\.|meta\.)?schema\.org(?:\/(?:docs\/jsonldcontext\.json(?:ld)?|version\/latest\/schemaorg(?:-current-https?|context)\.jsonld)?)?\/?#?$/i;

/** Where each context is made, by its address without scheme, `www.` or what stands behind the last `#` or `/`. */
const MAKERS: Readonly<Record<string, () => ContextDocument>> = {
  "schema.org": schemaOrgContext,
  // The package `activitystreams-context` 3.1 (MIT), W3C "Activity Streams 2.0" (Recommendation, 2017-05-23).
  "w3.org/ns/activitystreams": () => activityStreams,
  "w3.org/ns/activitystreams.jsonld": () => activityStreams,
  "w3.org/ns/anno": webAnnotationContext,
  "w3.org/ns/anno.jsonld": webAnnotationContext,
  "w3.org/2018/credentials/v1": credentialsV1Context,
  "w3.org/ns/credentials/v2": credentialsV2Context,
  "w3.org/ns/did/v1": didV1Context,
  "w3id.org/did/v1": didV1Context,
  "w3id.org/security/v1": securityV1Context,
};
const made = new Map<string, ContextDocument>();

/**
 * The context that is bundled for `url`, in any of the spellings seen for it; `undefined` for every other: nothing is
 * ever fetched. One document per context, made on first use and shared, so that what is derived from it can be kept.
 *
 * Every context names its source and date in the file that makes it.
 */
export function bundledContext(url: string): ContextDocument | undefined {
  const key = keyOf(url.trim());
  const known = made.get(key);
  if (known !== undefined) return known;
  const make = Object.hasOwn(MAKERS, key) ? MAKERS[key] : undefined;
  if (make === undefined) return undefined;
  const document = make();
  made.set(key, document);
  return document;
}

/** Whether `url` is a way to write the context of schema.org: senders write http, www, a slash, a file name, no scheme. */
export function isSchemaOrgContext(url: string): boolean {
  return SCHEMA_ORG.test(url.trim());
}

function keyOf(url: string): string {
  return isSchemaOrgContext(url) ? "schema.org" : url.replace(/^https?:\/\/(?:www\.)?/i, "").replace(/[#/]$/, "");
}
