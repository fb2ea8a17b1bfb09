import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";

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
const SIGNATURE_BYTES = 32;
const ROLES: readonly string[] = ["viewer", "operator", "administrator"] satisfies Role[];

/**
 * Sign-in by the admin token, and sessions in signed cookies. Nothing is kept on the server but the sessions that were
 * ended by hand, so that any replica with the same token knows the cookie of any other.
 */
export class Sessions {
  readonly #tokenHash: Buffer;
  readonly #key: Buffer;
  readonly #ended = new Map<string, number>();

  constructor(token: string) {
    this.#tokenHash = sha256(token);
    this.#key = Buffer.from(hkdfSync("sha256", token, "", "posthorn admin session v1", SIGNATURE_BYTES));
  }

  /** Constant time. */
  isToken(presented: string): boolean {
    return timingSafeEqual(sha256(presented), this.#tokenHash);
  }

  begin(person: Person, now: number): string {
    return this.#sign({ ...person, sessionId: randomBytes(12).toString("base64url"), seenAt: now });
  }

  /** The cookie to write now, when the one that came is due; undefined when it is fresh enough. */
  refreshed(session: Session, now: number): string | undefined {
    return now - session.seenAt > REFRESH_MS ? this.#sign({ ...session, seenAt: now }) : undefined;
  }

  /** The session that a cookie names; undefined when it is forged, idle for too long or ended. */
  read(cookie: string, now: number): Session | undefined {
    const [body = "", signature = ""] = cookie.split(".");
    const given = Buffer.from(signature, "base64url");
    if (given.length !== SIGNATURE_BYTES || !timingSafeEqual(given, this.#mac(body))) return undefined;
    const session = JSON.parse(Buffer.from(body, "base64url").toString()) as Session;
    const age = now - session.seenAt;
    if (age > IDLE_MS || age < -IDLE_MS || !ROLES.includes(session.role)) return undefined;
    return this.#ended.has(session.sessionId) ? undefined : session;
  }

  /** Ends a session on this replica; the browser drops the cookie anyway. */
  end(session: Session, now: number): void {
    for (const [sessionId, at] of this.#ended) if (now - at > IDLE_MS) this.#ended.delete(sessionId);
    this.#ended.set(session.sessionId, now);
  }

  #sign(session: Session): string {
    const body = Buffer.from(JSON.stringify(session)).toString("base64url");
    return `${body}.${this.#mac(body).toString("base64url")}`;
  }

  #mac(body: string): Buffer {
    return createHmac("sha256", this.#key).update(body).digest();
  }
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
