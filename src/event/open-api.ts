import type { Hook } from "../model/hook.ts";

/** Which media types a body may have (contract §3), beside JSON. */
const OTHER_BODIES = [
  "application/x-ndjson",
  "application/x-www-form-urlencoded",
  "multipart/form-data",
  "application/xml",
  "text/plain",
  "application/cloudevents+json",
  "application/cloudevents-batch+json",
] as const;
const FORM_BODIES = OTHER_BODIES.filter((type) => !type.startsWith("application/cloudevents"));

const PROBLEM = {
  description: "What is wrong (RFC 9457)",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
} as const;
const RETRY = {
  ...PROBLEM,
  description: "Not stored: send it again after Retry-After",
  headers: { "Retry-After": { description: "Seconds", schema: { type: "integer" } } },
} as const;

/**
 * The form and web hooks that are installed, as an OpenAPI document for those who call them.
 *
 * Source: OpenAPI Specification 3.1.1.
 */
export function hooksOpenApi(hooks: readonly Hook[], publicUrl: string): Readonly<Record<string, unknown>> {
  const called = hooks.filter(({ type }) => type !== "email");
  return {
    openapi: "3.1.1",
    info: {
      title: "Posthorn hooks",
      version: "1",
      description: "The form and web hooks of this installation. An answer of 202 means stored.",
    },
    servers: [{ url: publicUrl }],
    tags: [...new Set(called.map(({ app }) => app))].map((name) => ({ name })),
    paths: Object.fromEntries(called.map((hook) => [`/v1/hooks/${hook.type}/${hook.hookId}`, pathOf(hook)])),
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        header: { type: "apiKey", in: "header", name: "X-API-Key" },
        basic: { type: "http", scheme: "basic", description: "The key is the password" },
      },
      schemas: { Problem: PROBLEM_SCHEMA, Stored: STORED_SCHEMA },
    },
  };
}

function pathOf(hook: Hook): Readonly<Record<string, unknown>> {
  const operation = (suffix: string) => ({ operationId: `${hook.eventName}${suffix}`, ...operationOf(hook) });
  return hook.type === "web" ? { post: operation(""), put: operation(".put") } : { post: operation("") };
}

function operationOf(hook: Hook): Readonly<Record<string, unknown>> {
  const { options, type } = hook;
  const schema = options.schema ?? true;
  // Fields of a form are strings whatever the schema says; it is held against what they become.
  const others = Object.fromEntries((type === "form" ? FORM_BODIES : OTHER_BODIES).map((media) => [media, {}]));
  return {
    summary: hook.displayEventName,
    ...(hook.description !== "" && { description: hook.description }),
    tags: [hook.app],
    ...(type === "web" && { security: securityOf(hook), parameters: [IDEMPOTENCY_KEY] }),
    requestBody: { required: true, content: { "application/json": { schema }, ...others } },
    responses: {
      "202": {
        description: "Stored",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Stored" } } },
      },
      ...(type === "form" && { "303": { description: "Stored; where a browser goes" } }),
      "429": RETRY,
      "503": RETRY,
      "507": RETRY,
      default: PROBLEM,
    },
  };
}

/** A signature cannot be said in OpenAPI 3.1; that there is one can. */
function securityOf({ options }: Hook): readonly unknown[] {
  return options.signature === undefined ? [{ bearer: [] }, { header: [] }, { basic: [] }] : [];
}

const IDEMPOTENCY_KEY = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "The same for each try: a repeat is answered like the first one and stored once",
  schema: { type: "string" },
} as const;

const STORED_SCHEMA = {
  type: "object",
  required: ["id", "eventName", "duplicate"],
  properties: { id: { type: "string" }, eventName: { type: "string" }, duplicate: { type: "boolean" } },
} as const;

const PROBLEM_SCHEMA = {
  type: "object",
  required: ["type", "title", "status"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    instance: { type: "string" },
    errors: {
      type: "array",
      items: { type: "object", properties: { pointer: { type: "string" }, detail: { type: "string" } } },
    },
  },
} as const;
