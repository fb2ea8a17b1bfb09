import type { JsonNode } from "../extract/json-node.ts";
import { parseNode, textOf, writeNode } from "../extract/json-node.ts";
import type { HookOptions } from "../model/hook-options.ts";
import type { JsonText } from "../model/mail.ts";
import type { FormField } from "../parse/body-fields.ts";
import { treeOfFields } from "../parse/body-tree.ts";
import { BODY_LIMITS } from "./request-payload.ts";

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
 * Takes the control fields (`_id`, `_next`, honeypot, captcha) out of a form, from fields or from a JSON object; the rest
 * is the payload (contract §5). `options` undefined is a web hook, where no field controls anything.
 */
export function formOf(
  body: readonly FormField[] | JsonText,
  options: Pick<HookOptions, "honeypot" | "captcha"> | undefined,
): Form {
  const names = options === undefined ? NO_CONTROLS : controlsOf(options);
  const { payload, controls } = typeof body === "string" ? fromJson(body, names) : fromFields(body, names);
  const id = controls.get("_id");
  const next = controls.get("_next");
  const captcha = CAPTCHA_FIELDS.map((name) => controls.get(name)).find((answer) => answer !== undefined);
  return {
    payload,
    isTrapped: options !== undefined && (controls.get(options.honeypot) ?? "") !== "",
    ...(id !== undefined && id !== "" && { id }),
    ...(next !== undefined && next !== "" && { next }),
    ...(captcha !== undefined && { captcha }),
  };
}

function controlsOf(options: Pick<HookOptions, "honeypot" | "captcha">): ReadonlySet<string> {
  return new Set(["_id", "_next", options.honeypot, ...(options.captcha === undefined ? [] : CAPTCHA_FIELDS)]);
}

interface Split {
  readonly payload: JsonText;
  readonly controls: ReadonlyMap<string, string>;
}

function fromFields(fields: readonly FormField[], names: ReadonlySet<string>): Split {
  const controls = new Map<string, string>();
  const data: FormField[] = [];
  for (const field of fields) {
    if (names.has(field[0])) controls.set(...field);
    else data.push(field);
  }
  return { payload: treeOfFields(data, { depth: BODY_LIMITS.fieldDepth }), controls };
}

/** Members of a JSON object; the text is only taken apart when one of the names stands in it. */
function fromJson(text: JsonText, names: ReadonlySet<string>): Split {
  const none: Split = { payload: text, controls: new Map() };
  if (!text.startsWith("{") || (!/"(?:_|\\u)/.test(text) && ![...names].some((name) => text.includes(`"${name}"`))))
    return none;
  const node = parseNode(text);
  if (node.kind !== "object" || !node.members.some(({ name }) => names.has(name))) return none;
  const controls = new Map<string, string>();
  const members = node.members.filter(({ name, value }) => {
    if (!names.has(name)) return true;
    controls.set(name, asText(value));
    return false;
  });
  return { payload: writeNode({ kind: "object", members }), controls };
}

/** A control's value as a form would have sent it; `false` and `null` are as empty as "". */
function asText(value: JsonNode): string {
  if (value.kind === "string") return textOf(value.raw);
  if (value.kind === "number") return value.raw;
  return value.kind === "literal" && value.raw !== "true" ? "" : "true";
}
