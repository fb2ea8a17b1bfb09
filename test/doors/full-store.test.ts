import { jetstreamManager } from "@nats-io/jetstream";
import { expect, test } from "vitest";

import { readSettings } from "../../src/config/settings.ts";
import { examine } from "../../src/daemon/doctor.ts";
import type { RefusedEntry } from "../../src/publish/refused-calls.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { silentLog } from "../support/silent-log.ts";

const TOKEN = "a-token-for-this-test";
const MIB = 1024 * 1024;

interface Ready {
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

const get = (posthorn: TestDaemon, path: string) =>
  fetch(`http://${posthorn.daemon.admin.address}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });

async function readyz(
  posthorn: TestDaemon,
): Promise<{ status: number; publishing: Ready["checks"][number] | undefined }> {
  const response = await get(posthorn, "/readyz");
  const { checks } = (await response.json()) as Ready;
  return { status: response.status, publishing: checks.find(({ name }) => name === "publishing") };
}

test("an account at its limit is seen in readiness, doctor, page and metrics, and refused calls are written later", async () => {
  await using nats = await startNatsServer({
    config: `jetstream { store_dir: "$FOLDER" }
max_payload: 8MB
accounts { A: { jetstream: { max_file: 24MB }, users: [ { user: "u", password: "u" } ] } }`,
  });
  const env = { POSTHORN_NATS_USER: "u", POSTHORN_NATS_PASSWORD: "u", POSTHORN_ADMIN_TOKEN: TOKEN };
  await using posthorn = await startTestDaemon(nats, env);
  const { address, hookId } = await posthorn.emailHook();
  expect(await readyz(posthorn)).toMatchObject({ status: 200, publishing: { ok: true } });

  // Somebody else stores in the same account until it is full.
  const beside = await nats.connect("u");
  const jsm = await jetstreamManager(beside);
  await jsm.streams.add({ name: "OTHERS", subjects: ["others"] });
  const filler = Buffer.alloc(1 * MIB);
  for (let stored = 0; stored < 30; stored += 1) {
    const full = await jsm
      .jetstream()
      .publish("others", filler)
      .then(
        () => false,
        () => true,
      );
    if (full) break;
  }
  using relay = await posthorn.connectRelay();
  const mail = `Content-Type: application/json\r\n\r\n{"order":1,"text":"${"x".repeat(60_000)}"}\r\n`;
  await expect
    .poll(() => relay.send({ to: address, mail: `Message-ID: <${Math.random()}@x>\r\n${mail}` }))
    .toMatch(/^452 4\.3\.1 /);

  const { status, publishing } = await readyz(posthorn);
  expect(status).toBe(503);
  expect(publishing?.detail).toMatch(
    /^storing in POSTHORN_EVENTS failed 0 s ago: stream-full \(.+\); the sender got 452 4\.3\.1$/,
  );
  const metrics = await (await get(posthorn, "/metrics")).text();
  expect(metrics).toMatch(/^posthorn_store_failures_total\{stream="POSTHORN_EVENTS",cause="stream-full"\} [1-9]/m);
  expect(metrics).toMatch(/^posthorn_store_last_failure_timestamp_seconds\{cause="stream-full"\} 1\d{9}/m);
  const page = await (
    await fetch(`http://${posthorn.daemon.admin.address}/health`, {
      headers: { authorization: `Bearer ${TOKEN}`, accept: "text/html" },
    })
  ).text();
  expect(page).toContain("storing in POSTHORN_EVENTS failed");
  const settings = readSettings({
    ...env,
    POSTHORN_NATS_URL: nats.url,
    POSTHORN_ADMIN_LISTEN: posthorn.daemon.admin.address ?? "",
    POSTHORN_DNS_SERVERS: "127.0.0.1:1",
  });
  const checks = await examine(settings, { env: {}, log: silentLog });
  expect(checks.find(({ name }) => name === "daemon")).toMatchObject({
    ok: false,
    detail: expect.stringContaining("is not ready. publishing: storing in POSTHORN_EVENTS failed") as string,
  });
  expect(checks.find(({ name }) => name === "stream POSTHORN_EVENTS")).toMatchObject({
    ok: false,
    detail: expect.stringMatching(/what the account has for it.*: full, mail gets 452 4\.3\.1/) as string,
  });

  // Ready again by itself, although nothing has come meanwhile.
  await expect.poll(async () => (await readyz(posthorn)).status, { timeout: 15_000, interval: 500 }).toBe(200);
  await jsm.streams.purge("OTHERS");
  const refused = async () =>
    (await storedIn(posthorn, "POSTHORN_REFUSED")).map(({ text }) => JSON.parse(text) as RefusedEntry);
  await expect
    .poll(refused, { timeout: 15_000, interval: 500 })
    .toEqual(
      expect.arrayContaining([expect.objectContaining({ answer: "452 4.3.1", hook: "kustomer.app.shop.order" })]),
    );
  expect(JSON.stringify(await refused())).not.toContain(hookId);
  expect(await relay.send({ to: address, mail: `Message-ID: <last@x>\r\n${mail}` })).toMatch(/^250 /);
  await beside.close();
});

test("readiness is said at once and from what is known while NATS is silent, and comes back by itself", async () => {
  await using nats = await startNatsServer();
  await using posthorn = await startTestDaemon(nats, { POSTHORN_ADMIN_TOKEN: TOKEN });
  const timed = async () => {
    const startedAt = performance.now();
    const { status } = await readyz(posthorn);
    return { status, isQuick: performance.now() - startedAt < 1_000 };
  };
  expect(await timed()).toEqual({ status: 200, isQuick: true });
  nats.pause();
  // An election takes as long: it must not take every replica out.
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  expect(await timed()).toEqual({ status: 200, isQuick: true });
  await expect.poll(timed, { timeout: 20_000 }).toEqual({ status: 503, isQuick: true });
  nats.resume();
  await expect.poll(timed, { timeout: 20_000 }).toEqual({ status: 200, isQuick: true });
});
