import type { FoundItem, MailReport, ReadingServices, TakeOptions } from "../admin/services.ts";
import type { MailReading } from "../engine/read-mail.ts";
import type { PayloadChoice } from "../extract/payload.ts";
import { placeInWords } from "../model/place-in-words.ts";
import { titleOf } from "../model/dead-letter.ts";
import type { Selection } from "../model/hook-options.ts";
import type { LooseKind } from "../parse/loose-input.ts";
import { kindOfInput } from "../parse/loose-input.ts";
import type { NoteChange } from "./admin-hooks.ts";
import type { SendParts } from "./admin-send.ts";
import { sendToHook } from "./admin-send.ts";
import type { Storage } from "./storage.ts";

const LOOSE_TYPES = {
  html: "text/html",
  json: "application/json",
  ndjson: "application/x-ndjson",
  text: "text/plain",
} as const satisfies Record<Exclude<LooseKind, "mail">, string>;

/** Reading mails for the admin page, in the daemon's own workers and with its limits. */
export function adminReading(parts: SendParts, noteChange: NoteChange): ReadingServices {
  const { storage, engine } = parts;
  return {
    kindOf: kindOfInput,
    send: async (eventName, bytes, by) => {
      const answer = await sendToHook(parts, eventName, { mail: asMail(bytes), bytes });
      await noteChange(by, "bench.send", eventName, `${answer.kind}: ${answer.detail}`);
      return answer;
    },
    readMail: async (bytes, options) => {
      const reading = await engine.report(asMail(bytes), [{ options: optionsOf(storage, options) }]);
      switch (reading.kind) {
        case "read":
          return reportOf(reading);
        case "limit":
          return { kind: "unread", why: `It passes the limit ${reading.limit}: ${reading.detail}` };
        case "parse-timeout":
          return { kind: "unread", why: `Reading it took more than ${Math.round(reading.cpuMs)} ms of CPU time` };
        case "died":
          return { kind: "unread", why: "The worker that read it died" };
        case "busy":
        case "too-slow":
          return { kind: "unread", why: "All workers are busy; try again" };
      }
    },
  };
}

/** What is no mail gets the header of one whose only part it is. */
function asMail(bytes: Uint8Array): Uint8Array {
  const kind = kindOfInput(bytes);
  if (kind === "mail") return bytes;
  return Buffer.concat([
    Buffer.from(`Content-Type: ${LOOSE_TYPES[kind]}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n`),
    bytes,
  ]);
}

function optionsOf({ snapshot }: Storage, { eventName, selectType, selectFilename, jsonld }: TakeOptions) {
  const hook = eventName === undefined ? undefined : snapshot.hookByEventName(eventName);
  const select: Selection | undefined = selectType
    ? { type: selectType }
    : selectFilename
      ? { filename: selectFilename }
      : hook?.options.select;
  return {
    jsonld: jsonld ?? hook?.options.jsonld ?? ("as-sent" as const),
    ...(select !== undefined && { select }),
    ...(hook?.options.schema !== undefined && { schema: hook.options.schema }),
  };
}

function reportOf({ summary, extraction, choices, notes }: MailReading & { kind: "read" }): MailReport {
  const [choice] = choices;
  return {
    kind: "read",
    subject: summary.mailSubject,
    from: summary.from[0]?.address ?? null,
    text: summary.text,
    html: summary.html,
    headers: summary.headers,
    attachments: summary.attachments,
    items: extraction.items.map((item): FoundItem => {
      const { format, types, source, repaired, value } = item;
      const isPayload = choice?.kind === "payload" && choice.item.value === value;
      return { format, types, place: placeInWords(source), repaired, json: value, isPayload };
    }),
    skipped: extraction.skipped.map(({ source, reason, line, column }) => ({
      place: placeInWords(source),
      reason: line === undefined ? reason : `${reason} at line ${line}, column ${column ?? 1}`,
    })),
    notes: [...notes, ...extraction.notes, ...(extraction.cause === undefined ? [] : [extraction.cause])],
    payload: choice?.kind === "payload" ? choice.value : null,
    deadLetter: deadLetterOf(choice),
  };
}

function deadLetterOf(choice: PayloadChoice | undefined): { code: string; title: string; detail: string } | null {
  if (choice === undefined || choice.kind === "payload") return null;
  const reason = choice.kind === "nothing" ? choice : { code: "schema-failed" as const };
  return { code: reason.code, title: titleOf(reason), detail: choice.detail };
}
