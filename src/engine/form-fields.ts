import type { JsonNode, JsonObject } from "../extract/json-node.ts";
import { parseNode, textOf, writeNode } from "../extract/json-node.ts";
import type { HookOptions } from "../model/hook-options.ts";
import type { JsonText } from "../model/mail.ts";
import type { FormField } from "../parse/body-fields.ts";
import { treeOfFields } from "../parse/body-tree.ts";
import { BODY_LIMITS } from "./budgets.ts";

/** A form's payload, and what its control fields said. */
export interface Form {
  readonly payload: JsonText;
  /** `_id`: the same for each try of one submit. */
  readonly id?: string;
  readonly next?: string;
  /** A field that people leave empty was filled in. */
  readonly isTrapped: boolean;
  /** What the captcha's script wrote into the form. */
  readonly captcha?: string;
}

/** The fields in which captcha scripts leave their answer. */
const CAPTCHA_FIELDS = ["cf-turnstile-response", "h-captcha-response", "g-recaptcha-response"] as const;
const NO_CONTROLS: ReadonlySet<string> = new Set();

/**
 * Takes the control fields (`_id`, `_next`, honeypot, captcha) out of a form: out of fields, of a JSON object, of each object
 * in an array (NDJSON), or of the root element's children. The rest is the payload (contract §5). `options` undefined is a
 * web hook, where no field controls anything.
 */
export function formOf(
  body: readonly FormField[] | JsonText,
  options: Pick<HookOptions, "honeypot" | "captcha"> | undefined,
  isXml = false,
): Form {
  const names = options === undefined ? NO_CONTROLS : controlsOf(options);
  const controls = new Controls(names, options?.honeypot);
  const payload = typeof body === "string" ? fromJson(body, controls, isXml) : fromFields(body, controls);
  const id = controls.get("_id");
  const next = controls.get("_next");
  const captcha = CAPTCHA_FIELDS.map((name) => controls.get(name)).find((answer) => answer !== undefined);
  return {
    payload,
    isTrapped: controls.isTrapped,
    ...(id !== undefined && id !== "" && { id }),
    ...(next !== undefined && next !== "" && { next }),
    ...(captcha !== undefined && { captcha }),
  };
}

function controlsOf(options: Pick<HookOptions, "honeypot" | "captcha">): ReadonlySet<string> {
  return new Set(["_id", "_next", options.honeypot, ...(options.captcha === undefined ? [] : CAPTCHA_FIELDS)]);
}

/** What the control fields say; of one name the last one counts, but whoever filled in the honeypot once is trapped. */
class Controls {
  readonly names: ReadonlySet<string>;
  readonly #honeypot: string | undefined;
  readonly #values = new Map<string, string>();
  isTrapped = false;

  constructor(names: ReadonlySet<string>, honeypot: string | undefined) {
    this.names = names;
    this.#honeypot = honeypot;
  }

  /** Whether this is a control field; then it is none of the payload. */
  take(name: string, value: string): boolean {
    if (!this.names.has(name)) return false;
    this.#values.set(name, value);
    if (name === this.#honeypot && value !== "") this.isTrapped = true;
    return true;
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }
}

function fromFields(fields: readonly FormField[], controls: Controls): JsonText {
  const data = fields.filter(([name, value]) => !controls.take(name, value));
  return treeOfFields(data, { depth: BODY_LIMITS.fieldDepth });
}

/** The text is only taken apart when one of the names stands in it. */
function fromJson(text: JsonText, controls: Controls, isXml: boolean): JsonText {
  const mayHold = /"(?:_|\\u)/.test(text) || [...controls.names].some((name) => text.includes(`"${name}"`));
  if (controls.names.size === 0 || !mayHold) return text;
  const node = parseNode(text);
  if (isXml && node.kind === "object") {
    // JSON that calls itself XML has its fields a level higher.
    const { members } = without(node, controls) as JsonObject;
    return writeNode({
      kind: "object",
      members: members.map((one) => ({ ...one, value: without(one.value, controls) })),
    });
  }
  if (node.kind === "array")
    return writeNode({ kind: "array", items: node.items.map((item) => without(item, controls)) });
  return writeNode(without(node, controls));
}

/** An object without the members that are control fields; anything else as it is. */
function without(node: JsonNode, controls: Controls): JsonNode {
  if (node.kind !== "object") return node;
  return { kind: "object", members: node.members.filter(({ name, value }) => !controls.take(name, asText(value))) };
}

/** A control's value as a form would have sent it; `false` and `null` are as empty as "". */
function asText(value: JsonNode): string {
  if (value.kind === "string") return textOf(value.raw);
  if (value.kind === "number") return value.raw;
  return value.kind === "literal" && value.raw !== "true" ? "" : "true";
}
