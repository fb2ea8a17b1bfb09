import type { FastifyReply, FastifyRequest } from "fastify";

// A mail as its sender wrote it: no script, nothing loaded from anywhere, nowhere to go, in an origin of its own.
const MAIL_POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "img-src data:",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'self'",
  "sandbox",
].join("; ");

/**
 * A mail's HTML, for a sandboxed frame on our own pages only. Opened by itself it is shown as text: a page of a stranger's
 * making must not stand under our address, and could refresh itself away from it.
 */
export function sendMailHtml(
  request: FastifyRequest,
  reply: FastifyReply,
  source: string | null | undefined,
): FastifyReply {
  if (source === null || source === undefined)
    return reply.code(404).type("text/plain; charset=utf-8").send("No HTML.");
  reply.headers({
    "Content-Security-Policy": MAIL_POLICY,
    "X-Frame-Options": "SAMEORIGIN",
    "X-DNS-Prefetch-Control": "off",
    "Referrer-Policy": "no-referrer",
  });
  const isFramed = request.headers["sec-fetch-dest"] === "iframe";
  return reply.type(isFramed ? "text/html; charset=utf-8" : "text/plain; charset=utf-8").send(source);
}

const SHOWN_CHARACTERS = 200;

/** The end of a name, where its extension is, as RFC 8187 §3.2.1 writes it; never cut inside a character. */
function extValueOf(fileName: string): string {
  const end = fileName.slice(-2 * SHOWN_CHARACTERS).toWellFormed();
  const shown = fileName.length > end.length ? end.replace(/^\uFFFD/, "") : end;
  const characters = Array.from(shown).slice(-SHOWN_CHARACTERS).join("");
  return encodeURIComponent(characters).replace(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
}

/** Bytes of a stranger's, as a download that no browser shows or runs. */
export function sendFile(reply: FastifyReply, bytes: Uint8Array, fileName: string): FastifyReply {
  const ascii = fileName.replace(/[^\w.-]+/g, "_").slice(-100);
  return reply
    .headers({
      "Content-Disposition": `attachment; filename="${ascii}"; filename*=UTF-8''${extValueOf(fileName)}`,
      "Content-Security-Policy": "default-src 'none'; sandbox",
    })
    .type("application/octet-stream")
    .send(Buffer.from(bytes));
}
