import type { Branded } from "./branded.ts";

/** The name of an event; it is the NATS subject the event is published on. */
export type EventName = Branded<string, "EventName">;

const MAX_LENGTH = 200;
const SHAPE = /^(?!_|posthorn(?:\.|$))[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,15}$/;
const WORKFLOW_PREFIX = "kustomer.app.";

/**
 * Reads an event name: 1 to 16 tokens joined by dots, 200 characters at most, no first token `posthorn` or `_…`.
 *
 * A security boundary: `*`, `>`, `$`, blanks and CR/LF would reach NATS as wildcards, API subjects or protocol lines.
 * Called at install and again before every publish. Never throws; `undefined` when `text` is not an event name.
 *
 * Source: contract §2; NATS documentation, "Subject-Based Messaging".
 */
export function parseEventName(text: string): EventName | undefined {
  return text.length <= MAX_LENGTH && SHAPE.test(text) ? (text as EventName) : undefined;
}

/** Whether workflows receive this event: its name begins `kustomer.app.` (contract §2). */
export function reachesWorkflows(eventName: string): boolean {
  return eventName.startsWith(WORKFLOW_PREFIX);
}
