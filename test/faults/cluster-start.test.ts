import { jetstreamManager } from "@nats-io/jetstream";
import { expect, test } from "vitest";

import { startDaemonProcess } from "../support/daemon-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import type { NatsCluster } from "../support/nats-cluster.ts";
import { startNatsCluster } from "../support/nats-cluster.ts";
import { posthornCommand } from "../support/posthorn-command.ts";

const ROUNDS = 10;
const LONGEST_MS = 15_000;

test("with R3 and one server killed, each in turn: serve, hooks list and doctor work within 15 s, ten times in a row", async () => {
  await using folder = await temporaryFolder();
  await using cluster = await startNatsCluster();
  const env = {
    POSTHORN_NATS_URL: cluster.url,
    POSTHORN_REPLICAS: "3",
    POSTHORN_DATA_DIR: folder.path,
    POSTHORN_DNS_SERVERS: "127.0.0.1:1",
  };
  // It may begin before the cluster has elected a leader.
  await (await startDaemonProcess(cluster.url, env))[Symbol.asyncDispose]();
  const created = await posthornCommand(["hooks", "create", "--type", "email", "--name", "Orders"], { env });
  expect(created).toMatchObject({ code: 0, stderr: "" });

  const slowestMs = { serve: 0, "hooks list": 0, doctor: 0 };
  const timed = async (what: keyof typeof slowestMs, work: () => Promise<unknown>) => {
    const startedAt = performance.now();
    await work();
    const tookMs = performance.now() - startedAt;
    slowestMs[what] = Math.max(slowestMs[what], tookMs);
    expect(tookMs, what).toBeLessThan(LONGEST_MS);
  };
  for (const server of cluster.servers) {
    await server.kill();
    for (let round = 0; round < ROUNDS; round += 1)
      await Promise.all([
        timed("serve", async () => {
          await using _daemon = await startDaemonProcess(cluster.url, env);
        }),
        timed("hooks list", async () => {
          const { code, stdout, stderr } = await posthornCommand(["hooks", "list", "--json"], { env });
          expect({ code, hooks: (JSON.parse(stdout || "[]") as unknown[]).length }, stderr).toEqual({
            code: 0,
            hooks: 1,
          });
        }),
        timed("doctor", async () => {
          const { code, stdout, stderr } = await posthornCommand(["doctor"], { env });
          expect(code, stdout + stderr).toBe(0);
        }),
      ]);
    await server.start();
    await expect.poll(() => areWhole(cluster), { timeout: 60_000 }).toBe(true);
  }
  const times = Object.entries(slowestMs).map(([what, ms]) => `${what} ${(ms / 1_000).toFixed(1)} s`);
  process.stdout.write(`faults | a server of three killed, ${3 * ROUNDS} rounds; slowest: ${times.join(", ")}\n`);
}, 420_000);

/** Whether every stream has all its copies, and they are up to date. */
async function areWhole(cluster: NatsCluster): Promise<boolean> {
  const [first] = cluster.servers;
  await using connection = await first?.connect();
  if (connection === undefined) return false;
  const jsm = await jetstreamManager(connection, { checkAPI: false });
  try {
    const infos = await Array.fromAsync(jsm.streams.list());
    return (
      infos.length > 0 &&
      infos.every(({ cluster: of }) => of?.replicas?.length === 2 && of.replicas.every(({ current }) => current))
    );
  } catch {
    // No leader yet.
    return false;
  }
}
