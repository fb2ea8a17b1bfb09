import { afterAll, beforeAll, expect, test } from "vitest";

import type { DeadLetterCode } from "../../src/model/dead-letter.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { DnsServer } from "../support/dns-server.ts";
import { startDnsServer } from "../support/dns-server.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

// Each reason for a dead letter, from the bytes at the door to the letter in the stream. The compiler asks for a test where a
// reason is added.

let nats: NatsServer;
let dns: DnsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  dns = await startDnsServer({});
  posthorn = await startTestDaemon(nats, { POSTHORN_DNS_SERVERS: dns.address, POSTHORN_SECRET_LETTERS_A: "key" });
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await dns[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

interface Letter {
  readonly reason: { readonly code: string; readonly title: string; readonly detail: string };
  readonly eventName: string;
  readonly object: string;
  readonly mail?: {
    readonly from: unknown;
    readonly subject: unknown;
    readonly messageId: unknown;
    readonly date: unknown;
  };
}

const HEAD = "From: Ada <ada@shop.example>\r\nSubject: Order 17\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n";
const WHO = {
  from: { name: "Ada", address: "ada@shop.example" },
  subject: "Order 17",
  date: "2026-11-23T10:00:00.000Z",
};

let made = 0;
/** A hook with these options. */
async function hookWith(options: object, to = posthorn, type: "email" | "form" = "email") {
  const eventName = `kustomer.app.letters.n${(made += 1)}`;
  const [hook] = await to.install([{ eventName, type, "x-posthorn": options }], "letters");
  if (hook === undefined) throw new Error("no hook was installed");
  return hook;
}

/** What became of a mail to a hook with these options: it was taken, and is a dead letter. */
async function letterOf(
  options: object,
  { fields = "Content-Type: application/json", body = "1", to = posthorn },
): Promise<Letter> {
  const { hookId, eventName } = await hookWith(options, to);
  const messageId = `<${made}@shop.example>`;
  using relay = await to.connectRelay();
  const mail = `${HEAD}Message-ID: ${messageId}\r\n${fields}\r\n\r\n${body}\r\n`;
  const reply = await relay.send({ to: `${hookId}@localhost`, mail });
  expect(reply).toMatch(/^250 2\.0\.0 /);
  const letter = JSON.parse((await storedIn(to, "POSTHORN_DEAD_LETTERS")).at(-1)?.text ?? "{}") as Letter;
  expect(letter.eventName).toBe(eventName);
  // Whoever looks for the mail finds it, whatever the reason, and the mail itself lies beside the letter.
  expect(letter.mail).toMatchObject({ ...WHO, messageId });
  expect(await to.daemon.storage.objects.getBlob(letter.object)).not.toBeNull();
  return letter;
}

/** JSON in a text, of which a tree is made: a tenth of a second of CPU time and more. */
const COSTLY = { fields: "Content-Type: text/plain", body: `[${"1,".repeat(300_000)}1]` };

const LETTERS = {
  "nothing-extracted": () => letterOf({}, { fields: "Content-Type: text/plain", body: "Hello" }),
  "schema-failed": () => letterOf({ schema: { type: "object" } }, {}),
  "invalid-json": () => letterOf({}, { body: '{"a":' }),
  "limit-exceeded": () =>
    letterOf({}, { fields: "Content-Type: multipart/mixed; boundary=b", body: "--b\r\n\r\nx\r\n".repeat(1_001) }),

  async "parse-timeout"() {
    await using hasty = await startTestDaemon(nats, { POSTHORN_PARSE_TIMEOUT: "5ms" });
    let letter: Letter | undefined;
    // On a busy machine the time may be gone before the CPU time is: that is 451, and the relay sends it again.
    const sendAgain = async () => (letter = await letterOf({}, { ...COSTLY, to: hasty }).catch(() => undefined));
    await expect.poll(sendAgain, { timeout: 90_000 }).toBeDefined();
    return letter;
  },

  "sender-not-allowed": () => letterOf({ senders: ["*@other.example"] }, {}),
  "authentication-failed": () => letterOf({ authenticate: "dmarc" }, {}),
  "key-mismatch": () => letterOf({ key: "env:POSTHORN_SECRET_LETTERS_A" }, {}),

  async honeypot() {
    const { type, hookId } = await hookWith({}, posthorn, "form");
    const url = `http://${posthorn.daemon.http.address}/v1/hooks/${type}/${hookId}`;
    const response = await fetch(url, { method: "POST", body: new URLSearchParams("a=1&_gotcha=x") });
    expect(response.status).toBe(202);
    return JSON.parse((await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).at(-1)?.text ?? "{}") as Letter;
  },

  async "forwarding-confirmation"() {
    const { hookId } = await hookWith({});
    using relay = await posthorn.connectRelay();
    const mail =
      "From: forwarding-noreply@google.com\r\nSubject: (#728394651) Gmail Forwarding Confirmation\r\nMessage-ID: <f@google.com>\r\n\r\nConfirmation code: 728394651\r\n";
    expect(await relay.send({ to: `${hookId}@localhost`, mail })).toMatch(/^250 /);
    return JSON.parse((await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).at(-1)?.text ?? "{}") as Letter;
  },

  automatic: () =>
    letterOf({ automatic: "dead-letter" }, { fields: "Precedence: bulk\r\nContent-Type: application/json" }),

  async system() {
    using relay = await posthorn.connectRelay();
    const mail = `${HEAD}Message-ID: <p@shop.example>\r\n\r\nIs anybody there?\r\n`;
    expect(await relay.send({ to: "postmaster@localhost", mail })).toMatch(/^250 /);
    return JSON.parse((await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).at(-1)?.text ?? "{}") as Letter;
  },
  // For `unparseable` a thread has to die, which takes its time: test/faults/unparseable-mail.test.ts.
} as const satisfies Record<Exclude<DeadLetterCode, "unparseable">, () => Promise<Letter | undefined>>;

test.each(Object.entries(LETTERS))(
  "what is %s is in the stream with its reason, and the sender was told 250",
  async (code, letter) => {
    expect((await letter())?.reason).toMatchObject({
      code,
      title: expect.stringMatching(/^\S.*[^.]$/),
      detail: expect.stringMatching(/\S/),
    });
  },
);
