import type { FastifyReply, FastifyRequest } from "fastify";

import { IDLE_MS } from "./session.ts";

export const SESSION_COOKIE = "posthorn_session";
/** Between leaving for the provider and coming back, which is a step from another site: Lax, and for this path only. */
export const ATTEMPT_COOKIE = "posthorn_sign_in";
const ATTEMPT_PATH = "/login/oidc";
export const ATTEMPT_MS = 10 * 60_000;

/** The value of a cookie of ours; "" when there is none, or more than one of that name (RFC 6265 §8.6). */
export function cookieIn(request: FastifyRequest, name: string): string {
  const values = (request.headers.cookie ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  const [value = "", ...others] = values;
  // Another site below the same domain, or another port, may have set a second one: nobody can say which is ours.
  return others.length === 0 && /^[\w.-]+$/.test(value) ? value : "";
}

/** Writes the session; "" ends it. */
export function setSession(reply: FastifyReply, value: string, adminUrl: string | undefined): void {
  const age = value === "" ? 0 : IDLE_MS / 1_000;
  add(reply, `${SESSION_COOKIE}=${value}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict${secure(adminUrl)}`);
}

/** Writes the attempt; "" ends it. */
export function setAttempt(reply: FastifyReply, value: string, adminUrl: string | undefined): void {
  const age = value === "" ? 0 : ATTEMPT_MS / 1_000;
  add(
    reply,
    `${ATTEMPT_COOKIE}=${value}; Path=${ATTEMPT_PATH}; Max-Age=${age}; HttpOnly; SameSite=Lax${secure(adminUrl)}`,
  );
}

const secure = (adminUrl: string | undefined): string => (adminUrl?.startsWith("https:") === true ? "; Secure" : "");

function add(reply: FastifyReply, cookie: string): void {
  const before = reply.getHeader("Set-Cookie");
  reply.header("Set-Cookie", [...(before === undefined ? [] : [before].flat().map(String)), cookie]);
}
