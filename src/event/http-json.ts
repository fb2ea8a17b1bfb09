import type { CutHookIds } from "../model/cut-hook-ids.ts";
import type { JsonText } from "../model/mail.ts";
import type { RequestHeaders } from "../model/request.ts";
import { objectOf, toCutJson, toJson } from "./json.ts";

/** What stands beside the body of a request when `data.http` is written. */
export interface HttpContext {
  /** Of the id of the hook that was called. */
  readonly cut: CutHookIds;
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

/** `data.http` of an event (contract §5): no credentials, and hook ids cut. */
export function httpJson(context: HttpContext): JsonText {
  const { cut } = context;
  let headers = "";
  for (const name in context.headers) {
    const value = context.headers[name];
    if (value === undefined || CREDENTIAL.test(name)) continue;
    headers += `${headers === "" ? "" : ","}${toJson(cut(name))}:${toCutJson(value, cut)}`;
  }
  return objectOf([
    ["method", toJson(context.method)],
    ["query", context.query === "" ? EMPTY : queryJson(context.query, cut)],
    ["headers", `{${headers}}` as JsonText],
    ["remoteAddress", toCutJson(context.remoteAddress, cut)],
    ["mediaType", context.mediaType === "" ? toJson(null) : toCutJson(context.mediaType, cut)],
    ["cloudevent", context.cloudevent],
  ]);
}

const EMPTY = "{}" as JsonText;

/** A parameter named twice becomes an array of its values. */
function queryJson(query: string, cut: CutHookIds): JsonText {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (CREDENTIAL.test(name)) continue;
    const shown = cut(name);
    const known = values.get(shown);
    if (known === undefined) values.set(shown, [cut(value)]);
    else known.push(cut(value));
  }
  const members = [...values].map(([name, all]) => `${toJson(name)}:${toJson(all.length === 1 ? all[0] : all)}`);
  return `{${members.join(",")}}` as JsonText;
}
