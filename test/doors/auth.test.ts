import { createTransport } from "nodemailer";
import { afterAll, beforeAll, expect, test } from "vitest";

import { makeCertificate, writeCertificate } from "../support/certificate.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { temporaryFolder } from "../support/folder.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { connectRelay } from "../support/relay.ts";

const certificate = makeCertificate("localhost");
let nats: NatsServer;
let posthorn: TestDaemon;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  nats = await startNatsServer();
  folder = await temporaryFolder();
  posthorn = await startTestDaemon(nats, {
    ...(await writeCertificate(folder.path, certificate)),
    POSTHORN_TRUSTED_RELAYS: "127.0.0.1",
  });
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const base64 = (text: string) => Buffer.from(text).toString("base64");
const plain = (password: string) => `AUTH PLAIN ${base64(`\0relay\0${password}`)}`;
const MAIL = "From: a@example.org\r\nContent-Type: application/json\r\n\r\n{}\r\n";

async function makeKey(): Promise<{ key: string; keyId: string }> {
  await posthorn.emailHook();
  return posthorn.daemon.storage.keys.create({ app: "shop", expires: null }, Date.now());
}

test("a relay logs in with a key of the registry, by PLAIN and by LOGIN, and the event says so", async () => {
  const hook = await posthorn.emailHook();
  const { key } = await makeKey();
  using byPlain = await posthorn.connectRelay();
  expect(await byPlain.say("EHLO relay.example.org")).toContain("AUTH PLAIN LOGIN");
  expect(await byPlain.say(plain(key))).toMatch(/^235 2\.7\.0 /);
  expect(await byPlain.say(plain(key))).toMatch(/^503 /);
  expect(await byPlain.send({ to: hook.address, mail: MAIL })).toMatch(/^250 /);
  const event = JSON.parse((await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text ?? "") as {
    data: { mail: { envelope: { protocol: string } } };
  };
  expect(event.data.mail.envelope.protocol).toBe("ESMTPA");
  using byLogin = await posthorn.connectRelay();
  expect(await byLogin.say("AUTH LOGIN")).toMatch(/^334 /);
  expect(await byLogin.say(base64("relay"))).toMatch(/^334 /);
  expect(await byLogin.say(base64(key))).toMatch(/^235 /);
});

test("nodemailer sends over STARTTLS with a key as its password", async () => {
  const hook = await posthorn.emailHook();
  const { key } = await makeKey();
  const address = posthorn.daemon.mail.doors.find(({ name }) => name === "smtp")?.address ?? "";
  const transport = createTransport({
    host: "localhost",
    port: Number(address.split(":").at(-1)),
    requireTLS: true,
    tls: { ca: certificate.cert, servername: "localhost" },
    auth: { user: "relay", pass: key },
  });
  const { response } = await transport.sendMail({
    from: "a@example.org",
    to: hook.address,
    attachments: [{ filename: "order.json", content: '{"by":"nodemailer"}' }],
  });
  transport.close();
  expect(response).toMatch(/^250 2\.0\.0 [0-9a-z]{26}$/);
  const event = JSON.parse((await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text ?? "") as {
    data: { payload: unknown; mail: { envelope: { protocol: string } } };
  };
  expect(event.data.payload).toEqual({ by: "nodemailer" });
  expect(event.data.mail.envelope.protocol).toBe("ESMTPSA");
});

test("a wrong password hears 535 5.7.8, a third one 421, and a revoked key opens nothing", async () => {
  const { key, keyId } = await makeKey();
  await posthorn.daemon.storage.keys.revoke(keyId);
  using relay = await posthorn.connectRelay();
  expect(await relay.say(plain(key))).toMatch(/^535 5\.7\.8 /);
  expect(await relay.say(plain("phk_00000000_00000000000000000000"))).toMatch(/^535 5\.7\.8 /);
  expect(await relay.say(plain(""))).toMatch(/^421 4\.7\.0 /);
  await relay.closed();
});

test("what is no AUTH is refused and changes nothing", async () => {
  using relay = await posthorn.connectRelay();
  for (const wrong of ["AUTH", "AUTH CRAM-MD5", "AUTH PLAIN a b c", `AUTH PLAIN ${base64("no nul")}`])
    expect(await relay.say(wrong)).toMatch(/^50[14] /);
  expect(await relay.say("AUTH PLAIN")).toMatch(/^334/);
  expect(await relay.say("*")).toMatch(/^501 /);
  expect(await relay.say("MAIL FROM:<a@example.org>")).toMatch(/^250 /);
});

test("in the clear from the Internet AUTH is neither offered nor heard, and LMTP has none", async () => {
  using relay = await posthorn.connectRelay();
  await relay.say("XCLIENT ADDR=192.0.2.1");
  const features = await relay.say("EHLO client.example");
  // The relay itself is on loopback; what counts is where the connection came from.
  expect(features).toContain("AUTH");
  await using proxied = await startTestDaemon(nats, {
    POSTHORN_TRUSTED_RELAYS: "127.0.0.1",
    POSTHORN_SMTP_PROXY: "required",
  });
  const port = Number(
    proxied.daemon.mail.doors
      .find(({ name }) => name === "smtp")
      ?.address.split(":")
      .at(-1),
  );
  using stranger = await connectRelay({ host: "127.0.0.1", port }, { head: "PROXY TCP4 192.0.2.1 127.0.0.1 1 25\r\n" });
  expect(await stranger.say("EHLO client.example")).not.toContain("AUTH");
  expect(await stranger.say(plain("x"))).toMatch(/^500 /);
  using lmtp = await posthorn.connectRelay("lmtp");
  expect(await lmtp.say("LHLO relay.example.org")).not.toContain("AUTH");
});
