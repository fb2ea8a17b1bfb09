/** How an option names a secret. */
export const SECRET_REFERENCE = "^(?:kv|env:POSTHORN_SECRET_[A-Z0-9_]+_[A-Z0-9_]+)$";
const SECRET = {
  type: "string",
  pattern: SECRET_REFERENCE,
  description: '"kv", or "env:POSTHORN_SECRET_<APP>_…"',
};
const STRINGS = { type: "array", items: { type: "string", minLength: 1, maxLength: 300 }, minItems: 1, maxItems: 100 };

const HEADER_NAME = {
  type: "string",
  pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$",
  description: "the name of a header field",
};
const HANDSHAKES = ["slack", "meta", "microsoft-graph", "dropbox", "zoom", "x", "cloudevents"];

/** JSON Schemas of the options in `x-posthorn` (contract §2), in the order of the README's table. */
export const OPTION_SCHEMAS = {
  schema: { type: ["object", "boolean"], description: "a JSON Schema (2020-12)" },
  select: {
    type: "object",
    properties: {
      type: { type: "string", minLength: 1, maxLength: 300 },
      format: { const: "json" },
      filename: { type: "string", minLength: 1, maxLength: 300 },
    },
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
    description: 'one of { "type": "Order" }, { "format": "json" }, { "filename": "*.json" }',
  },
  jsonld: {
    anyOf: [
      { enum: ["as-sent", "compact", "expand", "flatten"] },
      { type: "object", properties: { frame: { type: "object" } }, required: ["frame"], additionalProperties: false },
    ],
    default: "as-sent",
    description: '"as-sent", "compact", "expand", "flatten" or { "frame": {…} }',
  },
  key: SECRET,
  empty: { enum: ["dead-letter", "publish", "reject"], default: "dead-letter" },
  senders: STRINGS,
  automatic: { enum: ["publish", "dead-letter"], default: "publish" },
  authenticate: {
    anyOf: [
      { enum: ["none", "dkim", "dmarc"] },
      {
        type: "object",
        properties: { require: { enum: ["none", "dkim", "dmarc"] }, onFail: { enum: ["dead-letter", "reject"] } },
        required: ["require"],
        additionalProperties: false,
      },
    ],
    default: "none",
    description: '"none", "dkim", "dmarc" or { "require": …, "onFail": "dead-letter" or "reject" }',
  },
  attachments: { enum: ["store", "drop"], default: "store" },
  // Without the type of its items, each would be compared with each.
  include: {
    type: "array",
    items: { type: "string", enum: ["text", "html", "headers"] },
    uniqueItems: true,
    default: ["text"],
  },
  redirect: {
    type: "string",
    minLength: 1,
    maxLength: 2000,
    description: "a relative path, or an absolute URL whose origin is in origins",
  },
  origins: {
    type: "array",
    items: { type: "string", pattern: "^https?://[^/\\s]+$" },
    maxItems: 100,
    description: 'origins such as "https://shop.example"',
  },
  honeypot: { type: "string", minLength: 1, maxLength: 100, default: "_gotcha" },
  captcha: {
    type: "object",
    properties: {
      provider: { enum: ["turnstile", "hcaptcha", "recaptcha"] },
      secret: SECRET,
      minScore: { type: "number", minimum: 0, maximum: 1 },
    },
    required: ["provider", "secret"],
    additionalProperties: false,
  },
  signature: {
    type: "object",
    properties: {
      scheme: {
        enum: [
          "standard-webhooks",
          "github",
          "stripe",
          "shopify",
          "slack",
          "twilio",
          "gitlab",
          "zoom",
          "kustomer",
          "hmac",
          "ed25519",
          "ecdsa",
        ],
      },
      secret: {
        anyOf: [SECRET, { type: "array", items: SECRET, minItems: 1, maxItems: 10 }],
        description: "one secret, or up to ten during a rotation",
      },
      algorithm: { enum: ["sha1", "sha256", "sha384", "sha512"] },
      header: HEADER_NAME,
      encoding: { enum: ["hex", "base64"] },
      prefix: { type: "string", maxLength: 100 },
      timestampHeader: HEADER_NAME,
      toleranceSeconds: { type: "integer", minimum: 1, maximum: 86_400 },
      signed: {
        type: "string",
        maxLength: 300,
        pattern: "\\{body\\}",
        description: 'a text with {body} in it, and {timestamp} where one is signed, such as "{timestamp}.{body}"',
      },
    },
    required: ["scheme", "secret"],
    additionalProperties: false,
  },
  handshake: {
    anyOf: [
      { enum: HANDSHAKES },
      {
        type: "object",
        properties: { kind: { enum: HANDSHAKES }, secret: SECRET },
        required: ["kind"],
        additionalProperties: false,
      },
    ],
    description: `one of ${HANDSHAKES.map((kind) => `"${kind}"`).join(", ")}, or { "kind": …, "secret": … }`,
  },
  deliveryId: {
    type: "object",
    properties: {
      header: HEADER_NAME,
      pointer: {
        type: "string",
        maxLength: 300,
        pattern: "^(?:/(?:[^~/]|~[01])*)+$",
        description: 'a JSON Pointer into the payload, such as "/event/id"',
      },
    },
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
    description: '{ "header": "X-…" } or { "pointer": "/id" }',
  },
  rateLimit: {
    type: "object",
    properties: {
      perMinute: { type: "integer", minimum: 1, maximum: 1_000_000 },
      perAddress: { type: "integer", minimum: 1, maximum: 1_000_000 },
    },
    required: ["perMinute"],
    additionalProperties: false,
  },
} as const;

export type OptionName = keyof typeof OPTION_SCHEMAS;

/** Which kinds of hook an option is for (contract §2, column "for"). */
export const OPTION_TYPES: Readonly<Record<OptionName, readonly ("web" | "form" | "email")[]>> = {
  schema: ["web", "form", "email"],
  select: ["email"],
  jsonld: ["email"],
  key: ["email"],
  empty: ["email"],
  senders: ["email"],
  automatic: ["email"],
  authenticate: ["email"],
  attachments: ["email", "form"],
  include: ["email"],
  redirect: ["form"],
  origins: ["form"],
  honeypot: ["form"],
  captcha: ["form"],
  signature: ["web"],
  handshake: ["web"],
  deliveryId: ["web"],
  rateLimit: ["web", "form", "email"],
};

const MAX_HOOKS = 10_000;

/** The JSON Schema of an app definition, as it is shipped for editors in `fixtures/apps/app-definition.schema.json`. */
export const APP_DEFINITION_SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Posthorn app definition",
  description: "An app of the Kustomer Apps Platform with its inbound hooks; unknown properties are ignored.",
  type: "object",
  required: ["app", "hooks"],
  properties: {
    app: {
      type: "string",
      pattern: "^[A-Za-z0-9_-]{1,64}$",
      not: { enum: ["posthorn", "adhoc"] },
      description: "one token of letters, digits, _ and -, at most 64, not posthorn or adhoc",
    },
    version: { type: "string", maxLength: 100, default: "" },
    title: { type: "string", maxLength: 300, default: "" },
    hooks: {
      type: "array",
      maxItems: MAX_HOOKS,
      items: {
        type: "object",
        required: ["eventName", "type"],
        properties: {
          eventName: {
            type: "string",
            maxLength: 200,
            pattern: "^(?!_|posthorn(?:\\.|$))[A-Za-z0-9_-]{1,64}(?:\\.[A-Za-z0-9_-]{1,64}){0,15}$",
            description:
              "1 to 16 tokens of letters, digits, _ and - joined by dots, at most 200 characters, the first not posthorn and not beginning with _",
          },
          displayEventName: { type: "string", maxLength: 300 },
          description: { type: "string", maxLength: 4000 },
          type: { enum: ["web", "form", "email"] },
          "x-posthorn": { type: "object", properties: OPTION_SCHEMAS, additionalProperties: false },
        },
      },
    },
  },
} as const;
