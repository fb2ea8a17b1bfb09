/**
 * What a hook's `x-posthorn` object may hold (contract §2), after its defaults were filled in: every hook in the
 * registry carries a whole `HookOptions`. The schema that checks and fills it stands in `registry/`.
 */
export interface HookOptions {
  /** JSON Schema (2020-12) that the payload must meet. */
  readonly schema?: JsonSchema;
  readonly select?: Selection;
  readonly jsonld: JsonLdForm;
  /** Where the shared secret that a mail must carry is kept. */
  readonly key?: SecretReference;
  readonly empty: "dead-letter" | "publish" | "reject";
  /** Globs on the From address; undefined means anybody. */
  readonly senders?: readonly string[];
  readonly automatic: "publish" | "dead-letter";
  readonly authenticate: { readonly require: "none" | "dkim" | "dmarc"; readonly onFail: "dead-letter" | "reject" };
  readonly attachments: "store" | "drop";
  readonly include: readonly ("text" | "html" | "headers")[];
  readonly redirect?: string;
  readonly origins?: readonly string[];
  readonly honeypot: string;
  readonly captcha?: {
    readonly provider: "turnstile" | "hcaptcha" | "recaptcha";
    readonly secret: SecretReference;
    /** Of reCAPTCHA v3. */
    readonly minScore?: number;
  };
  readonly signature?: SignatureOption;
  readonly handshake?: Handshake;
  /** Where a sender writes what is the same for every try of one delivery; instead of the places that are known. */
  readonly deliveryId?: DeliveryIdPlace;
  /** A sliding minute over all senders, and over each address that sends by HTTP. */
  readonly rateLimit?: { readonly perMinute: number; readonly perAddress?: number };
}

/** A JSON Schema document; only an object or a boolean is one. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/** Which item becomes `data.payload`; exactly one of the three. */
export type Selection = { readonly type: string } | { readonly format: "json" } | { readonly filename: string };

export type JsonLdForm =
  | "as-sent"
  | "compact"
  | "expand"
  | "flatten"
  | { readonly frame: { readonly [key: string]: unknown } };

/** `env:NAME`, or `kv` for the bucket of signing secrets. */
export type SecretReference = `env:${string}` | "kv";

export type SignatureScheme =
  | "standard-webhooks"
  | "github"
  | "stripe"
  | "shopify"
  | "slack"
  | "twilio"
  | "gitlab"
  | "zoom"
  | "kustomer"
  | "hmac"
  | "ed25519"
  | "ecdsa";

export interface SignatureOption {
  readonly scheme: SignatureScheme;
  /** Several during a rotation: any of them may match. */
  readonly secret: SecretReference | readonly SecretReference[];
  /** What the generic schemes need: `algorithm`, `header`, `encoding`, `prefix`, `toleranceSeconds`, `timestampHeader` … */
  readonly [parameter: string]: unknown;
}

/** A header field, or a JSON Pointer (RFC 6901) into the payload. */
export type DeliveryIdPlace = { readonly header: string } | { readonly pointer: string };

export type HandshakeKind = "slack" | "meta" | "microsoft-graph" | "dropbox" | "zoom" | "x" | "cloudevents";
type Handshake = HandshakeKind | { readonly kind: HandshakeKind; readonly secret?: SecretReference };
