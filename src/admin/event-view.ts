import type { JsonTree } from "./json-tree.ts";
import { memberOf, parseJsonTree, stringOf } from "./json-tree.ts";
import type { Entry } from "./services.ts";

/** One line of the list of events. */
export interface EventSummary {
  readonly sequence: number;
  readonly time: string;
  readonly eventId: string;
  readonly eventName: string;
  /** The hook's name for administrators; "" when it is no longer installed. */
  readonly hookName: string;
  readonly hooktype: string;
  /** From whom: the From address, or the caller's. */
  readonly from: string;
  /** What it is about: the mail's subject, or the request. */
  readonly about: string;
  /** The beginning of the payload, digits as sent. */
  readonly payload: string;
}

const SHOWN_CHARACTERS = 200;

/** What a list says of an event. Text of strangers, still to be escaped. */
export function summaryOf(entry: Entry, hookName: string): EventSummary {
  const event = parseJsonTree(entry.text);
  const data = memberOf(event, "data");
  const mail = memberOf(data, "mail");
  const http = memberOf(data, "http");
  const payload = memberOf(data, "payload");
  return {
    sequence: entry.sequence,
    time: textAt(event, "time") ?? entry.storedAt,
    eventId: textAt(event, "id") ?? "",
    eventName: entry.subject,
    hookName,
    hooktype: textAt(event, "hooktype") ?? "",
    from: textAt(memberOf(mail, "from"), "address") ?? textAt(http, "remoteAddress") ?? "",
    about: textAt(mail, "subject") ?? (http === undefined ? (textAt(event, "subject") ?? "") : requestOf(http)),
    payload: payload === undefined ? "stored apart: it is big" : beginning(payload),
  };
}

/** A string member, unquoted. */
export const textAt = (tree: JsonTree | undefined, name: string): string | undefined => stringOf(memberOf(tree, name));

const requestOf = (http: JsonTree): string =>
  [textAt(http, "method"), textAt(http, "mediaType")].filter((word) => word !== undefined).join(" ");

/** JSON in one line, cut. */
function beginning(tree: JsonTree): string {
  const text = compact(tree, SHOWN_CHARACTERS);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

/** Written without white space, as sent otherwise; stops soon after `enough` characters. */
function compact(tree: JsonTree, enough: number): string {
  if (tree.kind === "scalar") return tree.text;
  const [open, close] = tree.kind === "array" ? ["[", "]"] : ["{", "}"];
  let text = open;
  const parts = tree.kind === "array" ? tree.items : tree.members;
  for (const [index, part] of parts.entries()) {
    if (text.length > enough) break;
    if (index > 0) text += ", ";
    text +=
      "key" in part ? `${part.key}: ${compact(part.value, enough - text.length)}` : compact(part, enough - text.length);
  }
  return text + close;
}
