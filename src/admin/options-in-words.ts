import type { HookOptions, JsonLdForm } from "../model/hook-options.ts";
import type { HookType } from "../model/hook.ts";

/** What a hook does beyond the plain, one sentence for each option that matters to its type. */
export function optionsInWords(type: HookType, options: HookOptions): string[] {
  const common = [
    options.schema === undefined
      ? undefined
      : type === "email"
        ? "The payload must meet a JSON Schema; mail that does not is kept as a dead letter."
        : "The payload must meet a JSON Schema; what does not is answered with 422.",
    options.rateLimit && `At most ${options.rateLimit.perMinute} a minute.`,
  ];
  const own = type === "email" ? mailWords(options) : type === "form" ? formWords(options) : webWords(options);
  return [...own, ...common].filter((sentence) => sentence !== undefined);
}

function mailWords(options: HookOptions): (string | undefined)[] {
  const { select, jsonld, key, empty, senders, automatic, authenticate, attachments, include } = options;
  return [
    select === undefined
      ? "The payload is the first of: JSON part, JSON-LD script, JSON script, microdata, text."
      : "type" in select
        ? `The payload is the first item of the type ${select.type}.`
        : "filename" in select
          ? `The payload is the first JSON file named like ${select.filename}.`
          : "The payload is the first plain JSON item.",
    jsonld === "as-sent" ? undefined : `JSON-LD payloads are brought into the form: ${formOf(jsonld)}.`,
    key && "Only items under the hook's key count; mail without it is kept as a dead letter.",
    {
      "dead-letter": "Mail with nothing to extract is kept as a dead letter.",
      publish: "Mail with nothing to extract becomes an event whose payload is null.",
      reject: "Mail with nothing to extract is refused with 550.",
    }[empty],
    senders && `Only senders like ${senders.join(", ")} are taken.`,
    automatic === "dead-letter" ? "Bounces, auto-replies and list mail are kept as dead letters." : undefined,
    authenticate.require === "none"
      ? undefined
      : `${authenticate.require.toUpperCase()} must pass, aligned with the From address; what fails is ${authenticate.onFail === "reject" ? "refused with 550" : "kept as a dead letter"}.`,
    attachments === "drop" ? "Attachments are dropped; the event says what they were." : undefined,
    `The event carries ${include.length === 0 ? "neither text, HTML nor headers" : list(include)} of the mail.`,
  ];
}

function formWords({ redirect, origins, honeypot, captcha, attachments }: HookOptions): (string | undefined)[] {
  return [
    origins === undefined ? "Pages of any origin may post here." : `Only pages of ${origins.join(", ")} may post here.`,
    redirect === undefined ? "Browsers get a thank-you page." : `Browsers are sent on to ${redirect}.`,
    `A post that fills in the field ${honeypot} is kept as a dead letter and answered like any other.`,
    captcha && `A ${captcha.provider} answer is required; a post without a good one gets 403.`,
    attachments === "drop" ? "Files are dropped; the event says what they were." : undefined,
  ];
}

function webWords({ signature, handshake, deliveryId }: HookOptions): (string | undefined)[] {
  return [
    signature === undefined
      ? "Callers show an API key of the app."
      : `Callers sign what they send, by the scheme ${signature.scheme}.`,
    handshake && `Answers the ownership check of ${typeof handshake === "string" ? handshake : handshake.kind}.`,
    deliveryId &&
      `A retry is known by ${"header" in deliveryId ? `the header field ${deliveryId.header}` : `${deliveryId.pointer} in the payload`}.`,
  ];
}

const formOf = (form: JsonLdForm): string => (typeof form === "string" ? form : "a frame of the app's own");

const list = (words: readonly string[]): string => new Intl.ListFormat("en", { type: "conjunction" }).format(words);
