import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon } from "../support/daemon.ts";
import { temporaryFolder } from "../support/folder.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { Ran } from "../support/posthorn-command.ts";
import { posthornCommand } from "../support/posthorn-command.ts";

// `posthorn send` through the real doors: its exit code says whether an event came of it, and `tail` shows what did.

const ORDER = "kustomer.app.shop.order";
const ASK = "kustomer.app.shop.ask";
let nats: NatsServer;
let posthorn: TestDaemon;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats);
  folder = await temporaryFolder();
  await install("dead-letter");
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function install(empty: string) {
  return posthorn.install([
    { eventName: ORDER, type: "email", "x-posthorn": { select: { type: "Order" }, empty } },
    { eventName: ASK, type: "form" },
  ]);
}

function command(...args: string[]): Promise<Ran> {
  const { mail, http } = posthorn.daemon;
  return posthornCommand(args, {
    env: {
      POSTHORN_NATS_URL: nats.url,
      POSTHORN_SMTP_LISTEN: mail.doors.find(({ name }) => name === "smtp")?.address ?? "",
      POSTHORN_HTTP_LISTEN: http.address ?? "",
    },
    cwd: folder.path,
  });
}

async function mailFile(name: string, body: string, type = "text/plain"): Promise<string> {
  const file = join(folder.path, name);
  await writeFile(file, `From: ada@example.org\nMessage-ID: <${name}@example.org>\nContent-Type: ${type}\n\n${body}\n`);
  return file;
}

test("a mail that became an event ends with 0", async () => {
  const file = await mailFile("order", '{"@context":"https://schema.org","@type":"Order"}', "application/ld+json");
  const { code, stdout, stderr } = await command("send", ORDER, file);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^250 2\.0\.0 \S{26}\n$/);
  expect(JSON.parse((await command("send", ORDER, file, "--json")).stdout)).toMatchObject({
    type: "email",
    accepted: true,
    deadLetter: null,
  });
});

test("a mail that became a dead letter is answered 250, and the command says why and ends with 1, also for a repeat", async () => {
  const file = await mailFile("words", "Just words.");
  const first = await command("send", ORDER, file);
  expect(first.code).toBe(1);
  const id = /^250 2\.0\.0 (\S{26})\n$/.exec(first.stdout)?.[1];
  expect(first.stderr).toMatch(
    /^posthorn: it became a dead letter, nothing-extracted: No JSON, JSON-LD or microdata was found\. /,
  );
  expect(first.stderr.endsWith(`. See \`posthorn dead show ${id}\`.\n`)).toBe(true);
  const repeated = await command("send", ORDER, file, "--json");
  expect(repeated.code).toBe(1);
  expect(JSON.parse(repeated.stdout)).toMatchObject({
    accepted: true,
    deadLetter: { id, code: "nothing-extracted", title: "No JSON, JSON-LD or microdata was found" },
  });

  // The same mail becomes an event when the hook takes it: the old dead letter is not taken for its fate.
  await install("publish");
  expect((await command("send", ORDER, file)).code).toBe(0);
  expect((await command("send", ORDER, file)).code).toBe(0);
  await install("dead-letter");
});

test("a select that matches nothing says that, and not that nothing was found", async () => {
  const file = await mailFile("person", '{"@context":"https://schema.org","@type":"Person"}', "application/ld+json");
  const { code, stdout, stderr } = await command("send", ORDER, file);
  expect(code).toBe(1);
  const title = "Nothing that was found matches the hook's select";
  expect(stderr).toContain(
    `nothing-extracted: ${title}. select {"type":"Order"} fits no item; found: https://schema.org/Person.`,
  );
  const id = stdout.trim().split(" ").at(-1) ?? "";
  const shown = await command("dead", "show", id, "--json");
  expect(JSON.parse(shown.stdout)).toMatchObject({ reason: { code: "nothing-extracted", title } });
});

test("a form that became a dead letter, taken for spam, is said too", async () => {
  const file = join(folder.path, "spam.form");
  await writeFile(file, "email=a@example.org&_gotcha=x");
  const { code, stdout, stderr } = await command("send", ASK, "--data", file);
  expect(stdout).toMatch(/^202 /);
  expect([code, stderr]).toEqual([1, expect.stringContaining("it became a dead letter, honeypot: ")]);
});

test("tail --json is one event a line, whatever line breaks the sender's JSON has", async () => {
  const order = '{\n  "@context": "https://schema.org",\r\n\t"@type": "Order", "total": 1.10,\n  "a  b": " x\\n y" }';
  await command("send", ORDER, await mailFile("pretty", order, "application/ld+json"));
  const { stdout } = await command("tail", ORDER, "--since", "1h", "--count", "3", "--json");
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ type: ORDER });
  expect(lines[2]).toContain(
    '"payload":{"@context":"https://schema.org","@type":"Order","total":1.10,"a  b":" x\\n y"}',
  );
});
