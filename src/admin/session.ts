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
  /** Milliseconds since 1970: when the cookie was last written. */
  readonly seenAt: number;
}

/** Silence after which somebody has to sign in again. */
export const IDLE_MS = 30 * 60_000;
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

  begin(person: Person, now: number): string {
    return this.#signed.write({ ...person, sessionId: randomBytes(12).toString("base64url"), seenAt: now });
  }

  /** The cookie to write now, when the one that came is due; undefined when it is fresh enough. */
  refreshed(session: Session, now: number): string | undefined {
    return now - session.seenAt > REFRESH_MS ? this.#signed.write({ ...session, seenAt: now }) : undefined;
  }

  /** The session that a cookie names; undefined when it is forged, idle for too long or ended. */
  read(cookie: string, now: number): Session | undefined {
    const session = this.#signed.read(cookie) as Session | undefined;
    if (session === undefined) return undefined;
    const age = now - session.seenAt;
    if (age > IDLE_MS || age < -IDLE_MS || !ROLES.includes(session.role)) return undefined;
    return this.#ended.has(session.sessionId) ? undefined : session;
  }

  /** Ends a session on this replica; the browser drops the cookie anyway. */
  end(session: Session, now: number): void {
    for (const [sessionId, at] of this.#ended) if (now - at > IDLE_MS) this.#ended.delete(sessionId);
    this.#ended.set(session.sessionId, now);
  }
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
