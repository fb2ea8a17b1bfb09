import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { textAt } from "../event-view.ts";
import { sendFile, sendMailHtml } from "../files.ts";
import { formOf, textField } from "../forms.ts";
import { actorOf, frameOf } from "../frame.ts";
import type { Jobs, Step } from "../jobs.ts";
import { memberOf, parseJsonTree } from "../json-tree.ts";
import { deadLetterPage, deadLettersPage, discardPage } from "../pages/dead-letters.ts";
import { jobPage } from "../pages/job.ts";
import { failurePage, notFoundPage } from "../pages/not-found.ts";
import { sendHtml } from "../replies.ts";
import type { Actor, AdminServices, Entry, MailReport, ReplayLetter } from "../services.ts";

const PER_PAGE = 50;
const SHOWN_CONFIRMATIONS = 10;
const MENU = "/dead-letters";
const viewer = { config: { role: "viewer" } } as const;
const operator = { config: { role: "operator" } } as const;
type Query = Readonly<Record<string, string | undefined>>;

/** Pages of dead letters, and what is done to one or to many. */
export function deadLetterRoutes(server: FastifyInstance, services: AdminServices, jobs: Jobs): void {
  server.get<{ Querystring: Query }>("/dead-letters", viewer, async (request, reply) => {
    const { q, hook, app } = request.query;
    const reason = /^[a-z-]{1,40}$/.test(request.query["reason"] ?? "") ? request.query["reason"] : undefined;
    const before = Number(request.query["before"]) || undefined;
    const [page, counts, confirmations] = await Promise.all([
      services.deadLetters(
        request.sight.wish({
          before,
          limit: PER_PAGE,
          text: q,
          subjects: subjectsOf(app, hook),
          ...(reason !== undefined && { contains: ofReason(reason) }),
        }),
      ),
      services.deadLetterCounts(),
      services.deadLetters({ limit: SHOWN_CONFIRMATIONS, contains: ofReason("forwarding-confirmation") }),
    ]);
    const mayAct = request.person?.role !== "viewer";
    const filter = { q: q || undefined, hook: hook || undefined, app: app || undefined, reason };
    const view = {
      ...request.sight.page(page),
      ...counts,
      before,
      filter,
      mayAct,
      apps: services.apps().map((one) => one.app),
      confirmations: request.sight.page(confirmations).entries,
    };
    return sendHtml(reply, deadLettersPage(frameOf(request, MENU), view));
  });
  one(server, services);
  bulk(server, services, jobs);
}

/** One hook's, one app's, or all; a name that cannot be a subject leads to none. */
function subjectsOf(app: string | undefined, hook: string | undefined): string[] | undefined {
  const nothing = ["posthorn.dead.none"];
  if (hook) return /^[\w.-]+$/.test(hook) ? [`posthorn.dead.*.${hook}`] : nothing;
  if (app) return /^[\w-]+$/.test(app) ? [`posthorn.dead.${app}.>`] : nothing;
  return undefined;
}

const ofReason = (reason: string): string => `"reason":{"code":"${reason}"`;

function one(server: FastifyInstance, services: AdminServices): void {
  const missing = (request: FastifyRequest, reply: FastifyReply) =>
    sendHtml(
      reply.code(404),
      notFoundPage(frameOf(request, MENU), "This dead letter is gone: replayed, discarded or expired."),
    );
  server.get("/dead-letters/:sequence", viewer, async (request, reply) => {
    const whole = await services.deadLetter(sequenceIn(request));
    if (whole === undefined) return missing(request, reply);
    const { sight } = request;
    const entry = sight.entry(whole);
    const letter = parseJsonTree(entry.text);
    const report = await reportOf(whole, services);
    return sendHtml(
      reply,
      deadLetterPage(frameOf(request, MENU), {
        entry,
        letter,
        report: report && sight.report(report),
        hookName: services.hook(textAt(letter, "eventName") ?? "")?.displayEventName,
        mayAct: request.person?.role !== "viewer",
        maySeeRaw: sight.rawMail,
      }),
    );
  });
  server.get("/dead-letters/:sequence/html", { config: { role: "administrator" } }, async (request, reply) => {
    const entry = await services.deadLetter(sequenceIn(request));
    const report = entry === undefined ? undefined : await reportOf(entry, services);
    return sendMailHtml(request, reply, report?.kind === "read" ? report.html : undefined);
  });
  server.get("/dead-letters/:sequence/raw", { config: { role: "administrator" } }, async (request, reply) => {
    const entry = await services.deadLetter(sequenceIn(request));
    const bytes = entry === undefined ? undefined : await rawOf(entry, services);
    return bytes === undefined ? missing(request, reply) : sendFile(reply, bytes, `dead-${sequenceIn(request)}.eml`);
  });
  server.post("/dead-letters/:sequence/replay", operator, async (request, reply) => {
    const { kind, why } = await services.startReplay()(sequenceIn(request), actorOf(request));
    if (kind === "published") return reply.redirect("/dead-letters?done=replayed", 303);
    const title = kind === "dead-again" ? "It would be a dead letter again" : "It cannot be replayed now";
    return sendHtml(reply.code(409), failurePage(frameOf(request, MENU), title, why ?? ""));
  });
  server.get("/dead-letters/:sequence/discard", operator, async (request, reply) => {
    const here = `/dead-letters/${sequenceIn(request)}`;
    return sendHtml(reply, discardPage(frameOf(request, MENU), "this dead letter", `${here}/discard`, [], here));
  });
  server.post("/dead-letters/:sequence/discard", operator, async (request, reply) => {
    await services.discardDeadLetter(sequenceIn(request), actorOf(request));
    return reply.redirect("/dead-letters?done=discarded", 303);
  });
}

function bulk(server: FastifyInstance, services: AdminServices, jobs: Jobs): void {
  server.post("/dead-letters/bulk", operator, async (request, reply) => {
    const form = formOf(request);
    const action = textField(form, "do");
    const reason = textField(form, "reason");
    const sequences = form.getAll("sequence").map(Number).filter(Number.isSafeInteger);
    const isAll = action.endsWith("-all");
    if (!isAll && sequences.length === 0)
      return sendHtml(
        reply.code(422),
        failurePage(frameOf(request, MENU), "Nothing was chosen", "Go back and tick the dead letters that are meant."),
      );
    if (action.startsWith("discard") && textField(form, "sure") !== "yes") {
      const what = isAll ? `all dead letters of the reason ${reason}` : `${sequences.length} dead letters`;
      const fields = [
        ["do", action],
        ["sure", "yes"],
        ["reason", reason],
        ...sequences.map((sequence) => ["sequence", String(sequence)] as const),
      ] as const;
      return sendHtml(reply, discardPage(frameOf(request, MENU), what, "/dead-letters/bulk", fields, MENU));
    }
    const verb = action.startsWith("discard") ? "Discarding" : "Replaying";
    const by = actorOf(request);
    const replay = services.startReplay();
    const each = (sequence: number) =>
      action.startsWith("discard") ? discardStep(sequence, services, by) : replayStep(sequence, replay, by);
    const job = isAll
      ? jobs.start(`${verb} all of ${reason}`, sequencesOf(services, reason), undefined, each)
      : jobs.start(`${verb} ${sequences.length} dead letters`, sequences, sequences.length, each);
    return reply.redirect(`/jobs/${job.jobId}`, 303);
  });
  server.get("/jobs/:job", viewer, async (request, reply) => {
    const job = jobs.find((request.params as { job: string }).job);
    if (job === undefined)
      return sendHtml(reply.code(404), notFoundPage(frameOf(request, MENU), "That work is long done."));
    if (!job.isEnded) reply.header("Refresh", "1");
    return sendHtml(reply, jobPage(frameOf(request, MENU), job, MENU));
  });
}

async function discardStep(sequence: number, services: AdminServices, by: Actor): Promise<Step> {
  return { outcome: (await services.discardDeadLetter(sequence, by)) ? "discarded" : "gone already" };
}

async function replayStep(sequence: number, replay: ReplayLetter, by: Actor): Promise<Step> {
  const { kind, why } = await replay(sequence, by);
  if (kind === "published") return { outcome: "became events" };
  return {
    outcome: kind === "dead-again" ? "would be dead letters again" : "could not be replayed",
    trouble: { what: `number ${sequence}`, why: why ?? "" },
  };
}

/** Those that are there now: a replay that dies again makes a new letter, which is not replayed for ever. */
async function* sequencesOf(services: AdminServices, reason: string): AsyncGenerator<number> {
  const now = await services.deadLetters({ limit: 1 });
  const last = now.entries[0]?.sequence ?? 0;
  for await (const { sequence } of services.allDeadLetters(reason)) {
    if (sequence > last) return;
    yield sequence;
  }
}

async function rawOf(entry: Entry, services: AdminServices): Promise<Uint8Array | undefined> {
  const object = textAt(parseJsonTree(entry.text), "object");
  return object === undefined ? undefined : services.object(object);
}

async function reportOf(entry: Entry, services: AdminServices): Promise<MailReport | undefined> {
  if (memberOf(parseJsonTree(entry.text), "mail") === undefined) return undefined;
  const raw = await rawOf(entry, services);
  if (raw === undefined) return { kind: "unread", why: "The mail itself is not kept any more" };
  return services.readMail(raw, { eventName: textAt(parseJsonTree(entry.text), "eventName") });
}

function sequenceIn(request: FastifyRequest): number {
  const { sequence } = request.params as { sequence: string };
  return /^\d{1,15}$/.test(sequence) ? Math.max(1, Number(sequence)) : Number.MAX_SAFE_INTEGER;
}
