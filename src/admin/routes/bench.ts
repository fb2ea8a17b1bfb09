import { isUtf8 } from "node:buffer";

import type { FastifyInstance, FastifyRequest } from "fastify";

import { textAt } from "../event-view.ts";
import { fileOrText, formOf, textField } from "../forms.ts";
import { actorOf, frameOf } from "../frame.ts";
import { parseJsonTree } from "../json-tree.ts";
import type { BenchView } from "../pages/bench.ts";
import { benchPage } from "../pages/bench.ts";
import { failurePage } from "../pages/not-found.ts";
import { sendHtml } from "../replies.ts";
import type { AdminServices, TakeOptions } from "../services.ts";

const SUGGESTED_HOOKS = 200;
/** A whole mail of the largest size, as base64. */
const BODY_BYTES = 40 * 1024 * 1024;
/** What goes back into the form, to be looked at again with other options. */
const KEPT_BYTES = 1024 * 1024;
const viewer = { config: { role: "viewer" } } as const;
const FORMS = ["as-sent", "compact", "expand", "flatten"] as const;

/** The test bench. Looking changes nothing; sending is for operators, and the raw mail of a dead letter for administrators. */
export function benchRoutes(server: FastifyInstance, services: AdminServices): void {
  const plain = (request: FastifyRequest): Pick<BenchView, "hooks" | "maySend"> => ({
    hooks: services.hooks().slice(0, SUGGESTED_HOOKS),
    maySend: request.person?.role !== "viewer",
  });
  server.get("/bench", viewer, async (request, reply) => {
    const { dead } = request.query as { readonly dead?: string };
    if (dead !== undefined && !request.sight.rawMail)
      return sendHtml(
        reply.code(403),
        failurePage(frameOf(request, "/bench"), "You may not do this", "The raw mail is for administrators."),
      );
    const letter = dead === undefined ? undefined : await services.deadLetter(Number(dead) || 0);
    if (letter === undefined) {
      return sendHtml(
        reply,
        benchPage(frameOf(request, "/bench"), { ...plain(request), input: undefined, options: {} }),
      );
    }
    const tree = parseJsonTree(letter.text);
    const object = textAt(tree, "object");
    const bytes = object === undefined ? undefined : await services.object(object);
    const options = { eventName: textAt(tree, "eventName") };
    return sendHtml(
      reply,
      benchPage(frameOf(request, "/bench"), await looked(bytes, options, plain(request), services)),
    );
  });
  server.post("/bench", { ...viewer, bodyLimit: BODY_BYTES }, async (request, reply) => {
    const form = formOf(request);
    const base64 = textField(form, "base64");
    const given = await fileOrText(form, "file", "input");
    const bytes = given.length === 0 && base64 !== "" ? Buffer.from(base64, "base64") : given;
    const options = optionsIn(form);
    const view = await looked(bytes, options, plain(request), services);
    if (textField(form, "do") !== "send" || !view.maySend)
      return sendHtml(reply, benchPage(frameOf(request, "/bench"), view));
    const eventName = options.eventName ?? "";
    const answer = await services.send(eventName, bytes, actorOf(request));
    return sendHtml(reply, benchPage(frameOf(request, "/bench"), { ...view, sent: { eventName, answer } }));
  });
}

async function looked(
  bytes: Uint8Array | undefined,
  options: TakeOptions,
  plain: Pick<BenchView, "hooks" | "maySend">,
  services: AdminServices,
): Promise<BenchView> {
  if (bytes === undefined || bytes.length === 0) return { ...plain, input: undefined, options };
  const report = await services.readMail(bytes, options);
  return { ...plain, input: inputOf(bytes), options, kind: services.kindOf(bytes), report };
}

function inputOf(bytes: Uint8Array): NonNullable<BenchView["input"]> {
  if (bytes.length > KEPT_BYTES) return { tooLarge: true };
  const buffer = Buffer.from(bytes);
  return isUtf8(buffer) && !buffer.includes(0)
    ? { text: buffer.toString("utf8") }
    : { base64: buffer.toString("base64") };
}

function optionsIn(form: FormData): TakeOptions {
  const jsonld = textField(form, "jsonld");
  return {
    eventName: textField(form, "eventName").trim() || undefined,
    selectType: textField(form, "selectType").trim() || undefined,
    selectFilename: textField(form, "selectFilename").trim() || undefined,
    jsonld: FORMS.find((name) => name === jsonld),
  };
}
