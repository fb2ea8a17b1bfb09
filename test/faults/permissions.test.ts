import { expect, test } from "vitest";

import { readSettings } from "../../src/config/settings.ts";
import { examine } from "../../src/daemon/doctor.ts";
import { OperatorError } from "../../src/model/operator-error.ts";
import type { NeededPermission, PermissionRole } from "../../src/nats/needed-permissions.ts";
import { OWN_PERMISSIONS, neededPermissions } from "../../src/nats/needed-permissions.ts";
import { startTestDaemon } from "../support/daemon.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { recordedLog } from "../support/recorded-log.ts";
import { setUpStreams } from "../support/set-up-streams.ts";
import { silentLog } from "../support/silent-log.ts";
import { ADMIN_TOKEN, OWN_SUBJECT, useEverything } from "../support/use-everything.ts";

// Each permission that is needed is taken away, one at a time: it must be named where somebody looks.

const USER = { POSTHORN_NATS_USER: "u", POSTHORN_NATS_PASSWORD: "u" };

function configWithout(role: PermissionRole, without: readonly string[]): string {
  const needed = neededPermissions(role, { subjects: [OWN_SUBJECT] });
  const allowed = (operation: NeededPermission["operation"]) =>
    JSON.stringify([
      // An empty list would allow everything.
      "not.used",
      ...needed
        .filter((one) => one.operation === operation && !without.includes(one.subject))
        .map(({ subject }) => subject),
    ]);
  return `jetstream { store_dir: "$FOLDER" }
max_payload: 8MB
accounts { A: { jetstream: enabled, users: [
  { user: all, password: all }
  { user: u, password: u, permissions { publish { allow: ${allowed("publish")} }, subscribe { allow: ${allowed("subscribe")} } } }
] } }`;
}

/**
 * All that an operator could read: why the start failed, the log, and, where that has not said it, what those were told who used
 * the daemon.
 */
async function saidBy(nats: NatsServer, isEnough: (said: string) => boolean): Promise<string> {
  const log = recordedLog();
  try {
    const env = { ...USER, POSTHORN_ADMIN_TOKEN: ADMIN_TOKEN, POSTHORN_SECRETS_KEY: "a".repeat(64) };
    await using posthorn = await startTestDaemon(nats, env, { log, deliverMs: 2_000 });
    await posthorn.daemon.storage.nats.connection.flush();
    const atStart = JSON.stringify(log.lines);
    if (isEnough(atStart)) return atStart;
    const failures = await useEverything(posthorn);
    return JSON.stringify([failures, log.lines]);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return JSON.stringify([error.message, error.hint, log.lines]);
  }
}

for (const isTold of [true, false])
  test(`a daemon without one of its permissions names it, where the server ${isTold ? "tells" : "does not tell"} what the user may do`, async () => {
    const unnamed: string[] = [];
    for (const { subject } of neededPermissions("daemon", { subjects: [OWN_SUBJECT] })) {
      if (subject === OWN_PERMISSIONS) continue;
      const without = isTold ? [subject] : [subject, OWN_PERMISSIONS];
      await using nats = await startNatsServer({ config: configWithout("daemon", without) });
      const isNamed = (said: string) => said.includes(JSON.stringify(subject).slice(1, -1));
      if (!isNamed(await saidBy(nats, isNamed))) unnamed.push(subject);
    }
    expect(unnamed).toEqual([]);
  });

test("doctor names each permission that the user of commands lacks, and how to let it see them", async () => {
  const unnamed: string[] = [];
  for (const { subject } of neededPermissions("cli", { subjects: [OWN_SUBJECT] })) {
    await using nats = await startNatsServer({ config: configWithout("cli", [subject]) });
    await setUpStreams(nats, { POSTHORN_NATS_USER: "all", POSTHORN_NATS_PASSWORD: "all" });
    const settings = readSettings({
      ...USER,
      POSTHORN_NATS_URL: nats.url,
      POSTHORN_ADMIN_LISTEN: "127.0.0.1:1",
      POSTHORN_DNS_SERVERS: "127.0.0.1:1",
    });
    const checks = await examine(settings, { env: {}, log: silentLog });
    if (!JSON.stringify(checks).includes(subject)) unnamed.push(subject);
  }
  // Only the name of one event, which no hook has here, is known to nobody.
  expect(unnamed).toEqual([OWN_SUBJECT]);
});
