import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, expect, test } from "vitest";

import type { Hook } from "../../src/model/hook.ts";
import type { OptionName } from "../../src/registry/app-definition-schema.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { DnsServer } from "../support/dns-server.ts";
import { startDnsServer } from "../support/dns-server.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

// Each option of a hook from the app definition to what is stored or answered, by way of the door. The compiler asks for a
// test where an option is added: rooms that are tested with values supplied by hand have passed over faults between them.

const SECRET = "s3cret-of-the-hook";

let nats: NatsServer;
let dns: DnsServer;
let vendor: Server;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  // A domain without SPF and DMARC: nobody can prove that mail comes from it.
  dns = await startDnsServer({});
  vendor = createServer((_, response) => response.end('{"success":false}'));
  await new Promise<void>((resolve) => vendor.listen(0, "127.0.0.1", resolve));
  posthorn = await startTestDaemon(nats, {
    POSTHORN_DNS_SERVERS: dns.address,
    POSTHORN_CAPTCHA_URL: `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/`,
    POSTHORN_SECRET_KEY_A: SECRET,
    POSTHORN_SECRET_CAPTCHA_A: SECRET,
    POSTHORN_SECRET_SIGNATURE_A: SECRET,
  });
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  vendor.close();
  await dns[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

let made = 0;
/** A hook of an app that is called as the option, so that its secrets are. */
async function hookWith(type: Hook["type"], app: string, options: object): Promise<Hook> {
  const eventName = `kustomer.app.${app}.n${(made += 1)}`;
  const [hook] = await posthorn.install([{ eventName, type, "x-posthorn": options }], app);
  if (hook === undefined) throw new Error("no hook was installed");
  return hook;
}

let mails = 0;
/** Sends a mail to a hook; the reply. */
async function send(hook: Hook, fields: string, body: string): Promise<string> {
  using relay = await posthorn.connectRelay();
  const head = `From: Ada <ada@shop.example>\r\nSubject: Order\r\nMessage-ID: <${(mails += 1)}@shop.example>\r\n`;
  return await relay.send({ to: `${hook.hookId}@localhost`, mail: `${head}${fields}\r\n\r\n${body}\r\n` });
}
const JSON_MAIL = "Content-Type: application/json";
const post = (
  { type, hookId }: Hook,
  body: string | URLSearchParams,
  headers: Record<string, string> = {},
  path = "",
) =>
  fetch(`http://${posthorn.daemon.http.address}/v1/hooks/${type}/${hookId}${path}`, {
    method: "POST",
    body,
    headers,
    redirect: "manual",
  });

interface Stored {
  readonly type?: string;
  readonly dataschema?: string;
  readonly eventName?: string;
  readonly reason?: { readonly code: string; readonly detail: string };
  readonly data?: {
    readonly payload: unknown;
    readonly items?: readonly unknown[];
    readonly mail?: Readonly<Record<string, unknown>> & { readonly attachments: readonly unknown[] };
  };
}
const newest = async (stream: string) => JSON.parse((await storedIn(posthorn, stream)).at(-1)?.text ?? "{}") as Stored;
async function eventOf({ eventName }: Hook): Promise<NonNullable<Stored["data"]>> {
  const event = await newest("POSTHORN_EVENTS");
  expect(event.type).toBe(eventName);
  if (event.data === undefined) throw new Error("the event has no data");
  return event.data;
}
async function deadLetterOf({ eventName }: Hook): Promise<Stored["reason"]> {
  const letter = await newest("POSTHORN_DEAD_LETTERS");
  expect(letter.eventName).toBe(eventName);
  return letter.reason;
}

const OPTIONS = {
  async schema() {
    const schema = { type: "object", required: ["n"] };
    const mail = await hookWith("email", "schema", { schema });
    expect(await send(mail, JSON_MAIL, "{}")).toMatch(/^250 /);
    expect(await deadLetterOf(mail)).toMatchObject({ code: "schema-failed", detail: expect.stringContaining("n") });
    expect(await send(mail, JSON_MAIL, '{"n":1}')).toMatch(/^250 /);
    expect(await eventOf(mail)).toMatchObject({ payload: { n: 1 } });
    expect((await newest("POSTHORN_EVENTS")).dataschema).toMatch(/^urn:posthorn:schema:[0-9a-f]{64}$/);
    const form = await hookWith("form", "schema", { schema });
    expect((await post(form, new URLSearchParams("m=1"))).status).toBe(422);
  },

  async select() {
    const hook = await hookWith("email", "select", { select: { type: "order" } });
    const nodes =
      '[{"@context":"https://schema.org","@type":"Person"},{"@context":"https://schema.org","@type":"Order","n":1.10}]';
    expect(await send(hook, "Content-Type: application/ld+json", nodes)).toMatch(/^250 /);
    expect(await eventOf(hook)).toMatchObject({ payload: { "@type": "Order", n: 1.1 } });
    const plain = await hookWith("email", "select", { select: { format: "json" } });
    const scripts = `<script type="application/ld+json">{"@id":"x"}</script><script type="application/json">{"@context":"https://schema.org","n":2}</script>`;
    expect(await send(plain, "Content-Type: text/html", scripts)).toMatch(/^250 /);
    expect(await eventOf(plain)).toMatchObject({ payload: { n: 2 } });
  },

  async jsonld() {
    const document = '{"@context":{"@vocab":"http://v.example/"},"@id":"","n":1.10}';
    const page = `<base href="https://shop.example/o/"><script type="application/ld+json">${document}</script>`;
    const part = ["Content-Type: application/ld+json", document] as const;
    const expanded = await hookWith("email", "jsonld", { jsonld: "expand" });
    expect(await send(expanded, "Content-Type: text/html", page)).toMatch(/^250 /);
    expect(await eventOf(expanded)).toMatchObject({
      payload: [{ "@id": "https://shop.example/o/", "http://v.example/n": [{ "@value": 1.1 }] }],
    });
    expect(await send(expanded, ...part)).toMatch(/^250 /);
    expect(await eventOf(expanded)).toMatchObject({ payload: [{ "@id": "" }] });
    for (const form of ["compact", "flatten"] as const) {
      const hook = await hookWith("email", "jsonld", { jsonld: form });
      expect(await send(hook, `Content-Location: https://shop.example/l/\r\n${part[0]}`, part[1])).toMatch(/^250 /);
      expect(JSON.stringify((await eventOf(hook)).payload)).toContain('"@id":"https://shop.example/l/"');
    }
    const framed = await hookWith("email", "jsonld", { jsonld: { frame: { "http://v.example/n": {} } } });
    expect(await send(framed, ...part)).toMatch(/^250 /);
    expect(await eventOf(framed)).toMatchObject({ payload: { "@id": "", n: 1.1 } });
  },

  async key() {
    const hook = await hookWith("email", "key", { key: "env:POSTHORN_SECRET_KEY_A" });
    expect(await send(hook, `X-Hook-Key: wrong\r\n${JSON_MAIL}`, "1")).toMatch(/^250 /);
    expect(await deadLetterOf(hook)).toMatchObject({ code: "key-mismatch" });
    expect(await send(hook, `X-Hook-Key: ${SECRET}\r\n${JSON_MAIL}`, "2")).toMatch(/^250 /);
    expect(await eventOf(hook)).toMatchObject({ payload: 2 });
  },

  async empty() {
    const publishing = await hookWith("email", "empty", { empty: "publish" });
    expect(await send(publishing, "", "Hello")).toMatch(/^250 /);
    expect(await eventOf(publishing)).toMatchObject({ payload: null });
    const rejecting = await hookWith("email", "empty", { empty: "reject" });
    expect(await send(rejecting, "", "Hello")).toMatch(/^550 5\.6\.0 /);
    const keeping = await hookWith("email", "empty", { empty: "dead-letter" });
    expect(await send(keeping, "", "Hello")).toMatch(/^250 /);
    expect(await deadLetterOf(keeping)).toMatchObject({ code: "nothing-extracted" });
  },

  async senders() {
    const hook = await hookWith("email", "senders", { senders: ["*@shop.example"] });
    expect(await send(hook, JSON_MAIL, "1")).toMatch(/^250 /);
    expect(await eventOf(hook)).toMatchObject({ payload: 1 });
    const others = await hookWith("email", "senders", { senders: ["bob@other.example"] });
    expect(await send(others, JSON_MAIL, "1")).toMatch(/^250 /);
    expect(await deadLetterOf(others)).toMatchObject({ code: "sender-not-allowed" });
  },

  async automatic() {
    const hook = await hookWith("email", "automatic", { automatic: "dead-letter" });
    expect(await send(hook, `List-Id: <orders.shop.example>\r\n${JSON_MAIL}`, "1")).toMatch(/^250 /);
    const reason = await deadLetterOf(hook);
    expect(reason).toMatchObject({ code: "automatic", detail: expect.stringContaining("List-Id") });
    // A letter must not claim a field that is not there.
    expect(reason?.detail).not.toContain("Auto-Submitted");
    expect(await send(hook, `X-Auto-Response-Suppress: All\r\n${JSON_MAIL}`, "2")).toMatch(/^250 /);
    expect(await eventOf(hook)).toMatchObject({ payload: 2, mail: { autoSubmitted: null } });
  },

  async authenticate() {
    const keeping = await hookWith("email", "authenticate", { authenticate: "dmarc" });
    expect(await send(keeping, JSON_MAIL, "1")).toMatch(/^250 /);
    expect(await deadLetterOf(keeping)).toMatchObject({ code: "authentication-failed" });
    const rejecting = await hookWith("email", "authenticate", { authenticate: { require: "dkim", onFail: "reject" } });
    expect(await send(rejecting, JSON_MAIL, "1")).toMatch(/^550 5\.7\.26 /);
  },

  async attachments() {
    const mail = 'Content-Type: application/json; name="order.json"';
    const storing = await hookWith("email", "attachments", { attachments: "store" });
    expect(await send(storing, mail, '{"n":1}')).toMatch(/^250 /);
    expect((await eventOf(storing)).mail?.attachments).toMatchObject([
      { filename: "order.json", content: Buffer.from('{"n":1}\r\n').toString("base64") },
    ]);
    const dropping = await hookWith("email", "attachments", { attachments: "drop" });
    expect(await send(dropping, mail, '{"n":2}')).toMatch(/^250 /);
    const [attachment] = (await eventOf(dropping)).mail?.attachments ?? [];
    expect(attachment).toMatchObject({ filename: "order.json", object: null });
    expect(JSON.stringify(attachment)).not.toContain(Buffer.from('{"n":2}').toString("base64").slice(0, 8));
  },

  async include() {
    const hook = await hookWith("email", "include", { include: ["html", "headers"] });
    const page = '<p>Hello</p><script type="application/json">{"n":1}</script>';
    expect(await send(hook, "X-Order: 17\r\nContent-Type: text/html", page)).toMatch(/^250 /);
    const { mail } = await eventOf(hook);
    expect(mail?.["html"]).toContain("<p>Hello</p>");
    expect(mail?.["headers"]).toContainEqual({ name: "X-Order", value: "17" });
    expect(mail).not.toHaveProperty("text");
  },

  async redirect() {
    const hook = await hookWith("form", "redirect", { redirect: "/thanks" });
    const response = await post(hook, new URLSearchParams("a=1"), { accept: "text/html" });
    expect([response.status, response.headers.get("location")]).toEqual([303, "/thanks"]);
  },

  async origins() {
    const hook = await hookWith("form", "origins", { origins: ["https://shop.example"] });
    const from = (origin: string) => post(hook, new URLSearchParams("a=1"), { origin });
    expect((await from("https://evil.example")).status).toBe(403);
    expect((await from("https://shop.example")).status).toBe(202);
  },

  async honeypot() {
    const hook = await hookWith("form", "honeypot", { honeypot: "website" });
    expect((await post(hook, new URLSearchParams("a=1&website=x"))).status).toBe(202);
    expect(await deadLetterOf(hook)).toMatchObject({ code: "honeypot" });
    expect((await post(hook, new URLSearchParams("a=1&website="))).status).toBe(202);
    expect(await eventOf(hook)).toMatchObject({ payload: { a: "1" } });
  },

  async captcha() {
    const captcha = { provider: "turnstile", secret: "env:POSTHORN_SECRET_CAPTCHA_A" };
    const hook = await hookWith("form", "captcha", { captcha });
    expect((await post(hook, new URLSearchParams("a=1&cf-turnstile-response=bad"))).status).toBe(403);
  },

  async signature() {
    const signature = { scheme: "github", secret: "env:POSTHORN_SECRET_SIGNATURE_A" };
    const hook = await hookWith("web", "signature", { signature });
    const signed = `sha256=${createHmac("sha256", SECRET).update('{"n":1}').digest("hex")}`;
    const json = { "content-type": "application/json" };
    expect((await post(hook, '{"n":1}', json)).status).toBe(401);
    expect((await post(hook, '{"n":1}', { ...json, "x-hub-signature-256": signed })).status).toBe(202);
    expect(await eventOf(hook)).toMatchObject({ payload: { n: 1 } });
  },

  async deliveryId() {
    const hook = await hookWith("web", "deliveryid", { deliveryId: { header: "X-Delivery" } });
    const { key: apiKey } = await posthorn.daemon.storage.keys.create({ app: hook.app, expires: null }, Date.now());
    const key = { "content-type": "application/json", "x-delivery": "7", authorization: `Bearer ${apiKey}` };
    const first = (await (await post(hook, '{"n":1}', key)).json()) as { id: string };
    expect(await (await post(hook, '{"n":2}', key)).json()).toEqual({ ...first, duplicate: true });
  },

  async handshake() {
    const { type, hookId } = await hookWith("web", "handshake", { handshake: "dropbox" });
    const before = (await storedIn(posthorn, "POSTHORN_EVENTS")).length;
    const url = `http://${posthorn.daemon.http.address}/v1/hooks/${type}/${hookId}?challenge=abc123`;
    expect(await (await fetch(url)).text()).toBe("abc123");
    expect(await storedIn(posthorn, "POSTHORN_EVENTS")).toHaveLength(before);
  },

  async rateLimit() {
    const mail = await hookWith("email", "ratelimit", { rateLimit: { perMinute: 1 } });
    expect(await send(mail, JSON_MAIL, "1")).toMatch(/^250 /);
    expect(await send(mail, JSON_MAIL, "2")).toMatch(/^450 4\.7\.1 /);
    const form = await hookWith("form", "ratelimit", { rateLimit: { perMinute: 1 } });
    expect((await post(form, new URLSearchParams("a=1"))).status).toBe(202);
    expect((await post(form, new URLSearchParams("a=1"))).status).toBe(429);
  },
} as const satisfies Record<OptionName, () => Promise<void>>;

test.each(Object.entries(OPTIONS))("the option %s works from the app definition to the door's answer", (_, check) =>
  check(),
);
