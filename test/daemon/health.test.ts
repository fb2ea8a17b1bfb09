import { AckPolicy } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";

import { readSettings } from "../../src/config/settings.ts";
import { clockCheck } from "../../src/daemon/health-clock.ts";
import { permissionsFinding } from "../../src/daemon/health-permissions.ts";
import { dedupeCheck, fillCheck } from "../../src/daemon/health-stream.ts";
import type { HealthCheck } from "../../src/daemon/health.ts";
import { checkHealth } from "../../src/daemon/health.ts";
import type { StreamFacts } from "../../src/nats/stream-facts.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

const EVENTS = "POSTHORN_EVENTS";
const DAY_MS = 86_400_000;
const GIB = 1024 ** 3;

/** A server whose user `posthorn` may publish everywhere but on `denied`. */
const config = (denied: string) => `jetstream { store_dir: "$FOLDER" }
authorization { users = [
  { user: posthorn, password: posthorn, permissions: { publish: { allow: [">"], deny: ["${denied}"] } } }
] }`;

let nats: NatsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer({ config: config("not.ours.>") });
  posthorn = await startTestDaemon(nats, { POSTHORN_NATS_USER: "posthorn", POSTHORN_NATS_PASSWORD: "posthorn" });
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

async function look(): Promise<Readonly<Record<string, HealthCheck>>> {
  const checks = await checkHealth(posthorn.daemon.storage, readSettings({ POSTHORN_MAIL_DOMAIN: "shop.example" }));
  return Object.fromEntries(checks.map((check) => [check.name, check]));
}

const FACTS: StreamFacts = {
  stream: EVENTS,
  messages: 1_000,
  bytes: GIB,
  limitBytes: 10 * GIB,
  limitName: "its max_bytes",
  maxAgeMs: 7 * DAY_MS,
  discardsOld: false,
  lastHour: 0,
  windowMs: DAY_MS,
  inWindow: 500,
};

test("a healthy daemon: streams, durability, dedup memory, clock, permissions and subscribers are all looked at", async () => {
  const checks = await look();
  for (const name of ["nats", "registry", `stream ${EVENTS}`, "stream POSTHORN_DEAD_LETTERS", "durability"])
    expect(checks[name]).toMatchObject({ name, ok: true });
  expect(checks["durability"]?.detail).toMatch(/a power loss can take .* To do: set sync_interval: always/);
  expect(checks["clock"]?.detail).toMatch(/^within \d+(\.\d)? m?s of the NATS server's$/);
  expect(checks["permissions"]?.detail).toBe("our NATS user may do all that Posthorn needs");
  expect(checks["subscribers"]?.detail).toContain("none is durable");
});

test("the rate of the last hour and the remembered ids are those of the stream; who is behind is named", async () => {
  const hook = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  for (const order of [1, 2, 3]) {
    const mail = `Message-ID: <${order}@x>\r\nContent-Type: application/json\r\n\r\n{"order":${order}}\r\n`;
    expect(await relay.send({ to: hook.address, mail })).toMatch(/^250 /);
  }
  const { jsm } = posthorn.daemon.storage;
  await jsm.consumers.add(EVENTS, { durable_name: "workflows", ack_policy: AckPolicy.Explicit });
  const checks = await look();
  expect(checks[`stream ${EVENTS}`]?.detail).toMatch(/^3 messages, .*, 3 in the last hour/);
  expect(checks["dedup memory"]?.detail).toMatch(/^the server remembers 3 ids for 24 hours, about 750 bytes;/);
  expect(checks["subscribers"]?.detail).toMatch(/^1 of 1 durable ones behind: workflows 3 events, the oldest \d min$/);
});

test("how long a stream lasts at its rate: age first, days, full", () => {
  expect(fillCheck({ ...FACTS, lastHour: 1 }).detail).toContain("at this rate age ends it first, at about 1.7 %");
  const soon = fillCheck({ ...FACTS, lastHour: 500 });
  expect(soon).toMatchObject({ ok: true, warning: true });
  expect(soon.detail).toContain(
    "10 % of 10 GiB (its max_bytes), 500 in the last hour; at this rate full in 18 hours. Give",
  );
  expect(fillCheck({ ...FACTS, maxAgeMs: undefined, lastHour: 10 }).detail).toContain("at this rate full in 37 days");
  expect(fillCheck({ ...FACTS, bytes: 10 * GIB }).detail).toContain("full, mail gets 452 4.3.1");
  expect(fillCheck({ ...FACTS, limitBytes: undefined }).detail).toContain("the server's disk ends it");
});

test("the window's memory at the seen rate, with a warning when it is gigabytes", () => {
  expect(dedupeCheck({ ...FACTS, lastHour: 10 })).not.toHaveProperty("warning");
  // 500 a second for 24 hours is about 10 GB of server memory (field notes, "Durability").
  const much = dedupeCheck({ ...FACTS, lastHour: 1_800_000 });
  expect(much.warning).toBe(true);
  expect(much.detail).toContain("10 GiB when the rate of the last hour goes on");
});

test("a clock that is off by more than the question took is said, with its direction", () => {
  const ask = (server: number | undefined) => clockCheck({ server, before: 100_000, after: 100_020 });
  expect(ask(100_010)).toEqual({ name: "clock", ok: true, detail: "within 20 ms of the NATS server's" });
  expect(ask(101_020).detail).toBe("within 1.0 s of the NATS server's");
  expect(ask(400_020)).toMatchObject({ warning: true, detail: expect.stringMatching(/^ours is 300\.0 s behind/) });
  expect(ask(40_000)).toMatchObject({ warning: true, detail: expect.stringMatching(/^ours is 60\.0 s ahead of/) });
  expect(ask(undefined).detail).toContain("does not tell its time");
});

test("a subject that our user may not publish on: vital ones fail, others warn, and each is named", async () => {
  await posthorn.install([{ eventName: "paid.order", type: "email" }], "pay");
  await nats.restart(config("paid.>"));
  await expect
    .poll(async () => (await look())["permissions"])
    .toMatchObject({
      ok: false,
      detail: expect.stringMatching(
        /^our NATS user may not publish on paid\.order; mail gets 451 4\.3\.5\. `posthorn permissions` prints /,
      ),
    });
  const all = { allow: undefined, deny: [] };
  const wish = { subjects: [], domain: undefined };
  expect(permissionsFinding({ publish: { ...all, deny: ["posthorn.audit.>"] }, subscribe: all }, wish)).toMatchObject({
    ok: true,
    warning: true,
    detail: expect.stringContaining("may not publish on posthorn.audit.>"),
  });
  const least = { publish: { allow: ["kustomer.app.>"], deny: [] }, subscribe: { allow: ["orders.>"], deny: [] } };
  const { ok, detail } = permissionsFinding(least, wish);
  expect(ok).toBe(false);
  expect(detail).toMatch(/may not publish on posthorn\.dead\.>, .* and may not subscribe to _INBOX\.posthorn\.>; mail/);
  expect(permissionsFinding(undefined, wish).ok).toBe(true);
});
