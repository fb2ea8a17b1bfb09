import type { NatsConnection } from "@nats-io/transport-node";

import type { NeededPermission } from "./needed-permissions.ts";
import { OWN_PERMISSIONS } from "./needed-permissions.ts";
import { subjectCovers, subjectsMeet } from "./subject-covers.ts";

/** What our user may do with subjects. */
interface SubjectPermissions {
  /** Undefined: all that is not denied. */
  readonly allow: readonly string[] | undefined;
  readonly deny: readonly string[];
}

/** What our user may publish and subscribe to. */
export type OwnPermissions = Readonly<Record<NeededPermission["operation"], SubjectPermissions>>;

/**
 * Asks the server what our user may do; nothing is sent on any other subject.
 *
 * `undefined` when the server does not tell: it is older than 2.10, or the user may not ask. Never throws.
 *
 * Source: nats-server 2.10, `server/events.go`, `userInfoReq`.
 */
export async function askPermissions(
  connection: NatsConnection,
  timeoutMs: number,
): Promise<OwnPermissions | undefined> {
  // A user that may not ask is told so by an error; a connection that just went away is the matter of another check.
  const reply = await connection.request(OWN_PERMISSIONS, "", { timeout: timeoutMs }).catch(() => undefined);
  return reply === undefined ? undefined : readPermissions(reply.string());
}

/** Whether all that a needed permission stands for is allowed: its wildcards too, and no part of it denied. */
export function isAllowed(permissions: OwnPermissions, { operation, subject }: NeededPermission): boolean {
  const { allow, deny } = permissions[operation];
  return (
    (allow === undefined || allow.some((pattern) => subjectCovers(pattern, subject))) &&
    !deny.some((pattern) => subjectsMeet(pattern, subject))
  );
}

function readPermissions(answer: string): OwnPermissions | undefined {
  const { data } = asObject(parseOrNothing(answer));
  if (data === undefined) return undefined;
  const { publish, subscribe } = asObject(asObject(data)["permissions"]);
  return { publish: readSubjects(publish), subscribe: readSubjects(subscribe) };
}

function readSubjects(value: unknown): SubjectPermissions {
  const { allow, deny } = asObject(value);
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
