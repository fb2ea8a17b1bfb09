import { afterAll, beforeAll, expect, test } from "vitest";

import { makeCertificate, writeCertificate } from "../support/certificate.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { freePort } from "../support/free-port.ts";
import { temporaryFolder } from "../support/folder.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { Postfix } from "../support/postfix.ts";
import { startPostfix } from "../support/postfix.ts";
import type { Relay } from "../support/relay.ts";
import { connectRelay } from "../support/relay.ts";

// A real Postfix in front, as the README says to set it up: private configuration and queue, one port on loopback.

const STUCK_MS = 5_000;
const PATIENCE_MS = 90_000;
const certificate = makeCertificate("localhost");
let nats: NatsServer;
let posthorn: TestDaemon;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  nats = await startNatsServer();
  folder = await temporaryFolder();
  posthorn = await startTestDaemon(nats, {
    ...(await writeCertificate(folder.path, certificate)),
    POSTHORN_MAIL_DOMAIN: "hooks.example",
    POSTHORN_TRUSTED_RELAYS: "127.0.0.1",
  });
}, 240_000);
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const portOf = (name: "smtp" | "lmtp") =>
  posthorn.daemon.mail.doors
    .find((door) => door.name === name)
    ?.address.split(":")
    .at(-1) ?? "";

const mail = (order: number) =>
  `From: a@shop.example\r\nMessage-ID: <${order}@shop.example>\r\nContent-Type: application/json\r\n\r\n{"order":${order}}\r\n`;

/** Hands mail to Postfix as somebody on the Internet would. */
async function sender(postfix: Postfix, address = "192.0.2.33"): Promise<Relay> {
  const relay = await connectRelay({ host: "127.0.0.1", port: postfix.port }, { patienceMs: PATIENCE_MS });
  expect(await relay.say(`XCLIENT ADDR=${address} NAME=mail.shop.example`)).toMatch(/^220 /);
  await relay.say("EHLO mail.shop.example");
  return relay;
}

interface Seen {
  readonly payload: { readonly order: number };
  readonly mail: {
    readonly autoSubmitted: string | null;
    readonly envelope: { remoteAddress: string; helo: string; protocol: string; tls: string | null };
  };
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + PATIENCE_MS; ;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until the stream holds `messages`, and Postfix nothing any more. */
async function delivered(postfix: Postfix, messages: number): Promise<void> {
  let last = { count: -1, at: 0 };
  await until("every event", async () => {
    const { state } = await posthorn.daemon.storage.jsm.streams.info("POSTHORN_EVENTS");
    if (state.messages >= messages) return true;
    // With pauses as short as ours its queue manager may come to a mail that it is just putting off ("skipped, still being
    // delivered"), and leaves it alone for good.
    if (state.messages !== last.count) last = { count: state.messages, at: Date.now() };
    else if (Date.now() - last.at > STUCK_MS) {
      await postfix.reload();
      last = { count: state.messages, at: Date.now() };
    }
    return undefined;
  });
  // A mail may change queues while they are counted; one that was missed is in the next count.
  let empty = 0;
  await until("an empty queue", async () => {
    empty = (await postfix.queued()) === 0 ? empty + 1 : 0;
    return empty === 3 ? true : undefined;
  });
}

const events = async (from: number): Promise<Seen[]> =>
  (await storedIn(posthorn, "POSTHORN_EVENTS"))
    .slice(from)
    .map(({ text }) => (JSON.parse(text) as { data: Seen }).data);

test("mail goes through Postfix by SMTP over TLS, and the event has the real client's address and HELO", async () => {
  await using postfix = await startPostfix("hooks.example", `smtp:[127.0.0.1]:${portOf("smtp")}`, {
    smtp_send_xforward_command: "yes",
    smtp_tls_security_level: "encrypt",
    smtp_tls_CAfile: `${folder.path}/cert.pem`,
  });
  const hook = await posthorn.emailHook();
  const before = (await events(0)).length;
  using relay = await sender(postfix);
  expect(await relay.send({ to: `${hook.hookId}@hooks.example`, mail: mail(1) })).toMatch(/^250 /);
  const [seen] = await until("the event", async () => ((await events(before)).length > 0 ? events(before) : undefined));
  expect(seen?.payload).toEqual({ order: 1 });
  expect(seen?.mail.envelope).toMatchObject({
    remoteAddress: "192.0.2.33",
    helo: "mail.shop.example",
    protocol: "ESMTPS",
    tls: expect.stringMatching(/^TLSv1\.3 /),
  });
  expect(await postfix.log()).toMatch(/status=sent \(250 2\.0\.0 [0-9a-z]{26}\)/);
}, 240_000);

test("mail goes through Postfix by LMTP, each recipient with its own answer", async () => {
  await using postfix = await startPostfix("hooks.example", `lmtp:inet:127.0.0.1:${portOf("lmtp")}`);
  const hook = await posthorn.emailHook();
  const before = (await events(0)).length;
  using relay = await sender(postfix);
  const to = [`${hook.hookId}@hooks.example`, "nobody@hooks.example"];
  expect(await relay.send({ from: "", to, mail: mail(2) })).toMatch(/^250 /);
  await until("the event", async () => ((await events(before)).length === 1 ? true : undefined));
  const log = await until("both answers", async () => {
    const text = await postfix.log();
    return /status=sent/.test(text) && /status=bounced/.test(text) ? text : undefined;
  });
  expect(log).toMatch(/to=<nobody@hooks\.example>.*status=bounced .*550 5\.1\.1/);
  expect(log).toMatch(/status=sent \(250 2\.0\.0 [0-9a-z]{26}\)/);
}, 240_000);

test("what hears 4xx waits in Postfix and arrives once, when the hook is open again", async () => {
  await using postfix = await startPostfix("hooks.example", `smtp:[127.0.0.1]:${portOf("smtp")}`);
  const hook = await posthorn.emailHook();
  const { registry } = posthorn.daemon.storage;
  await registry.setState(hook.eventName, "paused");
  const before = (await events(0)).length;
  using relay = await sender(postfix);
  const count = 20;
  for (let i = 0; i < count; i += 1)
    expect(await relay.send({ to: `${hook.hookId}@hooks.example`, mail: mail(100 + i) })).toMatch(/^250 /);
  await until("a refusal", async () => (/status=deferred .*450 4\.2\.1/.test(await postfix.log()) ? true : undefined));
  expect(await events(before)).toEqual([]);
  await registry.setState(hook.eventName, "enabled");
  await delivered(postfix, before + count);
  const orders = (await events(before)).map(({ payload }) => payload.order).sort((a, b) => a - b);
  expect(orders).toEqual(Array.from({ length: count }, (_, index) => 100 + index));
}, 240_000);

test("what hears 5xx comes back as a bounce, and a hook that gets it knows it for one", async () => {
  await using postfix = await startPostfix("hooks.example", `smtp:[127.0.0.1]:${portOf("smtp")}`);
  const [sending, receiving] = await posthorn.install(
    ["sending", "receiving"].map((name) => ({
      eventName: `kustomer.app.shop.${name}`,
      displayEventName: name,
      type: "email",
      "x-posthorn": { empty: name === "receiving" ? "reject" : "publish" },
    })),
  );
  const before = (await events(0)).length;
  using relay = await sender(postfix);
  const from = `${sending?.hookId}@hooks.example`;
  const nothing = "From: a@shop.example\r\nSubject: nothing in it\r\n\r\nwords\r\n";
  expect(await relay.send({ from, to: `${receiving?.hookId}@hooks.example`, mail: nothing })).toMatch(/^250 /);
  const [bounce] = await until("the bounce", async () =>
    (await events(before)).length > 0 ? events(before) : undefined,
  );
  expect(bounce?.mail).toMatchObject({ autoSubmitted: "auto-replied", envelope: { from: "" } });
  expect(await postfix.log()).toMatch(/status=bounced .*550 5\.6\.0/);
}, 240_000);

test("five hundred mails that came while Posthorn was away arrive once each when it is back", async () => {
  const port = await freePort();
  const hook = await posthorn.emailHook();
  await using postfix = await startPostfix("hooks.example", `smtp:[127.0.0.1]:${port}`);
  const before = (await events(0)).length;
  using relay = await sender(postfix);
  const count = 500;
  for (let i = 0; i < count; i += 1)
    expect(await relay.send({ to: `${hook.hookId}@hooks.example`, mail: mail(1_000 + i) })).toMatch(/^250 /);
  await until("a try in vain", async () => (/status=deferred/.test(await postfix.log()) ? true : undefined));
  await using _back = await startTestDaemon(nats, {
    POSTHORN_SMTP_LISTEN: `127.0.0.1:${port}`,
    POSTHORN_MAIL_DOMAIN: "hooks.example",
  });
  await delivered(postfix, before + count);
  const orders = (await events(before)).map(({ payload }) => payload.order).sort((a, b) => a - b);
  expect(orders).toEqual(Array.from({ length: count }, (_, index) => 1_000 + index));
}, 240_000);
