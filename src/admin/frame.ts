import type { FastifyRequest } from "fastify";

import type { Frame } from "./pages/layout.ts";
import type { Actor } from "./services.ts";

/** What is said once after something was done; a link names the sentence and cannot bring one of its own. */
const NOTICES: Readonly<Record<string, string>> = {
  installed: "Installed.",
  uninstalled: "Uninstalled.",
  made: "The hook is made; its address or URL works now.",
  rotated: "The hook has a new address or URL; the old one no longer works.",
  state: "Changed.",
  revoked: "The key is revoked; it opens nothing any more.",
  replayed: "It became an event.",
  discarded: "Discarded.",
};

/** The frame of a page for who asks for it. */
export function frameOf(request: FastifyRequest, current?: string): Omit<Frame, "title"> {
  const { done } = request.query as { readonly done?: string };
  return {
    person: request.person,
    ...(current !== undefined && { current }),
    notice: done !== undefined && Object.hasOwn(NOTICES, done) ? NOTICES[done] : undefined,
  };
}

/** Who does what this request asks for, for the audit log. */
export function actorOf({ person, session }: FastifyRequest): Actor {
  return { name: person?.name ?? "nobody", via: session === null ? "api" : "page" };
}
