import type { MailPart } from "../model/mail-part.ts";
import { decodeText, readText } from "./charset.ts";
import { rejoin } from "./rejoin.ts";

/** What a file or text is that nobody labelled. */
export type LooseKind = "mail" | "html" | "json" | "ndjson" | "text";

const MEDIA_TYPES = {
  html: "text/html",
  json: "application/json",
  ndjson: "application/x-ndjson",
  text: "text/plain",
} as const satisfies Record<Exclude<LooseKind, "mail">, string>;

const LOOK_BYTES = 64 * 1024;
/** Header fields that mail has and other texts with "Word: " lines do not. */
const MAIL_FIELD =
  /^(?:received|return-path|delivered-to|x-original-to|from|to|cc|bcc|date|subject|message-id|mime-version|content-type|content-transfer-encoding|reply-to|sender|dkim-signature|arc-seal|authentication-results)[ \t]*:/im;
const FIELD_OR_FOLD = /^(?:[!-9;-~]+[ \t]*:|[ \t]+\S|From |>From )/;
const MARKUP = /<(?:!doctype|html|head|body|script|div|p|table|span|meta|br)\b|\sitemscope\b/i;

/**
 * What unlabelled bytes are, by how they begin: JSON begins with a value, HTML with a tag, mail with header fields, and
 * text with markup in it is read as HTML. A guess; whoever knows better says so.
 */
export function kindOfInput(bytes: Uint8Array): LooseKind {
  const text = decodeText(bytes.subarray(0, LOOK_BYTES), undefined, false);
  const start = text.replace(/^[\uFEFF\s]+/, "");
  if (/^[{[]/.test(start)) return "json";
  if (start.startsWith("<")) return "html";
  const headerEnd = text.search(/\r?\n\r?\n/);
  const header = headerEnd < 0 ? text : text.slice(0, headerEnd);
  if (FIELD_OR_FOLD.test(text) && MAIL_FIELD.test(header)) return "mail";
  if (/^(?:"|-?\d|true\b|false\b|null\b)/.test(start) && isJson(text)) return "json";
  return MARKUP.test(text) ? "html" : "text";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // Text that begins with a quote or a number.
    return false;
  }
}

/** Bytes that are no mail as its only part, number "0" (contract §4): a bare page, JSON or text. */
export function loosePart(bytes: Uint8Array, kind: Exclude<LooseKind, "mail">): MailPart {
  const decode = (of: Uint8Array) => readText(of, undefined, kind === "html" || kind === "json" ? kind : "text");
  let decoded: ReturnType<typeof decode> | undefined;
  return {
    part: "0",
    mediaType: MEDIA_TYPES[kind],
    filename: null,
    disposition: null,
    forwarded: false,
    headers: [],
    bytes,
    charset: null,
    location: null,
    text: () => (decoded ??= decode(bytes)).text,
    fidelity: () => (decoded ??= decode(bytes)).fidelity,
    rejoined: () => {
      const rejoined = rejoin(bytes);
      return rejoined === undefined ? undefined : { ...decode(rejoined.bytes), repair: rejoined.repair };
    },
    encrypted: false,
  };
}
