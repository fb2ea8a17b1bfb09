import { afterAll, beforeAll, expect, test } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { Relay } from "../support/relay.ts";

// What SMTP demands of a server and no other test shows; `rfc-table.test.ts` says which requirement is shown where.

let nats: NatsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, { POSTHORN_MAIL_DOMAIN: "hooks.example,*.any.example,xn--bcher-kva.example" });
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

let mails = 0;
const mail = () => `From: a@example.org\r\nContent-Type: application/json\r\n\r\n{"n":${(mails += 1)}}\r\n`;

async function newestEvent() {
  const text = (await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text ?? "{}";
  return JSON.parse(text) as { data: { mail: { envelope: { from: string; protocol: string }; text: string | null } } };
}

async function fresh(): Promise<Relay> {
  const relay = await posthorn.connectRelay("smtp", { greet: false });
  expect(relay.greeting).toMatch(/^220 hooks\.example ESMTP Posthorn$/);
  return relay;
}

test("the greeting and the replies tell neither a version nor the sender's bytes", async () => {
  using relay = await fresh();
  const heard = [relay.greeting];
  for (const line of [
    "EHLO evil-bytes.example",
    "EVILCOMMAND",
    "MAIL FROM:evil-bytes",
    "RCPT TO:<evil-bytes@nowhere.example>",
  ])
    heard.push(await relay.say(line));
  expect(heard.join("\n")).not.toMatch(/evil|\d+\.\d+\.\d+-|node|smtp-server/i);
});

test("HELO is taken like EHLO, without extensions, and the mail says so", async () => {
  const hook = await posthorn.emailHook();
  using relay = await fresh();
  expect(await relay.say("HELO relay.example.org")).toMatch(/^250 hooks\.example/);
  expect(await relay.send({ to: `${hook.hookId}@hooks.example`, mail: mail() })).toMatch(/^250 /);
  expect((await newestEvent()).data.mail.envelope.protocol).toBe("SMTP");
});

test("EHLO names exactly the extensions that are carried out", async () => {
  using relay = await fresh();
  const features = (await relay.say("EHLO relay.example.org")).split("\n").slice(1);
  expect(features.map((line) => line.slice(4))).toEqual([
    "PIPELINING",
    "8BITMIME",
    "SMTPUTF8",
    "ENHANCEDSTATUSCODES",
    "AUTH PLAIN LOGIN",
    "SIZE 26214400",
  ]);
});

test("NOOP, RSET, HELP, VRFY and QUIT are answered before EHLO, MAIL is not", async () => {
  using relay = await fresh();
  expect(await relay.say("NOOP")).toMatch(/^250 /);
  expect(await relay.say("NOOP with words")).toMatch(/^250 /);
  expect(await relay.say("RSET")).toMatch(/^250 /);
  expect(await relay.say("HELP")).toMatch(/^214 /);
  expect(await relay.say("VRFY joe")).toMatch(/^252 /);
  expect(await relay.say("MAIL FROM:<a@example.org>")).toMatch(/^503 /);
  expect(await relay.say("QUIT")).toMatch(/^221 /);
  await relay.closed();
});

test("VRFY is no oracle: a hook and a stranger get the same answer, EXPN and unknown commands 5xx", async () => {
  const hook = await posthorn.emailHook();
  using relay = await fresh();
  await relay.say("EHLO relay.example.org");
  expect(await relay.say(`VRFY ${hook.hookId}@hooks.example`)).toBe(await relay.say("VRFY nobody@hooks.example"));
  expect(await relay.say("EXPN list")).toMatch(/^50[02] /);
  expect(await relay.say("BDAT 1 LAST")).toMatch(/^50[02] /);
  expect(await relay.say("XYZZY")).toMatch(/^500 /);
});

test("commands out of order are 503, and leave what was said before as it was", async () => {
  const hook = await posthorn.emailHook();
  const to = `RCPT TO:<${hook.hookId}@hooks.example>`;
  using relay = await fresh();
  await relay.say("EHLO relay.example.org");
  expect(await relay.say(to)).toMatch(/^503 /);
  expect(await relay.say("DATA")).toMatch(/^503 /);
  await relay.say("MAIL FROM:<a@example.org>");
  expect(await relay.say("MAIL FROM:<b@example.org>")).toMatch(/^503 /);
  expect(await relay.say("DATA")).toMatch(/^503 /);
  expect(await relay.say(to)).toMatch(/^250 /);
  expect(await relay.data(mail())).toMatch(/^250 /);
  expect((await newestEvent()).data.mail.envelope.from).toBe("a@example.org");
});

test("RSET and EHLO in a transaction throw it away", async () => {
  const hook = await posthorn.emailHook();
  using relay = await fresh();
  for (const reset of ["RSET", "EHLO relay.example.org"]) {
    await relay.say("EHLO relay.example.org");
    await relay.say("MAIL FROM:<a@example.org>");
    await relay.say(`RCPT TO:<${hook.hookId}@hooks.example>`);
    expect(await relay.say(reset)).toMatch(/^250/);
    expect(await relay.say("DATA")).toMatch(/^503 /);
  }
});

test("commands and keywords are taken in any case, an enhanced code stands in every reply but greeting and EHLO's", async () => {
  const hook = await posthorn.emailHook();
  using relay = await fresh();
  expect(await relay.say("ehlo relay.example.org")).not.toMatch(/^250[ -]2\./m);
  expect(await relay.say("mail from:<a@example.org> body=8bitmime size=10")).toMatch(/^250 2\.1\.0 /);
  expect(await relay.say(`rcpt to:<${hook.hookId.toUpperCase()}@HOOKS.EXAMPLE>`)).toMatch(/^250 2\.1\.5 /);
  expect(await relay.say("rset")).toMatch(/^250 2\.0\.0 /);
  expect(await relay.say("xyzzy")).toMatch(/^500 5\.5\.2 /);
  expect(await relay.say("noop")).toMatch(/^250 2\.0\.0 /);
  expect(await relay.say("quit")).toMatch(/^221 2\.0\.0 /);
});

test("parameters of extensions that were not announced are 555, damaged ones 501", async () => {
  using relay = await fresh();
  await relay.say("EHLO relay.example.org");
  for (const parameter of ["RET=FULL", "ENVID=x", "BY=10;R", "REQUIRETLS", "HOLDFOR=1", "FOO"])
    expect(await relay.say(`MAIL FROM:<a@example.org> ${parameter}`)).toMatch(/^555 5\.5\.4 /);
  for (const parameter of ["SIZE=big", "SIZE", "BODY=BINARYMIME", "SMTPUTF8=1", "SIZE=1 SIZE=2"])
    expect(await relay.say(`MAIL FROM:<a@example.org> ${parameter}`)).toMatch(/^501 /);
  expect(await relay.say("MAIL FROM:<a@example.org> AUTH=<>")).toMatch(/^250 /);
  for (const parameter of ["NOTIFY=NEVER", "ORCPT=rfc822;a@b"])
    expect(await relay.say(`RCPT TO:<a@hooks.example> ${parameter}`)).toMatch(/^555 5\.5\.4 /);
});

test("postmaster is taken with and without a domain, in any case", async () => {
  using relay = await fresh();
  await relay.say("EHLO relay.example.org");
  await relay.say("MAIL FROM:<>");
  for (const address of ["postmaster", "Postmaster@hooks.example", "POSTMASTER@deep.any.example"])
    expect(await relay.say(`RCPT TO:<${address}>`)).toMatch(/^250 /);
});

test("domains below a wildcard are ours and the wildcard's own name is not; a domain with umlauts is, either way it is written", async () => {
  const hook = await posthorn.emailHook();
  using relay = await fresh();
  await relay.say("EHLO relay.example.org");
  await relay.say("MAIL FROM:<a@example.org> SMTPUTF8");
  for (const domain of ["a.any.example", "a.b.any.example", "xn--bcher-kva.example"])
    expect(await relay.say(`RCPT TO:<${hook.hookId}@${domain}>`)).toMatch(/^250 /);
  relay.socket.write(`RCPT TO:<${hook.hookId}@bücher.example>\r\n`, "utf8");
  expect(await relay.reply()).toMatch(/^250 /);
  for (const domain of ["any.example", "evilany.example", "hooks.example.org"])
    expect(await relay.say(`RCPT TO:<${hook.hookId}@${domain}>`)).toMatch(/^550 5\.7\.1 /);
});

test("addresses and headers in UTF-8 come through as they were sent (SMTPUTF8, 8BITMIME)", async () => {
  const hook = await posthorn.emailHook();
  using relay = await fresh();
  await relay.say("EHLO relay.example.org");
  relay.socket.write("MAIL FROM:<jürgen@bücher.example> SMTPUTF8 BODY=8BITMIME\r\n", "utf8");
  expect(await relay.reply()).toMatch(/^250 /);
  await relay.say(`RCPT TO:<${hook.hookId}@hooks.example>`);
  const utf8 = 'From: jürgen@bücher.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n{"n":1}\r\n';
  expect(await relay.data(utf8)).toMatch(/^250 /);
  const { envelope, text } = (await newestEvent()).data.mail;
  expect(envelope.from).toBe("jürgen@bücher.example");
  expect(text).toContain("Grüße");
});

test("a whole pipelined transaction in one write is answered in order, and so is the one behind it", async () => {
  const hook = await posthorn.emailHook();
  using relay = await fresh();
  await relay.say("EHLO relay.example.org");
  const to = `RCPT TO:<${hook.hookId}@hooks.example>`;
  relay.socket.write(
    ["RSET", "MAIL FROM:<a@example.org>", to, "RCPT TO:<nobody@hooks.example>", "DATA", ""].join("\r\n"),
  );
  for (const code of ["250", "250", "250", "550", "354"]) expect((await relay.reply()).slice(0, 3)).toBe(code);
  relay.socket.write(`${mail()}.\r\nMAIL FROM:<b@example.org>\r\nNOOP\r\nQUIT\r\n`);
  for (const code of ["250", "250", "250", "221"]) expect((await relay.reply()).slice(0, 3)).toBe(code);
});

test("lines of a thousand octets and longer, and a command of 512, are taken; a command without an end is not", async () => {
  const hook = await posthorn.emailHook();
  using relay = await fresh();
  await relay.say("EHLO relay.example.org");
  const local = "a".repeat(64);
  const domain = `${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.example`;
  expect(await relay.say(`MAIL FROM:<${local}@${domain}>`)).toMatch(/^250 /);
  expect(await relay.say(`NOOP ${"x".repeat(505)}`)).toMatch(/^250 /);
  await relay.say("RSET");
  const long = `From: a@example.org\r\nContent-Type: text/plain\r\n\r\n${"x".repeat(5_000)}\r\n{"n":1}\r\n`;
  expect(await relay.send({ to: `${hook.hookId}@hooks.example`, mail: long })).toMatch(/^250 /);
  relay.socket.write("x".repeat(10_000));
  expect(await relay.reply()).toMatch(/^421 /);
  await relay.closed();
});

test("LMTP knows LHLO only, answers DATA without a good recipient with 503, and refuses without accepting", async () => {
  const relay = await posthorn.connectRelay("lmtp", { greet: false });
  expect(relay.greeting).toMatch(/^220 hooks\.example LMTP Posthorn$/);
  expect(await relay.say("HELO relay.example.org")).toMatch(/^500 /);
  expect(await relay.say("EHLO relay.example.org")).toMatch(/^500 /);
  expect(await relay.say("LHLO relay.example.org")).toMatch(/^250/);
  await relay.say("MAIL FROM:<a@example.org>");
  expect(await relay.say("RCPT TO:<nobody@hooks.example>")).toMatch(/^550 /);
  expect(await relay.say("DATA")).toMatch(/^503 /);
  relay[Symbol.dispose]();
});

test("AUTH in the middle of a transaction is refused", async () => {
  using relay = await fresh();
  await relay.say("EHLO relay.example.org");
  await relay.say("MAIL FROM:<a@example.org>");
  expect(await relay.say("AUTH PLAIN AHgAeA==")).toMatch(/^503 /);
});
