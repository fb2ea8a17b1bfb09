import type { FastifyInstance, FastifyRequest } from "fastify";

import { OperatorError } from "../../model/operator-error.ts";
import { formOf, textField } from "../forms.ts";
import { actorOf, frameOf } from "../frame.ts";
import { healthPage } from "../pages/health.ts";
import type { KeysView } from "../pages/keys.ts";
import { keysPage, revokePage } from "../pages/keys.ts";
import { auditPage, refusedPage } from "../pages/logs.ts";
import { notFoundPage } from "../pages/not-found.ts";
import { sendHtml } from "../replies.ts";
import type { AdminServices } from "../services.ts";

const PER_PAGE = 100;
const SUGGESTED_HOOKS = 200;
const viewer = { config: { role: "viewer" } } as const;
const administrator = { config: { role: "administrator" } } as const;

/** Pages of refused calls, keys, health and the audit log. */
export function houseRoutes(server: FastifyInstance, services: AdminServices): void {
  server.get("/refused", viewer, async (request, reply) => {
    const wish = wishOf(request);
    return sendHtml(
      reply,
      refusedPage(frameOf(request, "/refused"), {
        ...wish,
        ...request.sight.page(await services.refused(request.sight.wish(asked(wish)))),
      }),
    );
  });
  server.get("/audit", administrator, async (request, reply) => {
    const wish = wishOf(request);
    return sendHtml(reply, auditPage(frameOf(request, "/audit"), { ...wish, ...(await services.audit(asked(wish))) }));
  });
  server.get("/health", viewer, async (request, reply) => {
    const [checks, streams, subscribers, activity] = await Promise.all([
      services.checkHealth(),
      services.streams().catch(() => []),
      services.subscribers().catch(() => []),
      services.activity(),
    ]);
    return sendHtml(reply, healthPage(frameOf(request, "/health"), { checks, streams, subscribers, activity }));
  });
  keyRoutes(server, services);
}

function keyRoutes(server: FastifyInstance, services: AdminServices): void {
  const view = (request: FastifyRequest): KeysView => ({
    keys: services.keys(),
    apps: services.apps(),
    webHooks: services
      .hooks()
      .filter(({ type }) => type === "web")
      .slice(0, SUGGESTED_HOOKS),
    mayChange: request.person?.role === "administrator",
    now: services.now(),
  });
  server.get("/keys", viewer, async (request, reply) =>
    sendHtml(reply, keysPage(frameOf(request, "/keys"), view(request))),
  );
  server.post("/keys", administrator, async (request, reply) => {
    const form = formOf(request);
    const days = textField(form, "days");
    try {
      const made = await services.createKey(
        {
          app: textField(form, "app"),
          eventName: textField(form, "eventName") || undefined,
          expiresInDays: days === "" ? undefined : daysIn(days),
        },
        actorOf(request),
      );
      return sendHtml(reply, keysPage(frameOf(request, "/keys"), { ...view(request), made }));
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      const problem = `${error.message}: ${error.hint}`;
      return sendHtml(reply.code(422), keysPage(frameOf(request, "/keys"), { ...view(request), problem }));
    }
  });
  const found = (request: FastifyRequest) =>
    services.keys().find(({ keyId }) => keyId === (request.params as { key: string }).key);
  server.get("/keys/:key/revoke", administrator, async (request, reply) => {
    const key = found(request);
    return key === undefined
      ? sendHtml(reply.code(404), notFoundPage(frameOf(request), "There is no such key."))
      : sendHtml(reply, revokePage(frameOf(request, "/keys"), key));
  });
  server.post("/keys/:key/revoke", administrator, async (request, reply) => {
    await services.revokeKey((request.params as { key: string }).key, actorOf(request));
    return reply.redirect("/keys?done=revoked", 303);
  });
}

/** A number of days, 1 to 3650. Throws `OperatorError` for anything else. */
function daysIn(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= 3650) return days;
  throw new OperatorError(`${JSON.stringify(text)} is no number of days`, "use 1 to 3650");
}

function wishOf(request: FastifyRequest): { readonly q: string | undefined; readonly before: number | undefined } {
  const { q, before } = request.query as Readonly<Record<string, string | undefined>>;
  return { q: q || undefined, before: Number(before) || undefined };
}

const asked = ({ q, before }: ReturnType<typeof wishOf>) => ({ before, text: q, limit: PER_PAGE });
