/** What `data.mail` always has; `text`, `html` and `headers` come by the hook's `include`. */
const MAIL_MEMBERS =
  "from to cc replyTo subject date messageId inReplyTo references autoSubmitted tag envelope authentication attachments size object".split(
    " ",
  );

/**
 * The JSON Schema (2020-12) of an event (contract §5), for subscribers: `posthorn schema event` prints it.
 *
 * What later versions may add is allowed everywhere but in the CloudEvents attributes.
 */
export const EVENT_SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Posthorn event",
  description: "A CloudEvents 1.0 event in structured JSON, published on the NATS subject that `type` names.",
  type: "object",
  required: ["specversion", "id", "source", "type", "time", "datacontenttype", "app", "hooktype", "traceparent"],
  // Either the data itself, or where the Object Store keeps it (CloudEvents claim check).
  oneOf: [{ required: ["data"] }, { required: ["dataref"] }],
  properties: {
    specversion: { const: "1.0" },
    id: { type: "string", pattern: "^[0-9a-hjkmnp-tv-z]{26}$", description: "Also the Nats-Msg-Id" },
    source: { type: "string", pattern: "^/apps/[^/]+/hooks/[^/]+$" },
    type: { $ref: "#/$defs/eventName" },
    subject: { type: "string", minLength: 1, description: "Subject of the mail" },
    time: { type: "string", format: "date-time", description: "When it was received" },
    datacontenttype: { const: "application/json" },
    dataschema: { type: "string", pattern: "^urn:posthorn:schema:[0-9a-f]{64}$" },
    app: { type: "string" },
    appversion: { type: "string", minLength: 1 },
    hooktype: { enum: ["email", "form", "web"] },
    traceparent: { type: "string", pattern: "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$" },
    dataref: { type: "string", pattern: "^nats-object://[^/]+/.+$" },
    data: { $ref: "#/$defs/data" },
  },
  additionalProperties: false,
  $defs: {
    eventName: { type: "string", maxLength: 200, pattern: "^[A-Za-z0-9_-]{1,64}(?:\\.[A-Za-z0-9_-]{1,64}){0,15}$" },
    data: {
      type: "object",
      required: ["payload"],
      properties: {
        payload: { description: "What the hook was sent, digits of numbers untouched" },
        items: { type: "array", items: { $ref: "#/$defs/item" } },
        skipped: { type: "array", items: { $ref: "#/$defs/skipped" } },
        mail: { $ref: "#/$defs/mail" },
        http: { $ref: "#/$defs/http" },
        files: { type: "array", items: { $ref: "#/$defs/file" } },
      },
    },
    item: {
      type: "object",
      required: ["format", "source", "types", "repaired", "value"],
      properties: {
        format: { enum: ["json", "json-ld", "microdata"] },
        source: { $ref: "#/$defs/itemSource" },
        types: { type: "array", items: { type: "string" } },
        repaired: { type: "array", items: { type: "string" } },
        context: { const: "unknown" },
        duplicateKeys: { type: "array", items: { type: "string" } },
        value: {},
      },
    },
    itemSource: {
      type: "object",
      required: ["part", "mediaType", "element", "filename", "forwarded"],
      properties: {
        part: { type: "string" },
        mediaType: { type: "string" },
        element: { enum: ["script", "microdata", "pre", "code", "text", null] },
        filename: { type: ["string", "null"] },
        forwarded: { type: "boolean" },
        quoted: { type: "boolean" },
      },
    },
    skipped: {
      type: "object",
      required: ["source", "reason"],
      properties: {
        source: { $ref: "#/$defs/itemSource" },
        reason: { type: "string" },
        line: { type: "integer", minimum: 1 },
        column: { type: "integer", minimum: 1 },
      },
    },
    address: {
      type: "object",
      required: ["name", "address"],
      properties: { name: { type: "string" }, address: { type: "string" } },
    },
    addresses: { type: "array", items: { $ref: "#/$defs/address" } },
    text: { type: ["string", "null"] },
    mail: {
      type: "object",
      required: MAIL_MEMBERS,
      properties: {
        from: { anyOf: [{ $ref: "#/$defs/address" }, { type: "null" }] },
        to: { $ref: "#/$defs/addresses" },
        cc: { $ref: "#/$defs/addresses" },
        replyTo: { $ref: "#/$defs/addresses" },
        subject: { $ref: "#/$defs/text" },
        date: { $ref: "#/$defs/text" },
        messageId: { $ref: "#/$defs/text" },
        inReplyTo: { $ref: "#/$defs/text" },
        references: { type: "array", items: { type: "string" } },
        autoSubmitted: { $ref: "#/$defs/text" },
        tag: { $ref: "#/$defs/text" },
        text: { $ref: "#/$defs/text" },
        textTruncated: { type: "boolean" },
        html: { $ref: "#/$defs/text" },
        headers: {
          type: "array",
          items: {
            type: "object",
            required: ["name", "value"],
            properties: { name: { type: "string" }, value: { type: "string" } },
          },
        },
        envelope: { $ref: "#/$defs/envelope" },
        authentication: { $ref: "#/$defs/authentication" },
        attachments: { type: "array", items: { $ref: "#/$defs/attachment" } },
        size: { type: "integer", minimum: 0 },
        object: { $ref: "#/$defs/text" },
      },
    },
    envelope: {
      type: "object",
      required: ["from", "to", "remoteAddress", "helo", "protocol", "tls"],
      properties: {
        from: { type: "string", description: 'MAIL FROM, "" for the null sender' },
        to: { type: "array", items: { type: "string" } },
        remoteAddress: { type: "string" },
        helo: { type: "string" },
        protocol: { enum: ["SMTP", "ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA", "LMTP", "LMTPS"] },
        tls: { $ref: "#/$defs/text" },
      },
    },
    authentication: {
      type: "object",
      required: ["spf", "dkim", "dmarc", "arc"],
      additionalProperties: {
        type: "object",
        required: ["result", "domain"],
        properties: { result: { type: "string" }, domain: { $ref: "#/$defs/text" } },
      },
    },
    attachment: {
      type: "object",
      required: ["part", "filename", "mediaType", "size", "sha256", "object", "content"],
      properties: {
        part: { type: "string" },
        filename: { $ref: "#/$defs/text" },
        mediaType: { type: "string" },
        size: { type: "integer", minimum: 0 },
        sha256: { $ref: "#/$defs/sha256" },
        object: { $ref: "#/$defs/text" },
        content: { type: ["string", "null"], contentEncoding: "base64", description: "Under 32 KiB; object is null" },
      },
    },
    http: {
      type: "object",
      required: ["method", "query", "headers", "remoteAddress", "mediaType"],
      properties: {
        method: { type: "string" },
        query: { type: "object" },
        headers: { type: "object", additionalProperties: { type: "string" } },
        remoteAddress: { type: "string" },
        mediaType: { $ref: "#/$defs/text" },
      },
    },
    file: {
      type: "object",
      required: ["field", "filename", "mediaType", "size", "sha256", "object"],
      properties: {
        field: { type: "string" },
        filename: { $ref: "#/$defs/text" },
        mediaType: { type: "string" },
        size: { type: "integer", minimum: 0 },
        sha256: { $ref: "#/$defs/sha256" },
        object: { $ref: "#/$defs/text" },
      },
    },
    sha256: { type: "string", pattern: "^[0-9a-f]{64}$" },
  },
} as const;

/** {@link EVENT_SCHEMA} narrowed to one hook: its name, its type, and the schema that its payload meets. */
export function eventSchemaOf(hook: {
  readonly eventName: string;
  readonly type: string;
  readonly schema?: unknown;
}): object {
  const { $defs, properties } = EVENT_SCHEMA;
  const payload = hook.schema === undefined ? {} : { payload: hook.schema };
  return {
    ...EVENT_SCHEMA,
    title: `Event ${hook.eventName}`,
    properties: { ...properties, type: { const: hook.eventName }, hooktype: { const: hook.type } },
    $defs: { ...$defs, data: { ...$defs.data, properties: { ...$defs.data.properties, ...payload } } },
  };
}
