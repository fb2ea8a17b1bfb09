import { jetstreamManager } from "@nats-io/jetstream";
import { expect, test } from "vitest";

import { startTestDaemon } from "../support/daemon.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startNatsCluster } from "../support/nats-cluster.ts";

const TOKEN = "a-token-for-this-test";
const WATCHED_MS = 12_000;
const PROBE_EVERY_MS = 200;
const LONGEST_PROBE_MS = 1_000;

interface Probe {
  readonly atMs: number;
  readonly status: number;
  readonly tookMs: number;
  readonly text: string;
}

test("one of three servers killed, whichever it is: every replica stays ready, says so within a second, and takes mail", async () => {
  await using cluster = await startNatsCluster();
  const [first] = cluster.servers;
  if (first === undefined) throw new Error("a cluster without servers");
  const env = (order: readonly number[]) => ({
    POSTHORN_NATS_URL: order.map((index) => cluster.servers[index]?.url).join(","),
    POSTHORN_REPLICAS: "3",
    POSTHORN_ADMIN_TOKEN: TOKEN,
  });
  await using one = await startTestDaemon(first, env([0, 1, 2]));
  await using two = await startTestDaemon(first, env([2, 1, 0]));
  const { address } = await one.emailHook();
  const lines: string[] = [];
  for (const server of cluster.servers) {
    await server.kill();
    const startedAt = performance.now();
    const [probes, replies] = await Promise.all([
      Promise.all([one, two].map((daemon) => probed(daemon, startedAt))),
      mailed([one, two], address, startedAt),
    ]);
    const all = probes.flat();
    expect(all.filter(({ status }) => status !== 200)).toEqual([]);
    expect(Math.max(...all.map(({ tookMs }) => tookMs))).toBeLessThan(LONGEST_PROBE_MS);
    expect(replies.taken).toBeGreaterThan(0);
    lines.push(`${all.length} probes, ${replies.taken} mails taken, ${replies.postponed} postponed`);
    await server.start();
    await expect.poll(() => isWhole(one), { timeout: 90_000 }).toBe(true);
  }
  process.stdout.write(`faults | readiness while a server of three is gone: ${lines.join("; ")}\n`);
}, 300_000);

async function probed(posthorn: TestDaemon, startedAt: number): Promise<Probe[]> {
  const probes: Probe[] = [];
  while (performance.now() - startedAt < WATCHED_MS) {
    const askedAt = performance.now();
    const response = await fetch(`http://${posthorn.daemon.admin.address}/readyz`);
    const text = await response.text();
    const tookMs = performance.now() - askedAt;
    probes.push({ atMs: Math.round(askedAt - startedAt), status: response.status, tookMs, text });
    await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
  }
  return probes;
}

/** A relay that tries again at once what was postponed. */
async function mailed(
  replicas: readonly TestDaemon[],
  address: string,
  startedAt: number,
): Promise<{ taken: number; postponed: number }> {
  const counts = { taken: 0, postponed: 0 };
  for (let number = 0; performance.now() - startedAt < WATCHED_MS; number += 1) {
    const replica = replicas[number % replicas.length];
    if (replica === undefined) break;
    using relay = await replica.connectRelay("smtp", { patienceMs: 60_000 });
    const id = `Message-ID: <${startedAt}.${number}@x>\r\nContent-Type: application/json\r\n\r\n{"order":${number}}\r\n`;
    const reply = await relay.send({ to: address, mail: id });
    if (reply.startsWith("250 ")) counts.taken += 1;
    else counts.postponed += 1;
    await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
  }
  return counts;
}

async function isWhole({ daemon }: TestDaemon): Promise<boolean> {
  const jsm = await jetstreamManager(daemon.storage.nats.connection, { checkAPI: false });
  try {
    const infos = await Array.fromAsync(jsm.streams.list());
    return infos.every(
      ({ cluster }) => cluster?.replicas?.length === 2 && cluster.replicas.every(({ current }) => current),
    );
  } catch {
    // No leader yet.
    return false;
  }
}
