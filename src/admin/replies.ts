import type { FastifyReply, FastifyRequest } from "fastify";

import type { Html } from "./html.ts";

/** Sends a page. */
export function sendHtml(reply: FastifyReply, page: Html): FastifyReply {
  return reply.type("text/html; charset=utf-8").send(`<!doctype html>\n${page.toString()}`);
}

/** Sends problem details (RFC 9457). */
export function sendProblem(reply: FastifyReply, status: number, title: string, detail: string): FastifyReply {
  return reply
    .code(status)
    .type("application/problem+json; charset=utf-8")
    .send(JSON.stringify({ title, status, detail }));
}

/** Whether a browser asks for a page, and not a program for an answer. */
export function isForPeople({ url, headers }: FastifyRequest): boolean {
  return !url.startsWith("/api/") && (headers.accept ?? "").includes("text/html");
}
