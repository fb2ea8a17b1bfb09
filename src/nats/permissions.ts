import type { NatsConnection } from "@nats-io/transport-node";

import { subjectCovers } from "./subject-covers.ts";

/** Every user may ask this of itself, where its permissions let it publish there. */
export const OWN_PERMISSIONS = "$SYS.REQ.USER.INFO";

/** On which subjects our user may publish. */
export interface PublishPermissions {
  /** Undefined: on all that are not denied. */
  readonly allow: readonly string[] | undefined;
  readonly deny: readonly string[];
}

/**
 * Asks the server what our user may publish; nothing is sent on any other subject.
 *
 * `undefined` when the server does not tell: it is older than 2.10, or the user may not ask. Never throws.
 *
 * Source: nats-server 2.10, `server/events.go`, `userInfoReq`.
 */
export async function askPermissions(
  connection: NatsConnection,
  timeoutMs: number,
): Promise<PublishPermissions | undefined> {
  // A user that may not ask is told so by an error; a connection that just went away is the matter of another check.
  const reply = await connection.request(OWN_PERMISSIONS, "", { timeout: timeoutMs }).catch(() => undefined);
  return reply === undefined ? undefined : readPermissions(reply.string());
}

/** Whether one subject without wildcards may be published on. */
export function mayPublish({ allow, deny }: PublishPermissions, subject: string): boolean {
  const isIn = (patterns: readonly string[]) => patterns.some((pattern) => subjectCovers(pattern, subject));
  return (allow === undefined || isIn(allow)) && !isIn(deny);
}

function readPermissions(answer: string): PublishPermissions | undefined {
  const { data } = asObject(parseOrNothing(answer));
  if (data === undefined) return undefined;
  const { publish } = asObject(asObject(data)["permissions"]);
  const { allow, deny } = asObject(publish);
  return { allow: textsOf(allow), deny: textsOf(deny) ?? [] };
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Somebody else answered there: nothing is known then.
    return undefined;
  }
}

const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

const textsOf = (value: unknown): string[] | undefined =>
  Array.isArray(value) ? value.filter((text) => typeof text === "string") : undefined;
