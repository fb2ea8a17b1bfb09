import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { HookState, HookType } from "../../model/hook.ts";
import { OperatorError } from "../../model/operator-error.ts";
import { examplesOf } from "../examples.ts";
import { fileOrText, formOf, textField } from "../forms.ts";
import { actorOf, frameOf } from "../frame.ts";
import { hookPage, rotatePage } from "../pages/hook.ts";
import type { HookFilter } from "../pages/hooks.ts";
import { hookPath, hooksPage } from "../pages/hooks.ts";
import { installPage, newHookPage, previewPage, uninstallPage } from "../pages/install.ts";
import { notFoundPage } from "../pages/not-found.ts";
import { sendHtml } from "../replies.ts";
import type { AdminHook, HookServices } from "../services.ts";

const HOOKS_PER_PAGE = 50;
const viewer = { config: { role: "viewer" } } as const;
const administrator = { config: { role: "administrator" } } as const;

/** Pages of apps and hooks. */
export function hookRoutes(server: FastifyInstance, services: HookServices, now: () => number): void {
  server.get<{ Querystring: Record<string, string | undefined> }>("/", viewer, async (request, reply) => {
    const { q, app, type, page } = request.query;
    const filter = { q, app, type, page: Math.max(1, Math.trunc(Number(page)) || 1) };
    const found = services
      .hooks()
      .map(request.sight.hook)
      .filter((hook) => matches(hook, filter));
    const hooks = found.slice((filter.page - 1) * HOOKS_PER_PAGE, filter.page * HOOKS_PER_PAGE);
    const lastEvents = await services.lastEvents(hooks.map(({ eventName }) => eventName));
    const pages = Math.ceil(found.length / HOOKS_PER_PAGE);
    const mayChange = request.person?.role === "administrator";
    const view = { apps: services.apps(), hooks, total: found.length, filter, pages, lastEvents, mayChange };
    return sendHtml(reply, hooksPage(frameOf(request, "/"), view));
  });
  oneHook(server, services, now);
  newHook(server, services);
  aliases(server, services);
  installation(server, services);
}

function oneHook(server: FastifyInstance, services: HookServices, now: () => number): void {
  const found = (request: FastifyRequest, reply: FastifyReply): AdminHook | undefined => {
    const hook = services.hook((request.params as { event: string }).event);
    if (hook === undefined) sendHtml(reply.code(404), notFoundPage(frameOf(request), "There is no such hook."));
    return hook && request.sight.hook(hook);
  };
  server.get("/hooks/:event", viewer, async (request, reply) => {
    const hook = found(request, reply);
    if (hook === undefined) return reply;
    const [lastEvents, hourlyCounts] = await Promise.all([
      services.lastEvents([hook.eventName]),
      services.hourlyCounts(hook.eventName),
    ]);
    return sendHtml(
      reply,
      hookPage(frameOf(request, "/"), {
        hook,
        hourlyCounts,
        lastEvent: lastEvents.get(hook.eventName),
        examples: examplesOf(hook, services.doors(), new Date(now())),
        mayChange: request.person?.role === "administrator",
      }),
    );
  });
  for (const fileName of ["sample.eml", "form.html"]) {
    server.get(`/hooks/:event/${fileName}`, administrator, async (request, reply) => {
      const hook = found(request, reply);
      if (hook === undefined) return reply;
      const example = examplesOf(hook, services.doors(), new Date(now())).find((one) => one.fileName === fileName);
      if (example === undefined) return reply.callNotFound();
      return reply
        .header("Content-Disposition", `attachment; filename="${fileName}"`)
        .type("application/octet-stream")
        .send(example.text);
    });
  }
  server.get("/hooks/:event/rotate", administrator, async (request, reply) => {
    const hook = found(request, reply);
    return hook === undefined ? reply : sendHtml(reply, rotatePage(frameOf(request, "/"), hook));
  });
  server.post("/hooks/:event/rotate", administrator, async (request, reply) => {
    const hook = found(request, reply);
    if (hook === undefined) return reply;
    await services.rotateHook(hook.eventName, actorOf(request));
    return reply.redirect(`${hookPath(hook.eventName)}?done=rotated`, 303);
  });
  server.post("/hooks/:event/state", administrator, async (request, reply) => {
    const hook = found(request, reply);
    if (hook === undefined) return reply;
    await services.setHookState(hook.eventName, stateIn(textField(formOf(request), "state")), actorOf(request));
    return reply.redirect(`${hookPath(hook.eventName)}?done=state`, 303);
  });
}

function aliases(server: FastifyInstance, services: HookServices): void {
  server.post("/hooks/:event/aliases", administrator, async (request, reply) => {
    const { event } = request.params as { event: string };
    const form = formOf(request);
    const change = textField(form, "do") === "remove" ? services.removeAlias : services.addAlias;
    const hook = await change(event, textField(form, "address").trim(), actorOf(request));
    return reply.redirect(`${hookPath(hook.eventName)}?done=state`, 303);
  });
}

function newHook(server: FastifyInstance, services: HookServices): void {
  server.get("/hooks/new", administrator, async (request, reply) =>
    sendHtml(reply, newHookPage(frameOf(request, "/"))),
  );
  server.post("/hooks/new", administrator, async (request, reply) => {
    const form = formOf(request);
    const given = {
      type: textField(form, "type"),
      name: textField(form, "name").trim(),
      eventName: textField(form, "eventName").trim(),
    };
    try {
      const { type, name, eventName } = given;
      const wish = { type: typeIn(type), name, ...(eventName !== "" && { eventName }) };
      const hook = await services.createHook(wish, actorOf(request));
      return reply.redirect(`${hookPath(hook.eventName)}?done=made`, 303);
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      const problem = `${error.message}: ${error.hint.replaceAll("--event", "the event name field")}`;
      return sendHtml(reply.code(422), newHookPage(frameOf(request, "/"), given, problem));
    }
  });
}

function installation(server: FastifyInstance, services: HookServices): void {
  server.get("/apps/install", administrator, async (request, reply) =>
    sendHtml(reply, installPage(frameOf(request, "/"))),
  );
  server.post("/apps/install", administrator, async (request, reply) => {
    const text = Buffer.from(await fileOrText(formOf(request), "file", "definition")).toString("utf8");
    const preview = services.previewInstall(text);
    const frame = frameOf(request, "/");
    return preview.kind === "ready"
      ? sendHtml(reply, previewPage(frame, text, preview))
      : sendHtml(reply.code(422), installPage(frame, text, preview.problems));
  });
  server.post("/apps/install/confirm", administrator, async (request, reply) => {
    const { app } = await services.installApp(textField(formOf(request), "definition"), actorOf(request));
    return reply.redirect(`/?app=${encodeURIComponent(app)}&done=installed`, 303);
  });
  const found = (request: FastifyRequest) =>
    services.apps().find(({ app }) => app === (request.params as { app: string }).app);
  server.get("/apps/:app/uninstall", administrator, async (request, reply) => {
    const app = found(request);
    if (app === undefined) return sendHtml(reply.code(404), notFoundPage(frameOf(request), "There is no such app."));
    const hooks = services.hooks().filter((hook) => hook.app === app.app);
    return sendHtml(reply, uninstallPage(frameOf(request, "/"), app, hooks));
  });
  server.post("/apps/:app/uninstall", administrator, async (request, reply) => {
    const app = found(request);
    if (app === undefined) return sendHtml(reply.code(404), notFoundPage(frameOf(request), "There is no such app."));
    await services.uninstallApp(app.app, actorOf(request));
    return reply.redirect("/?done=uninstalled", 303);
  });
}

function matches(hook: AdminHook, { q, app, type }: HookFilter): boolean {
  if (app && hook.app !== app) return false;
  if (type && hook.type !== type) return false;
  if (!q) return true;
  const wanted = q.trim().toLowerCase();
  return [
    hook.displayEventName,
    hook.eventName,
    hook.description,
    hook.address ?? "",
    hook.url ?? "",
    ...hook.aliases,
  ].some((text) => text.toLowerCase().includes(wanted));
}

/** A state that a form or the API names. Throws `OperatorError` for anything else. */
function stateIn(text: string): HookState {
  if (text === "enabled" || text === "disabled" || text === "paused") return text;
  throw new OperatorError(`${JSON.stringify(text)} is no state`, "use enabled, disabled or paused");
}

/** A type that a form or the API names. Throws `OperatorError` for anything else. */
function typeIn(text: string): HookType {
  if (text === "email" || text === "form" || text === "web") return text;
  throw new OperatorError(`${JSON.stringify(text)} is no type`, "use email, form or web");
}
