import { fastify } from "fastify";
import { expect, test } from "vitest";

import { sendFile } from "../../src/admin/files.ts";

/** What a browser is told about a file of this name. */
async function dispositionOf(name: string): Promise<{ status: number; disposition: string; encoded: string }> {
  const server = fastify();
  server.get("/file", async (_request, reply) => sendFile(reply, Buffer.from("x"), name));
  const response = await server.inject("/file");
  await server.close();
  const disposition = String(response.headers["content-disposition"]);
  const [, encoded = ""] = /filename\*=UTF-8''(.*)$/.exec(disposition) ?? [];
  return { status: response.statusCode, disposition, encoded };
}

test.each([
  ["emoji, an odd number of units from the end", `a${"📦".repeat(150)}.json`],
  ["emoji, an even number", `${"📦".repeat(150)}.xml`],
  ["flags and families", `${"👨‍👩‍👧‍👦🇫🇷".repeat(40)}.png`],
  ["a lone surrogate", `\ud83d${"é".repeat(300)}\udce6.txt`],
  ["nothing", ""],
  ["all that is special", "a'b(c)*!\"\\;\r\nSet-Cookie: x=1.txt"],
  ["a long plain name", `${"x".repeat(5_000)}.txt`],
])("a file is a download whatever its name is made of: %s", async (_what, name) => {
  const { status, disposition, encoded } = await dispositionOf(name);
  expect(status).toBe(200);
  expect(disposition).toMatch(/^attachment; filename="[\w.-]*"; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]*$/);
  expect(name.toWellFormed().endsWith(decodeURIComponent(encoded))).toBe(true);
  expect(disposition.length).toBeLessThan(4_000);
});
