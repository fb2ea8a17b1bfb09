import { nextLine } from "./header-lines.ts";

const DASHES = Buffer.from("--");
const MAX_LINES = 200;
const FIELD = /^content-[a-z-]{2,30}\s{0,9}:/i;

/**
 * The boundary that a multipart really uses, when its header names none or a wrong one: the first line that begins with
 * two hyphens and has a `Content-` field below it. Only the first lines are looked at.
 */
export function guessBoundary(body: Buffer): string | undefined {
  let at = 0;
  for (let count = 0; count < MAX_LINES && at < body.length; count += 1) {
    const { end, next } = nextLine(body, at);
    if (body.subarray(at, at + 2).equals(DASHES) && end - at > 3 && end - at <= 256) {
      const below = body.toString("latin1", next, Math.min(next + 64, body.length));
      const boundary = body.toString("latin1", at + 2, end).trimEnd();
      if (FIELD.test(below) && /^\S+$/.test(boundary)) return boundary;
    }
    at = next;
  }
  return undefined;
}
