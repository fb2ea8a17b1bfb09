import { Type } from "typebox";

import { isNestedDeeper } from "../../lib/json-depth.ts";
import { OperatorError } from "../../model/operator-error.ts";
import { actorOf } from "../frame.ts";
import { NotFound } from "../not-found.ts";
import type { AdminServices, FoundItem, MailReport } from "../services.ts";
import type { ApiCall } from "./call.ts";
import { JsonBody } from "./call.ts";
import { parameter, sequence } from "./read-calls.ts";

/** Definitions themselves are held to less, with a better message. */
const MAX_DEPTH = 1_000;
const EXTRACT_BYTES = 40 * 1024 * 1024;

const Definition = Type.Object(
  { app: Type.String() },
  { description: "An app definition", additionalProperties: true },
);
const InstallQuery = Type.Object({
  dryRun: Type.Optional(Type.Boolean({ description: "Only say what would change" })),
});
const NewHook = Type.Object({
  type: Type.Union([Type.Literal("email"), Type.Literal("form"), Type.Literal("web")]),
  name: Type.String({ minLength: 1, maxLength: 200 }),
  eventName: Type.Optional(Type.String()),
});
const State = Type.Object({
  state: Type.Union([Type.Literal("enabled"), Type.Literal("disabled"), Type.Literal("paused")]),
});
const NewKey = Type.Object({
  app: Type.String(),
  eventName: Type.Optional(Type.String()),
  expiresInDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })),
});
const TakeQuery = Type.Object({
  hook: Type.Optional(Type.String({ description: "With the options of this hook" })),
  selectType: Type.Optional(Type.String()),
  selectFilename: Type.Optional(Type.String()),
  jsonld: Type.Optional(
    Type.Union([Type.Literal("as-sent"), Type.Literal("compact"), Type.Literal("expand"), Type.Literal("flatten")]),
  ),
});

/** What the API changes; each change is in the audit log. */
export function changeCalls(services: AdminServices): ApiCall[] {
  return [...hookCalls(services), ...aliasCalls(services), ...keyCalls(services), ...letterCalls(services)];
}

function hookCalls(services: AdminServices): ApiCall[] {
  const role = "administrator";
  return [
    {
      method: "POST",
      path: "/apps",
      summary: "Install an app, or upgrade it; ids of hooks are kept",
      role,
      query: InstallQuery,
      body: Definition,
      answer: (request) => {
        // What is deeper than any definition cannot even be written down again.
        if (isNestedDeeper(request.body, MAX_DEPTH))
          throw new OperatorError("the definition nests too deep", "nest its schemas less; nothing was installed");
        const text = JSON.stringify(request.body);
        const { dryRun } = request.query as Type.Static<typeof InstallQuery>;
        return dryRun === true ? services.previewInstall(text) : services.installApp(text, actorOf(request));
      },
    },
    {
      method: "DELETE",
      path: "/apps/:app",
      summary: "Take an app and its hooks away; stored events stay",
      role,
      status: 204,
      answer: async (request) => {
        const name = parameter(request, "app");
        if (!services.apps().some(({ app }) => app === name)) throw new NotFound("no such app");
        await services.uninstallApp(name, actorOf(request));
      },
    },
    {
      method: "POST",
      path: "/hooks",
      summary: "Make a hook without an app definition",
      role,
      body: NewHook,
      status: 201,
      answer: (request) => {
        const { type, name, eventName } = request.body as Type.Static<typeof NewHook>;
        return services.createHook({ type, name, ...(eventName !== undefined && { eventName }) }, actorOf(request));
      },
    },
    {
      method: "POST",
      path: "/hooks/:event/rotate",
      summary: "Give a hook a new id; the old address or URL stops working at once",
      role,
      answer: (request) => services.rotateHook(known(services, parameter(request, "event")), actorOf(request)),
    },
    {
      method: "PUT",
      path: "/hooks/:event/state",
      summary: "Enable, disable or pause a hook",
      role,
      body: State,
      answer: (request) => {
        const { state } = request.body as Type.Static<typeof State>;
        return services.setHookState(known(services, parameter(request, "event")), state, actorOf(request));
      },
    },
  ];
}

const Alias = Type.Object({ address: Type.String({ minLength: 3, maxLength: 320 }) });

function aliasCalls(services: AdminServices): ApiCall[] {
  const role = "administrator";
  const addressIn = (body: unknown) => (body as Type.Static<typeof Alias>).address;
  return [
    {
      method: "POST",
      path: "/hooks/:event/aliases",
      summary: "Give an email hook a second address in one of our mail domains",
      role,
      body: Alias,
      answer: (request) =>
        services.addAlias(known(services, parameter(request, "event")), addressIn(request.body), actorOf(request)),
    },
    {
      method: "DELETE",
      path: "/hooks/:event/aliases",
      summary: "Take a second address away",
      role,
      body: Alias,
      answer: (request) =>
        services.removeAlias(known(services, parameter(request, "event")), addressIn(request.body), actorOf(request)),
    },
  ];
}

function keyCalls(services: AdminServices): ApiCall[] {
  const role = "administrator";
  return [
    {
      method: "POST",
      path: "/keys",
      summary: "Make an API key; its secret is in this answer and nowhere else",
      role,
      body: NewKey,
      status: 201,
      answer: (request) => services.createKey(request.body as Type.Static<typeof NewKey>, actorOf(request)),
    },
    {
      method: "DELETE",
      path: "/keys/:key",
      summary: "Stop a key from opening anything",
      role,
      status: 204,
      answer: async (request) => {
        const keyId = parameter(request, "key");
        if (!services.keys().some((key) => key.keyId === keyId)) throw new NotFound("no such key");
        await services.revokeKey(keyId, actorOf(request));
      },
    },
  ];
}

function letterCalls(services: AdminServices): ApiCall[] {
  const role = "operator";
  return [
    {
      method: "POST",
      path: "/dead-letters/:sequence/replay",
      summary: "Run a dead letter through the same path as a new mail",
      role,
      answer: (request) => services.startReplay()(sequence(request), actorOf(request)),
    },
    {
      method: "DELETE",
      path: "/dead-letters/:sequence",
      summary: "Take a dead letter away for good",
      role,
      status: 204,
      answer: async (request) => {
        if (!(await services.discardDeadLetter(sequence(request), actorOf(request))))
          throw new NotFound("no such dead letter");
      },
    },
    {
      method: "POST",
      path: "/extract",
      summary: "What would be extracted from a mail, page or text, sent as application/octet-stream; nothing is stored",
      role: "viewer",
      query: TakeQuery,
      bodyLimit: EXTRACT_BYTES,
      answer: async (request) => {
        const { hook: eventName, ...options } = request.query as Type.Static<typeof TakeQuery>;
        if (!Buffer.isBuffer(request.body) || request.body.length === 0)
          throw new OperatorError("there is nothing to look at", "send the bytes as application/octet-stream");
        return reportText(await services.readMail(request.body, { ...options, eventName }));
      },
    },
  ];
}

/** The report as JSON, digits as sent. */
function reportText(report: MailReport): JsonBody {
  if (report.kind === "unread") throw new OperatorError(report.why, "send something smaller, or try again");
  const { payload, deadLetter, skipped, notes, items } = report;
  return new JsonBody(
    `{"items":[${items.map(itemText).join(",")}],"payload":${payload ?? "null"},"deadLetter":${JSON.stringify(deadLetter)},"skipped":${JSON.stringify(skipped)},"notes":${JSON.stringify(notes)}}`,
  );
}

const itemText = ({ json, isPayload, ...item }: FoundItem): string =>
  `${JSON.stringify({ ...item, isPayload }).slice(0, -1)},"value":${json}}`;

function known(services: AdminServices, eventName: string): string {
  if (services.hook(eventName) === undefined) throw new NotFound("no such hook");
  return eventName;
}
