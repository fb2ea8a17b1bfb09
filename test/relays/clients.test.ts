import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";

import { makeCertificate, writeCertificate } from "../support/certificate.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { unpackedDebianPackage } from "../support/debian-package.ts";
import { temporaryFolder } from "../support/folder.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

// Mail clients that other people wrote, each through the real door: swaks and Python's smtplib.

const run = promisify(execFile);
let nats: NatsServer;
let posthorn: TestDaemon;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, await writeCertificate(folder.path, makeCertificate("127.0.0.1")));
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const portOf = (door: "smtp" | "lmtp") =>
  posthorn.daemon.mail.doors
    .find(({ name }) => name === door)
    ?.address.split(":")
    .at(-1) ?? "";

const newest = async () => (await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text ?? "";

test("swaks delivers by ESMTP and by LMTP", { timeout: 240_000 }, async () => {
  const program = join(await unpackedDebianPackage("swaks"), "usr", "bin", "swaks");
  const { address } = await posthorn.emailHook();
  for (const [protocol, door] of [
    ["ESMTP", "smtp"],
    ["LMTP", "lmtp"],
  ] as const) {
    const mail = join(folder.path, `${protocol}.eml`);
    const payload = `{"by":"swaks","protocol":"${protocol}","price":1.10}`;
    await writeFile(mail, `From: shop@example.org\nContent-Type: application/json\n\n${payload}\n`);
    const { stdout } = await run("perl", [
      program,
      ...`--protocol ${protocol} --server 127.0.0.1 --port ${portOf(door)} --from shop@example.org`.split(" "),
      ...`--to ${address} --data @${mail}`.split(" "),
    ]);
    expect(stdout).toMatch(/<[-~] +250 2\.0\.0 [0-9a-z]{26}/);
    expect(await newest()).toContain(`"payload":${payload}`);
  }
});

const PYTHON = `
import smtplib, ssl, sys
from email.message import EmailMessage
host, port, certificate, to = sys.argv[1:]
mail = EmailMessage()
mail["From"] = "shop@example.org"
mail["To"] = to
mail["Subject"] = "Bestellung äöü"
mail["Message-ID"] = "<python@example.org>"
mail.set_content("Danke")
mail.add_attachment('{"by":"smtplib","price":1.10}', subtype="json", filename="order.json")
with smtplib.SMTP(host, int(port)) as smtp:
    smtp.starttls(context=ssl.create_default_context(cafile=certificate))
    print(smtp.send_message(mail))
`;

test("Python's smtplib delivers after STARTTLS with a certificate that it checks", async () => {
  const { address } = await posthorn.emailHook();
  const certificate = join(folder.path, "cert.pem");
  const { stdout } = await run("python3", ["-c", PYTHON, "127.0.0.1", portOf("smtp"), certificate, address]);
  expect(stdout.trim()).toBe("{}");
  const text = await newest();
  expect(text).toContain('"payload":{"by":"smtplib","price":1.10}');
  expect(text).toMatch(/"protocol":"ESMTPS","tls":"TLSv1\.3 /);
});
