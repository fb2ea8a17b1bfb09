import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

import { Signed } from "./signed.ts";

/** What somebody may do: look, act on what arrived, or change everything. */
export type Role = "viewer" | "operator" | "administrator";

/** Who is signed in. */
export interface Person {
  readonly name: string;
  readonly role: Role;
}

export interface Session extends Person {
  /** Random; named when the session is ended before its time. */
  readonly sessionId: string;
  /** Milliseconds since 1970: when the person signed in, and when the cookie was last written. */
  readonly startedAt: number;
  readonly seenAt: number;
  /** Signed in at the provider, which may take the role away at any time. */
  readonly isOfProvider: boolean;
}

/** Silence after which somebody has to sign in again. */
export const IDLE_MS = 30 * 60_000;
/** And however busy somebody is: a working day after the token was typed, and an hour after the provider was asked. */
export const MAX_AGE_MS = 12 * 60 * 60_000;
export const MAX_PROVIDER_AGE_MS = 60 * 60_000;
/** A cookie older than this is written anew, so that the idle time slides. */
const REFRESH_MS = 60_000;
const ROLES: readonly string[] = ["viewer", "operator", "administrator"] satisfies Role[];

/**
 * Sign-in by the admin token, and sessions in signed cookies. Nothing is kept on the server but the sessions that were
 * ended by hand, so that any replica with the same token knows the cookie of any other.
 */
export class Sessions {
  readonly #tokenHash: Buffer;
  readonly #signed: Signed;
  readonly #ended = new Map<string, number>();

  constructor(token: string) {
    this.#tokenHash = sha256(token);
    this.#signed = new Signed(token, "admin session");
  }

  /** Constant time. */
  isToken(presented: string): boolean {
    return timingSafeEqual(sha256(presented), this.#tokenHash);
  }

  begin({ name, role }: Person, now: number, { isOfProvider }: Pick<Session, "isOfProvider">): string {
    const sessionId = randomBytes(12).toString("base64url");
    const session: Session = { name, role, sessionId, startedAt: now, seenAt: now, isOfProvider };
    return this.#signed.write(session);
  }

  /** The cookie to write now, when the one that came is due; undefined when it is fresh enough. */
  refreshed(session: Session, now: number): string | undefined {
    return now - session.seenAt > REFRESH_MS ? this.#signed.write({ ...session, seenAt: now }) : undefined;
  }

  /** The session that a cookie names; undefined when it is forged, too old, idle for too long or ended. */
  read(cookie: string, now: number): Session | undefined {
    const session = this.#signed.read(cookie) as Session | undefined;
    if (session === undefined) return undefined;
    const silence = now - session.seenAt;
    const age = now - session.startedAt;
    const isFresh = silence <= IDLE_MS && silence >= -IDLE_MS && age <= maxAgeOf(session);
    // A cookie of an older version says nothing of its age.
    if (!isFresh || !ROLES.includes(session.role)) return undefined;
    return this.#ended.has(session.sessionId) ? undefined : session;
  }

  /** Ends a session on this replica; the browser drops the cookie anyway. */
  end(session: Session, now: number): void {
    for (const [sessionId, at] of this.#ended) if (now - at > IDLE_MS) this.#ended.delete(sessionId);
    this.#ended.set(session.sessionId, now);
  }
}

const maxAgeOf = ({ isOfProvider }: Session): number => (isOfProvider ? MAX_PROVIDER_AGE_MS : MAX_AGE_MS);

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
