import type { FastifyRequest } from "fastify";
import { Type } from "typebox";

import { parseJsonTree } from "../json-tree.ts";
import { NotFound } from "../not-found.ts";
import type { AdminServices, Entry, EntryPage, EntryWish } from "../services.ts";
import type { ApiCall } from "./call.ts";
import { JsonBody } from "./call.ts";

const MOST = 500;
/** Everybody who is signed in; what each of them sees of it, `request.sight` says. */
const role = "viewer";

const PageQuery = Type.Object({
  before: Type.Optional(Type.Integer({ minimum: 1, description: "Only entries before this sequence" })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST, default: 50 })),
  q: Type.Optional(Type.String({ description: "A part of the entry's text, in any case" })),
});
const EventQuery = Type.Object({
  ...PageQuery.properties,
  app: Type.Optional(Type.String()),
  hook: Type.Optional(Type.String({ description: "An event name" })),
});
const DeadQuery = Type.Object({
  ...PageQuery.properties,
  reason: Type.Optional(Type.String({ pattern: "^[a-z-]{1,40}$" })),
});
const HookQuery = Type.Object({
  app: Type.Optional(Type.String()),
  type: Type.Optional(Type.String()),
});

/** What the API shows. */
export function readCalls(services: AdminServices): ApiCall[] {
  return [
    { method: "GET", path: "/apps", role, summary: "Installed apps", answer: () => services.apps() },
    {
      method: "GET",
      path: "/hooks",
      role,
      summary: "Hooks with their addresses and URLs",
      query: HookQuery,
      answer: (request) => {
        const { app, type } = request.query as Type.Static<typeof HookQuery>;
        return services
          .hooks()
          .map(request.sight.hook)
          .filter((hook) => (app === undefined || hook.app === app) && (type === undefined || hook.type === type));
      },
    },
    {
      method: "GET",
      path: "/hooks/:event",
      role,
      summary: "One hook",
      answer: (request) => request.sight.hook(found(services.hook(parameter(request, "event")), "no such hook")),
    },
    {
      method: "GET",
      path: "/events",
      role,
      summary: "Stored events, newest first",
      query: EventQuery,
      answer: async (request) => {
        const { app, hook } = request.query as Type.Static<typeof EventQuery>;
        const ofApp = services.hooks().filter((one) => one.app === app);
        const subjects =
          hook !== undefined ? [hook] : app !== undefined ? ofApp.map((one) => one.eventName) : undefined;
        if (subjects?.length === 0 || subjects?.some((subject) => !/^[\w.-]+$/.test(subject)) === true)
          return { entries: [], next: null };
        return pageText(request, await services.events({ ...wishOf(request), subjects }));
      },
    },
    {
      method: "GET",
      path: "/events/:sequence",
      role,
      summary: "One event, as stored",
      answer: async (request) =>
        entryText(request.sight.entry(found(await services.event(sequence(request)), "no such event"))),
    },
    {
      method: "GET",
      path: "/dead-letters",
      role,
      summary: "Dead letters, newest first",
      query: DeadQuery,
      answer: async (request) => {
        const { reason } = request.query as Type.Static<typeof DeadQuery>;
        const contains = reason === undefined ? undefined : `"reason":{"code":"${reason}"`;
        return pageText(request, await services.deadLetters({ ...wishOf(request), contains }));
      },
    },
    {
      method: "GET",
      path: "/dead-letters/:sequence",
      role,
      summary: "One dead letter, as stored",
      answer: async (request) =>
        entryText(request.sight.entry(found(await services.deadLetter(sequence(request)), "no such dead letter"))),
    },
    {
      method: "GET",
      path: "/refused",
      role,
      summary: "Refused calls and mails of the last 24 hours",
      query: PageQuery,
      answer: async (request) => pageText(request, await services.refused(wishOf(request))),
    },
    {
      method: "GET",
      path: "/audit",
      summary: "Who changed what and when",
      role: "administrator",
      query: PageQuery,
      answer: async (request) => pageText(request, await services.audit(wishOf(request))),
    },
    { method: "GET", path: "/keys", role, summary: "API keys, without their secrets", answer: () => services.keys() },
    {
      method: "GET",
      path: "/health",
      role,
      summary: "Findings, streams, subscribers and this replica's last hour",
      answer: async () => {
        const [checks, streams, subscribers, activity] = await Promise.all([
          services.checkHealth(),
          services.streams().catch(() => []),
          services.subscribers().catch(() => []),
          services.activity(),
        ]);
        const { outcomes, ...rest } = activity;
        return { checks, streams, subscribers, activity: { ...rest, outcomes: Object.fromEntries(outcomes) } };
      },
    },
  ];
}

function wishOf(request: FastifyRequest): EntryWish {
  const { before, limit = 50, q } = request.query as Type.Static<typeof PageQuery>;
  return request.sight.wish({ before, limit, text: q });
}

/** Entries with their JSON as it stands in the stream. */
function pageText({ sight }: FastifyRequest, page: EntryPage): JsonBody {
  const { entries, next } = sight.page(page);
  return new JsonBody(
    `{"entries":[${entries.map((entry) => entryText(entry).text).join(",")}],"next":${next ?? "null"}}`,
  );
}

function entryText({ sequence: number, subject, storedAt, text }: Entry): JsonBody {
  const value = parseJsonTree(text) === undefined ? JSON.stringify(text) : text;
  return new JsonBody(
    `{"sequence":${number},"subject":${JSON.stringify(subject)},"storedAt":${JSON.stringify(storedAt)},"value":${value}}`,
  );
}

/** A parameter of the path. */
export function parameter(request: FastifyRequest, name: string): string {
  return (request.params as Readonly<Record<string, string>>)[name] ?? "";
}

/** The sequence that the path names. Throws `NotFound` when it is none. */
export function sequence(request: FastifyRequest): number {
  const text = parameter(request, "sequence");
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new NotFound("no such entry");
  return Number(text);
}

function found<T>(value: T | undefined, sentence: string): T {
  if (value === undefined) throw new NotFound(sentence);
  return value;
}
