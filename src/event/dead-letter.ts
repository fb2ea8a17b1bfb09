import type { CutHookIds } from "../model/cut-hook-ids.ts";
import { titleOf } from "../model/dead-letter.ts";
import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { HookType } from "../model/hook.ts";
import type { JsonText } from "../model/mail.ts";
import type { EventId } from "../model/outcome.ts";
import { objectOf, toJson } from "./json.ts";

/** One dead letter, ready for NATS. */
export interface BuiltDeadLetter {
  readonly eventId: EventId;
  /** Names the subject `posthorn.dead.<app>.<eventName>`. */
  readonly app: string;
  readonly eventName: string;
  readonly reason: DeadLetterReason;
  readonly bytes: Uint8Array;
}

export interface DeadLetterFrame {
  readonly eventId: EventId;
  readonly app: string;
  readonly eventName: string;
  readonly displayEventName: string;
  readonly hooktype: HookType;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly reason: DeadLetterReason;
  /** Object name of the raw mail or body, which `replay` runs again. */
  readonly object: string | null;
  /** Of the ids of all hooks that the message was sent to. */
  readonly cut: CutHookIds;
}

/** A dead letter (contract §6): why, whose, and where the raw bytes are. */
export function buildDeadLetter(
  frame: DeadLetterFrame,
  about: { readonly mail: JsonText } | { readonly http: JsonText },
): BuiltDeadLetter {
  const { eventId, app, eventName, reason } = frame;
  return { eventId, app, eventName, reason, bytes: Buffer.from(deadLetterJson(frame, about)) };
}

/** The same as JSON text. */
export function deadLetterJson(
  frame: DeadLetterFrame,
  about: { readonly mail: JsonText } | { readonly http: JsonText },
): string {
  const { eventId, app, eventName, reason } = frame;
  return objectOf([
    ["id", toJson(eventId)],
    ["time", toJson(new Date(frame.receivedAt).toISOString())],
    ["reason", toJson({ code: reason.code, title: titleOf(reason), detail: frame.cut(reason.detail) })],
    ["app", toJson(app)],
    ["hook", toJson(frame.displayEventName)],
    ["hooktype", toJson(frame.hooktype)],
    ["eventName", toJson(eventName)],
    "mail" in about ? ["mail", about.mail] : ["http", about.http],
    ["object", toJson(frame.object)],
  ]);
}
