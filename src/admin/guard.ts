import { isIP } from "node:net";

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { Log } from "../telemetry/log.ts";
import { SESSION_COOKIE, cookieIn, setSession } from "./cookies.ts";
import { frameOf } from "./frame.ts";
import { failurePage } from "./pages/not-found.ts";
import { loginPage } from "./pages/login.ts";
import { isForPeople, sendHtml, sendProblem } from "./replies.ts";
import type { HookServices } from "./services.ts";
import type { Person, Role, Session, Sessions } from "./session.ts";
import type { Sight } from "./sight.ts";
import { sightOf } from "./sight.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** Every route there is, as the guard lets people in. */
    readonly adminRoutes: readonly AdminRoute[];
  }
  interface FastifyRequest {
    /** Who asks; `null` until the guard has let the request in. */
    person: Person | null;
    session: Session | null;
    /** What that person may see. */
    sight: Sight;
  }
  interface FastifyContextConfig {
    /** Whom the route is for; every route says it. `anybody` needs no sign-in. */
    readonly role?: Role | "anybody";
    /** A page asks by itself: that is no sign of a person, and does not keep the session alive. */
    readonly isBackground?: true;
  }
}

export interface GuardOptions {
  /** The address that administrators type, when it is neither an IP address nor localhost. */
  readonly adminUrl: string | undefined;
  /** People may sign in at an OpenID Connect provider too. */
  readonly hasProvider: boolean;
  readonly now: () => number;
  readonly log: Log;
  readonly isHookId: HookServices["isHookId"];
}

/** A route, and whom it is for. */
interface AdminRoute {
  readonly method: string;
  readonly url: string;
  readonly role: Role | "anybody";
}

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, administrator: 2 };
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/**
 * Puts the guard before every route that is added behind it: Host and Origin, then who asks, then whom the route is for. A
 * route that does not say that is a bug, and stops the page from being loaded.
 *
 * The token comes as `Authorization: Bearer`, or once in the sign-in form, which gives a SameSite=Strict HttpOnly cookie;
 * never in a URL. Host is checked against DNS rebinding, Origin against posts from other sites and other ports.
 */
export function guard(server: FastifyInstance, sessions: Sessions, options: GuardOptions): void {
  server.decorateRequest("person", null);
  server.decorateRequest("session", null);
  server.decorateRequest("sight");
  const routes: AdminRoute[] = [];
  server.decorate("adminRoutes", routes);
  server.addHook("onRoute", ({ method, url, config }) => {
    const { role } = config ?? {};
    if (role === undefined) throw new Error(`${url} does not say whom it is for`);
    for (const one of [method].flat()) routes.push({ method: one, url, role });
  });
  server.addHook("onRequest", async (request, reply) => {
    // What leads nowhere tells that to those who may see something.
    const { role = "viewer", isBackground } = request.routeOptions.config;
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
    request.sight = sightOf(request.person, options);
    if (request.session !== null && isBackground !== true) refresh(reply, request.session, sessions, options);
    if (role === "anybody") return undefined;
    if (signedIn === undefined) return askToSignIn(request, reply, options.hasProvider);
    if (RANK[signedIn.role] >= RANK[role]) return undefined;
    const hint = `This needs the role ${role}; you are ${signedIn.role}.`;
    return isForPeople(request)
      ? sendHtml(reply.code(403), failurePage(frameOf(request), "You may not do this", hint))
      : sendProblem(reply, 403, "Not allowed", hint);
  });
}

// No lock-out: 16 characters cannot be guessed through HTTP, and a lock would let anybody shut the administrator out.
export function warnOfGuess({ ip }: FastifyRequest, log: Log): void {
  log.warn("Somebody came with a wrong admin token", { remoteAddress: ip });
}

function readBearer(bearer: string, sessions: Sessions): Person | undefined {
  return sessions.isToken(bearer) ? { name: "admin token", role: "administrator" } : undefined;
}

function readSession(request: FastifyRequest, sessions: Sessions, now: number): Person | undefined {
  const session = sessions.read(cookieIn(request, SESSION_COOKIE), now);
  // A browser says where a post comes from; a cookie without that is no person's click.
  if (session === undefined || (!SAFE.has(request.method) && request.headers.origin === undefined)) return undefined;
  request.session = session;
  return session;
}

function refresh(reply: FastifyReply, session: Session, sessions: Sessions, options: GuardOptions): void {
  const cookie = sessions.refreshed(session, options.now());
  if (cookie !== undefined) setSession(reply, cookie, options.adminUrl);
}

function askToSignIn(request: FastifyRequest, reply: FastifyReply, hasProvider: boolean): FastifyReply {
  reply.header("WWW-Authenticate", 'Bearer realm="posthorn"');
  if (request.url.startsWith("/api/") || request.url.startsWith("/metrics") || !SAFE.has(request.method))
    return sendProblem(reply, 401, "Sign in", "Send the admin token as `Authorization: Bearer`.");
  return sendHtml(reply.code(401), loginPage({ next: localPath(request.url), hasProvider }));
}

/** A name somebody could point at us by DNS is not enough: an IP address, localhost, or what the operator set. */
function isOurHost(host: string, adminUrl: string | undefined): boolean {
  const lower = host.toLowerCase();
  // Not by a reader of URLs, which stops at the first of `/?#\` and has ways of its own to write an IP address.
  const [, bracketed, plain = ""] = /^(?:\[([0-9a-f:.]+)\]|([0-9a-z.-]+))(?::\d{1,5})?$/.exec(lower) ?? [];
  const isAddress = bracketed === undefined ? isIP(plain) === 4 : isIP(bracketed) === 6;
  return isAddress || plain === "localhost" || (adminUrl !== undefined && lower === new URL(adminUrl).host);
}

function isOurOrigin({ headers: { origin }, host }: FastifyRequest, adminUrl: string | undefined): boolean {
  if (origin === undefined) return true;
  const url = URL.parse(origin);
  return (
    (url?.origin === origin && url.host === host.toLowerCase()) ||
    (adminUrl !== undefined && origin === new URL(adminUrl).origin)
  );
}

/** Where to go after the sign-in: a path of ours, never another site. */
export function localPath(wish: string | null): string {
  const url = URL.parse(wish ?? "/", "http://posthorn.invalid");
  if (url === null || url.origin !== "http://posthorn.invalid" || url.pathname.startsWith("/log")) return "/";
  return `${url.pathname.replace(/^\/+/, "/")}${url.search}`;
}
