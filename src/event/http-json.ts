import type { CutHookIds } from "../model/cut-hook-ids.ts";
import type { JsonText } from "../model/mail.ts";
import type { RequestHeaders } from "../model/request.ts";
import { isCredentialName, withoutCredentials } from "./credentials.ts";
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
  /** The attributes of a CloudEvent that came in. */
  readonly cloudevent?: readonly CloudEventAttribute[];
}

/** An attribute of a CloudEvent: a text, or a number or boolean as it was sent (CloudEvents 1.0.2 §2.1). */
export type CloudEventAttribute = { readonly name: string } & ({ readonly text: string } | { readonly json: JsonText });

/** `data.http` of an event (contract §5): no credentials, and hook ids cut. */
export function httpJson(context: HttpContext): JsonText {
  const { cut } = context;
  return objectOf([
    ["method", toJson(context.method)],
    ["query", context.query === "" ? EMPTY : queryJson(context.query, cut)],
    ["headers", headersJson(context.headers, cut)],
    ["remoteAddress", toCutJson(context.remoteAddress, cut)],
    ["mediaType", context.mediaType === "" ? toJson(null) : toCutJson(context.mediaType, cut)],
    ["cloudevent", context.cloudevent && attributesJson(context.cloudevent, cut)],
  ]);
}

const EMPTY = "{}" as JsonText;

function headersJson(headers: RequestHeaders, cut: CutHookIds): JsonText {
  let members = "";
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || isCredentialName(name)) continue;
    const shown =
      typeof value === "string" ? withoutCredentials(value) : value.flatMap((one) => withoutCredentials(one) ?? []);
    if (shown === undefined) continue;
    members += `${members === "" ? "" : ","}${toJson(cut(name))}:${toCutJson(shown, cut)}`;
  }
  return `{${members}}` as JsonText;
}

function attributesJson(attributes: readonly CloudEventAttribute[], cut: CutHookIds): JsonText {
  const members = attributes.flatMap((attribute) => {
    const { name } = attribute;
    if (isCredentialName(name)) return [];
    const text = "text" in attribute ? withoutCredentials(attribute.text) : undefined;
    if ("text" in attribute && text === undefined) return [];
    return [`${toJson(cut(name))}:${"json" in attribute ? attribute.json : toCutJson(text, cut)}`];
  });
  return `{${members.join(",")}}` as JsonText;
}

/** A parameter named twice becomes an array of its values. */
function queryJson(query: string, cut: CutHookIds): JsonText {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    const text = isCredentialName(name) ? undefined : withoutCredentials(value);
    if (text === undefined || withoutCredentials(name) === undefined) continue;
    const shown = cut(name);
    const known = values.get(shown);
    if (known === undefined) values.set(shown, [cut(text)]);
    else known.push(cut(text));
  }
  const members = [...values].map(([name, all]) => `${toJson(name)}:${toJson(all.length === 1 ? all[0] : all)}`);
  return `{${members.join(",")}}` as JsonText;
}
