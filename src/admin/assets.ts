import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import type { FastifyInstance } from "fastify";

const FILES: Readonly<Record<string, string>> = {
  "style.css": "text/css; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
  "icon.svg": "image/svg+xml",
};

/** Style sheet, script and icon: read once, the same for everybody, asked for again only when they changed. */
export function assets(server: FastifyInstance): void {
  for (const [name, mediaType] of Object.entries(FILES)) {
    const body = readFileSync(new URL(`./assets/${name}`, import.meta.url));
    const tag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    server.get(`/assets/${name}`, { config: { role: "anybody" } }, async (request, reply) => {
      reply.header("ETag", tag).header("Cache-Control", "no-cache");
      if (request.headers["if-none-match"] === tag) return reply.code(304).send();
      return reply.type(mediaType).send(body);
    });
  }
}
