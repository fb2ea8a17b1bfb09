import { Readable } from "node:stream";

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { summaryOf, textAt } from "../event-view.ts";
import { frameOf } from "../frame.ts";
import { sendFile, sendMailHtml } from "../files.ts";
import type { JsonTree } from "../json-tree.ts";
import { memberOf, parseJsonTree } from "../json-tree.ts";
import type { MailContent } from "../pages/event.ts";
import { eventPage } from "../pages/event.ts";
import type { EventFilter } from "../pages/events.ts";
import { eventsPage } from "../pages/events.ts";
import { pathWith } from "../pages/parts.ts";
import { failurePage, notFoundPage } from "../pages/not-found.ts";
import { sendHtml } from "../replies.ts";
import type { Sight } from "../sight.ts";
import type { AdminServices, Entry } from "../services.ts";

const viewer = { config: { role: "viewer" } } as const;
const EVENTS_PER_PAGE = 50;
const SUGGESTED_HOOKS = 200;
const HEARTBEAT_MS = 15_000;
const SHOWN_PER_SECOND = 20;
const LIVE_MS = 5 * 60_000;

type Query = Readonly<Record<string, string | undefined>>;

/** Pages of events, and the stream of those that arrive. */
export function eventRoutes(server: FastifyInstance, services: AdminServices): void {
  server.get<{ Querystring: Query }>("/events", viewer, async (request, reply) => {
    const filter = filterOf(request.query);
    const { before, until, q, hook, app } = filter;
    const { outcome } = request.query;
    if (outcome === "dead") return reply.redirect(pathWith("/dead-letters", { q, hook, app }), 303);
    if (outcome === "refused") return reply.redirect(pathWith("/refused", { q: hook ?? q }), 303);
    const newerThan = until ? await services.eventsFrom(new Date(`${until}Z`)) : undefined;
    const { sight } = request;
    const page = sight.page(
      await services.events(
        sight.wish({
          before: before ?? newerThan,
          limit: EVENTS_PER_PAGE,
          subjects: subjectsOf(filter, services),
          text: filter.q,
        }),
      ),
    );
    return sendHtml(
      reply,
      eventsPage(frameOf(request, "/events"), {
        filter,
        events: page.entries.map((entry) => summaryOf(entry, nameOf(entry, services))),
        next: page.next,
        lookedAt: page.lookedAt,
        hooks: services.hooks().slice(0, SUGGESTED_HOOKS),
        apps: services.apps().map(({ app }) => app),
      }),
    );
  });
  server.get<{ Querystring: Query }>(
    "/api/v1/events/live",
    { config: { role: "viewer", isBackground: true } },
    (request, reply) => follow(request, reply, services),
  );
  oneEvent(server, services);
}

function oneEvent(server: FastifyInstance, services: AdminServices): void {
  const found = async (request: FastifyRequest): Promise<Opened | undefined> => {
    const entry = await services.event(sequenceIn(request));
    return entry === undefined ? undefined : open(entry, request.sight, services);
  };
  const missing = (request: FastifyRequest, reply: FastifyReply, what: string) =>
    sendHtml(reply.code(404), notFoundPage(frameOf(request, "/events"), what));
  server.get("/events/:sequence", viewer, async (request, reply) => {
    const opened = await found(request);
    if (opened === undefined) return missing(request, reply, "This event is no longer in the stream.");
    const content = await contentOf(opened, request.sight, services);
    const hookName = services.hook(opened.entry.subject)?.displayEventName;
    const maySeeRaw = request.sight.rawMail;
    return sendHtml(reply, eventPage(frameOf(request, "/events"), { ...opened, content, hookName, maySeeRaw }));
  });
  server.get("/events/:sequence/html", viewer, async (request, reply) => {
    const opened = await found(request);
    return sendMailHtml(request, reply, opened && (await contentOf(opened, request.sight, services))?.html);
  });
  server.get("/events/:sequence/raw", { config: { role: "administrator" } }, async (request, reply) => {
    const opened = await found(request);
    const object = textAt(memberOf(opened?.data, "mail"), "object");
    const bytes = object === undefined ? undefined : await services.object(object);
    return bytes === undefined
      ? missing(request, reply, "The raw mail is not kept any more.")
      : sendFile(reply, bytes, `${sequenceIn(request)}.eml`);
  });
  server.get("/events/:sequence/files/:index", viewer, async (request, reply) => {
    const opened = await found(request);
    const list = memberOf(memberOf(opened?.data, "mail"), "attachments") ?? memberOf(opened?.data, "files");
    const { index } = request.params as { index: string };
    const file = list?.kind === "array" ? list.items[Number(index)] : undefined;
    const content = textAt(file, "content");
    const object = textAt(file, "object");
    const bytes =
      content !== undefined
        ? Buffer.from(content, "base64")
        : object === undefined
          ? undefined
          : await services.object(object);
    if (bytes === undefined) return missing(request, reply, "The file is not kept any more.");
    if (!request.sight.file(bytes))
      return sendHtml(
        reply.code(403),
        failurePage(frameOf(request, "/events"), "You may not do this", "The file holds a hook's key."),
      );
    return sendFile(reply, bytes, textAt(file, "filename") ?? `file-${index}`);
  });
}

interface Opened {
  readonly entry: Entry;
  readonly event: JsonTree | undefined;
  readonly data: JsonTree | undefined;
}

/** The event and its `data`, brought from the Object Store where it does not travel inside. */
async function open(whole: Entry, sight: Sight, services: AdminServices): Promise<Opened> {
  const entry = sight.entry(whole);
  const event = parseJsonTree(entry.text);
  const inside = memberOf(event, "data");
  if (inside !== undefined) return { entry, event, data: inside };
  const name = /^nats-object:\/\/[^/]+\/(.+)$/.exec(textAt(event, "dataref") ?? "")?.[1];
  const bytes = name === undefined ? undefined : await services.object(name);
  const text = bytes === undefined ? undefined : sight.text(Buffer.from(bytes).toString("utf8"));
  return { entry, event, data: text === undefined ? undefined : parseJsonTree(text) };
}

/** Text, HTML and headers: those of the event, else those of the raw mail where it is kept and may be seen. */
async function contentOf({ data }: Opened, sight: Sight, services: AdminServices): Promise<MailContent | undefined> {
  const mail = memberOf(data, "mail");
  if (mail === undefined) return undefined;
  const fields = memberOf(mail, "headers");
  const content = {
    text: textAt(mail, "text") ?? null,
    html: textAt(mail, "html") ?? null,
    headers:
      fields?.kind === "array"
        ? fields.items.map((field) => ({ name: textAt(field, "name") ?? "", value: textAt(field, "value") ?? "" }))
        : [],
    truncated: memberOf(mail, "textTruncated")?.kind === "scalar" && isTrue(memberOf(mail, "textTruncated")),
  };
  const object = textAt(mail, "object");
  if (object === undefined || !sight.rawMail || (content.html !== null && content.headers.length > 0)) return content;
  const raw = await services.object(object);
  const report = raw === undefined ? undefined : await services.readMail(raw, {});
  if (report?.kind !== "read") return content;
  return {
    ...content,
    text: content.text ?? report.text,
    html: content.html ?? report.html,
    headers: content.headers.length > 0 ? content.headers : report.headers,
  };
}

const isTrue = (tree: JsonTree | undefined): boolean => tree?.kind === "scalar" && tree.text === "true";

/** New events as server-sent events, until the browser goes or the session ends. */
function follow(request: FastifyRequest<{ Querystring: Query }>, reply: FastifyReply, services: AdminServices) {
  const filter = filterOf(request.query);
  const subjects = subjectsOf(filter, services);
  const wanted = subjects === undefined ? undefined : new Set(subjects);
  const text = filter.q?.trim().toLowerCase();
  const ended = new AbortController();
  // A browser that was cut off says what it has seen.
  const after = Number(request.headers["last-event-id"]);
  const lines = async function* (): AsyncGenerator<string> {
    const entries = await services.followEvents(
      ended.signal,
      Number.isSafeInteger(after) && after > 0 ? after : undefined,
    );
    yield "retry: 3000\n: connected\n\n";
    let second = 0;
    let shown = 0;
    let passed = 0;
    for await (const whole of entries) {
      if (wanted !== undefined && !wanted.has(whole.subject)) continue;
      const entry = request.sight.entry(whole);
      if (text && !entry.text.toLowerCase().includes(text)) continue;
      const now = Math.floor(services.now() / 1_000);
      if (now !== second) [second, shown] = [now, 0];
      shown += 1;
      // Nobody reads more than that, and the browser should not have to draw it.
      if (shown > SHOWN_PER_SECOND) {
        passed += 1;
        continue;
      }
      if (passed > 0) yield `event: passed\ndata: ${passed}\n\n`;
      passed = 0;
      yield `id: ${entry.sequence}\ndata: ${JSON.stringify(summaryOf(entry, nameOf(entry, services)))}\n\n`;
    }
  };
  const stream = Readable.from(lines());
  // Proxies close what is silent.
  const heartbeat = setInterval(() => reply.raw.write(": still here\n\n"), HEARTBEAT_MS);
  // The browser comes back at once, and is asked again who it is.
  const lifetime = setTimeout(() => ended.abort(), LIVE_MS);
  reply.raw.once("close", () => {
    clearInterval(heartbeat);
    clearTimeout(lifetime);
    ended.abort();
    stream.destroy();
  });
  return reply.type("text/event-stream; charset=utf-8").header("X-Accel-Buffering", "no").send(stream);
}

const nameOf = ({ subject }: Entry, services: AdminServices): string => services.hook(subject)?.displayEventName ?? "";

function filterOf(query: Query): EventFilter {
  const { app, hook, q, until, before } = query;
  const sequence = Number(before);
  return {
    app: app || undefined,
    hook: hook || undefined,
    q: q || undefined,
    until: /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?$/.test(until ?? "") ? until : undefined,
    before: Number.isSafeInteger(sequence) && sequence > 0 ? sequence : undefined,
  };
}

/** The subjects that a filter lets through; undefined for all, and a name that nothing is published on for none. */
function subjectsOf({ app, hook }: EventFilter, services: AdminServices): string[] | undefined {
  if (hook) return /^[\w.-]+$/.test(hook) ? [hook] : ["kustomer.app.none"];
  if (!app) return undefined;
  const names = services.hooks().filter((one) => one.app === app);
  return names.length === 0 ? ["kustomer.app.none"] : names.map(({ eventName }) => eventName);
}

function sequenceIn(request: FastifyRequest): number {
  const { sequence } = request.params as { sequence: string };
  return /^\d{1,15}$/.test(sequence) ? Math.max(1, Number(sequence)) : Number.MAX_SAFE_INTEGER;
}
