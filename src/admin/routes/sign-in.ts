import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { ATTEMPT_COOKIE, ATTEMPT_MS, cookieIn, setAttempt, setSession } from "../cookies.ts";
import { formOf, textField } from "../forms.ts";
import { localPath, warnOfGuess } from "../guard.ts";
import type { OidcAttempt, OidcSignIn, OidcVisitor } from "../oidc.ts";
import { loginPage, welcomePage } from "../pages/login.ts";
import { sendHtml } from "../replies.ts";
import type { AdminServices } from "../services.ts";
import type { Person, Session, Sessions } from "../session.ts";
import type { Signed } from "../signed.ts";

export interface SignInParts {
  readonly sessions: Sessions;
  readonly provider: OidcSignIn | undefined;
  readonly adminUrl: string | undefined;
  readonly signed: Signed;
  readonly services: AdminServices;
}

const anybody = { config: { role: "anybody" } } as const;
type NextQuery = { Querystring: { readonly next?: string } };

/** Signing in by the token or at a provider, and signing out. */
export function signInRoutes(server: FastifyInstance, parts: SignInParts): void {
  const { sessions, provider, adminUrl, services } = parts;
  const hasProvider = provider !== undefined;
  server.get<NextQuery>("/login", anybody, async (request, reply) =>
    sendHtml(reply, loginPage({ next: localPath(request.query.next ?? null), hasProvider })),
  );
  server.post("/login", anybody, async (request, reply) => {
    const form = formOf(request);
    const next = localPath(textField(form, "next"));
    if (!sessions.isToken(textField(form, "token").trim())) {
      warnOfGuess(request, services.log);
      const problem = "This is not the admin token.";
      return sendHtml(reply.code(401), loginPage({ next, problem, hasProvider }));
    }
    await begin(reply, { name: "admin token", role: "administrator" }, parts, { isOfProvider: false });
    return reply.redirect(next, 303);
  });
  server.post("/logout", anybody, async (request, reply) => {
    if (request.session !== null) sessions.end(request.session, services.now());
    setSession(reply, "", adminUrl);
    return reply.redirect("/login", 303);
  });
  if (provider !== undefined) oidcRoutes(server, provider, parts);
}

function oidcRoutes(server: FastifyInstance, provider: OidcSignIn, parts: SignInParts): void {
  const { adminUrl, signed, services } = parts;
  const failed = (reply: FastifyReply, status: number, problem: string) =>
    sendHtml(reply.code(status), loginPage({ next: "/", problem, hasProvider: true }));
  server.get<NextQuery>("/login/oidc", anybody, async (request, reply) => {
    try {
      const { location, attempt } = await provider.begin(localPath(request.query.next ?? null), services.now());
      setAttempt(reply, signed.write(attempt), adminUrl);
      return await reply.redirect(location, 303);
    } catch (error) {
      services.log.warn("The OpenID Connect provider cannot be reached", { error });
      return failed(reply, 502, "The sign-in provider cannot be reached; try again, or use the token.");
    }
  });
  server.get("/login/oidc/callback", anybody, async (request, reply) => {
    const attempt = signed.read(cookieIn(request, ATTEMPT_COOKIE)) as OidcAttempt | undefined;
    setAttempt(reply, "", adminUrl);
    if (attempt === undefined || services.now() - attempt.startedAt > ATTEMPT_MS)
      return failed(reply, 400, "This sign-in took too long, or was begun elsewhere. Try again.");
    const visitor = await finish(request, provider, attempt, parts);
    if (visitor === undefined) return failed(reply, 400, "The provider did not confirm who you are. Try again.");
    if (visitor.role === undefined)
      return failed(reply, 403, `${visitor.name} has no role here: ask for one of the groups that give it.`);
    await begin(reply, visitor, parts, { isOfProvider: true });
    // A page of ours, not a redirect: the cookie is Strict, and a chain that began at the provider would not carry it.
    return sendHtml(reply.header("Refresh", `0; url=${attempt.next}`), welcomePage(visitor, attempt.next));
  });
}

async function finish(
  request: FastifyRequest,
  provider: OidcSignIn,
  attempt: OidcAttempt,
  { services }: SignInParts,
): Promise<OidcVisitor | undefined> {
  try {
    const at = request.url.indexOf("?");
    return await provider.finish(at < 0 ? "" : request.url.slice(at), attempt);
  } catch (error) {
    services.log.warn("A sign-in at the provider failed", { error });
    return undefined;
  }
}

async function begin(
  reply: FastifyReply,
  person: Person,
  parts: SignInParts,
  way: Pick<Session, "isOfProvider">,
): Promise<void> {
  const { sessions, adminUrl, services } = parts;
  setSession(reply, sessions.begin(person, services.now(), way), adminUrl);
  await services.noteSignIn(person.name, person.role);
}
