import type { HookId } from "../model/hook-id.ts";
import type { JsonText } from "../model/mail.ts";
import type { RequestHeaders } from "../model/request.ts";
import { objectOf, toJson } from "./json.ts";

/** What stands beside the body of a request when `data.http` is written. */
export interface HttpContext {
  readonly hookId: HookId;
  readonly method: string;
  readonly query: string;
  readonly headers: RequestHeaders;
  readonly remoteAddress: string;
  /** Lower case, without parameters; "" when the sender named none. */
  readonly mediaType: string;
  /** The attributes of a CloudEvent that came in, as JSON text. */
  readonly cloudevent?: JsonText;
}

// Contract §5: credentials never reach an event. `hmac` and `passw` are what some vendors call a signature or a secret.
const CREDENTIAL = /auth|cookie|token|secret|key|signature|session|hmac|passw/i;
const VISIBLE_CHARACTERS = 4;

/** `data.http` of an event (contract §5): no credentials, and the hook's id cut to its first four characters. */
export function httpJson(context: HttpContext): JsonText {
  const { hookId } = context;
  const cut = (value: string): string =>
    value.length >= hookId.length && value.toLowerCase().includes(hookId)
      ? value.replace(new RegExp(hookId, "gi"), `${hookId.slice(0, VISIBLE_CHARACTERS)}…`)
      : value;
  let headers = "";
  for (const name in context.headers) {
    const value = context.headers[name];
    if (value === undefined || CREDENTIAL.test(name)) continue;
    const shown = typeof value === "string" ? toJson(cut(value)) : toJson(value.map(cut));
    headers += `${headers === "" ? "" : ","}${toJson(name)}:${shown}`;
  }
  return objectOf([
    ["method", toJson(context.method)],
    ["query", context.query === "" ? EMPTY : queryJson(context.query, cut)],
    ["headers", `{${headers}}` as JsonText],
    ["remoteAddress", toJson(context.remoteAddress)],
    ["mediaType", context.mediaType === "" ? toJson(null) : toJson(context.mediaType)],
    ["cloudevent", context.cloudevent],
  ]);
}

const EMPTY = "{}" as JsonText;

/** A parameter named twice becomes an array of its values. */
function queryJson(query: string, cut: (value: string) => string): JsonText {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (CREDENTIAL.test(name)) continue;
    const known = values.get(name);
    if (known === undefined) values.set(name, [cut(value)]);
    else known.push(cut(value));
  }
  const members = [...values].map(([name, all]) => `${toJson(name)}:${toJson(all.length === 1 ? all[0] : all)}`);
  return `{${members.join(",")}}` as JsonText;
}
