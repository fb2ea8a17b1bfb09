import { isIP } from "node:net";

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { Log } from "../telemetry/log.ts";
import { loginPage } from "./pages/login.ts";
import { sendHtml, sendProblem } from "./replies.ts";
import type { Person, Role, Session } from "./session.ts";
import { IDLE_MS, Sessions } from "./session.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks; `null` until the guard has let the request in. */
    person: Person | null;
    session: Session | null;
  }
  interface FastifyContextConfig {
    /** Whom the route is for; a viewer when nothing is said. `anybody` needs no sign-in. */
    readonly role?: Role | "anybody";
    /** Probes come with any Host: the orchestrator's own. */
    readonly anyHost?: true;
  }
}

export interface GuardOptions {
  readonly token: string;
  /** The address that administrators type, when it is neither an IP address nor localhost. */
  readonly adminUrl: string | undefined;
  readonly now: () => number;
  readonly log: Log;
}

const COOKIE = "posthorn_session";
const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, administrator: 2 };
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/**
 * Puts the guard before every route: Host and Origin, then who asks, then what the route is for.
 *
 * The token comes as `Authorization: Bearer`, or once in the sign-in form, which gives a SameSite=Strict HttpOnly cookie;
 * never in a URL. Host is checked against DNS rebinding, Origin against posts from other sites and other ports.
 */
export function guard(server: FastifyInstance, options: GuardOptions): Sessions {
  const sessions = new Sessions(options.token);
  server.decorateRequest("person", null);
  server.decorateRequest("session", null);
  server.addHook("onRequest", async (request, reply) => {
    const { role = "viewer", anyHost } = request.routeOptions.config;
    if (anyHost === true) return undefined;
    if (!isOurHost(request.host, options.adminUrl))
      return sendProblem(
        reply,
        421,
        "Unknown Host",
        "Ask by IP address or localhost, or set POSTHORN_ADMIN_URL to the address in use.",
      );
    if (!isOurOrigin(request, options.adminUrl))
      return sendProblem(reply, 403, "Foreign Origin", "The request comes from a page of another site.");
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    const signedIn =
      bearer === undefined ? readSession(request, sessions, options.now()) : readBearer(bearer, sessions);
    if (bearer !== undefined && signedIn === undefined) warnOfGuess(request, options.log);
    request.person = signedIn ?? null;
    if (request.session !== null) refresh(reply, request.session, sessions, options);
    if (role === "anybody") return undefined;
    if (signedIn === undefined) return askToSignIn(request, reply);
    if (RANK[signedIn.role] < RANK[role])
      return sendProblem(reply, 403, "Not allowed", `This needs the role ${role}; you are ${signedIn.role}.`);
    return undefined;
  });
  server.post<{ Body: URLSearchParams }>("/login", { config: { role: "anybody" } }, async (request, reply) => {
    const next = localPath(request.body.get("next"));
    if (!sessions.isToken((request.body.get("token") ?? "").trim())) {
      warnOfGuess(request, options.log);
      return sendHtml(reply.code(401), loginPage({ next, problem: "This is not the admin token." }));
    }
    setCookie(reply, sessions.begin({ name: "admin token", role: "administrator" }, options.now()), options.adminUrl);
    return reply.redirect(next, 303);
  });
  server.get<{ Querystring: { next?: string } }>("/login", { config: { role: "anybody" } }, async (request, reply) =>
    sendHtml(reply, loginPage({ next: localPath(request.query.next ?? null) })),
  );
  server.post("/logout", { config: { role: "anybody" } }, async (request, reply) => {
    if (request.session !== null) sessions.end(request.session, options.now());
    reply.header("Set-Cookie", `${COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`);
    return reply.redirect("/login", 303);
  });
  return sessions;
}

// No lock-out: 16 characters cannot be guessed through HTTP, and a lock would let anybody shut the administrator out.
function warnOfGuess({ ip }: FastifyRequest, log: Log): void {
  log.warn("Somebody came with a wrong admin token", { remoteAddress: ip });
}

function readBearer(bearer: string, sessions: Sessions): Person | undefined {
  return sessions.isToken(bearer) ? { name: "admin token", role: "administrator" } : undefined;
}

function readSession(request: FastifyRequest, sessions: Sessions, now: number): Person | undefined {
  const cookie = new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w.-]+)`).exec(request.headers.cookie ?? "")?.[1];
  const session = cookie === undefined ? undefined : sessions.read(cookie, now);
  // A browser says where a post comes from; a cookie without that is no person's click.
  if (session === undefined || (!SAFE.has(request.method) && request.headers.origin === undefined)) return undefined;
  request.session = session;
  return session;
}

function refresh(reply: FastifyReply, session: Session, sessions: Sessions, options: GuardOptions): void {
  const cookie = sessions.refreshed(session, options.now());
  if (cookie !== undefined) setCookie(reply, cookie, options.adminUrl);
}

function setCookie(reply: FastifyReply, value: string, adminUrl: string | undefined): void {
  const secure = adminUrl?.startsWith("https:") === true ? "; Secure" : "";
  reply.header(
    "Set-Cookie",
    `${COOKIE}=${value}; Path=/; Max-Age=${IDLE_MS / 1_000}; HttpOnly; SameSite=Strict${secure}`,
  );
}

function askToSignIn(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.header("WWW-Authenticate", 'Bearer realm="posthorn"');
  if (request.url.startsWith("/api/") || request.url.startsWith("/metrics") || !SAFE.has(request.method))
    return sendProblem(reply, 401, "Sign in", "Send the admin token as `Authorization: Bearer`.");
  return sendHtml(reply.code(401), loginPage({ next: localPath(request.url) }));
}

/** A name somebody could point at us by DNS is not enough: an IP address, localhost, or what the operator set. */
function isOurHost(host: string, adminUrl: string | undefined): boolean {
  const url = URL.parse(`http://${host}`);
  if (url === null) return false;
  const name = url.hostname.replace(/^\[|\]$/g, "");
  return isIP(name) !== 0 || name === "localhost" || (adminUrl !== undefined && host === new URL(adminUrl).host);
}

function isOurOrigin({ headers: { origin }, host }: FastifyRequest, adminUrl: string | undefined): boolean {
  if (origin === undefined) return true;
  return URL.parse(origin)?.host === host || (adminUrl !== undefined && origin === new URL(adminUrl).origin);
}

/** Where to go after the sign-in: a path of ours, never another site. */
function localPath(wish: string | null): string {
  const url = URL.parse(wish ?? "/", "http://posthorn.invalid");
  if (url === null || url.origin !== "http://posthorn.invalid" || url.pathname.startsWith("/log")) return "/";
  return `${url.pathname.replace(/^\/+/, "/")}${url.search}`;
}
