import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { jetstreamManager } from "@nats-io/jetstream";
import { expect, test } from "vitest";

import { readSettings } from "../../src/config/settings.ts";
import { examine } from "../../src/daemon/doctor.ts";
import { checkDataDirectory } from "../../src/daemon/health-settings.ts";
import type { HealthCheck } from "../../src/daemon/health.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { posthornCommand } from "../support/posthorn-command.ts";
import { setUpStreams } from "../support/set-up-streams.ts";
import { silentLog } from "../support/silent-log.ts";

const NOWHERE = "127.0.0.1:1";
/** Settings that cost no time: nobody listens on port 1. */
const QUIET = { POSTHORN_DNS_SERVERS: NOWHERE, POSTHORN_ADMIN_LISTEN: NOWHERE, POSTHORN_MAIL_DOMAIN: "shop.example" };

async function look(env: Readonly<Record<string, string>>): Promise<Readonly<Record<string, HealthCheck>>> {
  const checks = await examine(readSettings({ ...QUIET, ...env }), { env, log: silentLog });
  return Object.fromEntries(checks.map((check) => [check.name, check]));
}

test("on an empty server doctor and every reading command create nothing and say what is missing", async () => {
  await using nats = await startNatsServer();
  await using folder = await temporaryFolder();
  const env = { ...QUIET, POSTHORN_NATS_URL: nats.url, POSTHORN_DATA_DIR: join(folder.path, "data") };
  const doctor = await posthornCommand(["doctor", "--json"], { env });
  expect(doctor.code).toBe(1);
  const checks = JSON.parse(doctor.stdout) as HealthCheck[];
  expect(checks.find(({ name }) => name === "stream settings")).toMatchObject({
    ok: false,
    detail: expect.stringMatching(
      /^not in NATS: POSTHORN_EVENTS, .*KV_posthorn_registry, .*OBJ_posthorn_objects\. `posthorn serve` creates them/,
    ) as string,
  });
  const commands = ["hooks list", "apps list", "keys list", "secrets list", "dead list", "refused list", "asyncapi"];
  for (const command of commands) {
    const { code, stdout, stderr } = await posthornCommand(command.split(" "), { env });
    expect([code, stdout], command).toEqual([1, ""]);
    expect(stderr).toMatch(
      /^posthorn: not in NATS: POSTHORN_EVENTS, .*\. Start the daemon first: only `posthorn serve` creates streams\.\n$/,
    );
  }
  const connection = await nats.connect();
  const jsm = await jetstreamManager(connection);
  expect(await Array.fromAsync(jsm.streams.names())).toEqual([]);
  await connection.close();
});

test("with NATS away all other checks are made, and --json is JSON", async () => {
  await using folder = await temporaryFolder();
  const env = { ...QUIET, POSTHORN_NATS_URL: `nats://${NOWHERE}`, POSTHORN_DATA_DIR: folder.path };
  const { code, stdout, stderr } = await posthornCommand(["doctor", "--json"], { env });
  expect([code, stderr]).toEqual([1, ""]);
  const checks = JSON.parse(stdout) as HealthCheck[];
  expect(checks.find(({ name }) => name === "nats")).toMatchObject({
    ok: false,
    detail: expect.stringContaining("no NATS server answers at nats://127.0.0.1:1 (ECONNREFUSED). To do: ") as string,
  });
  expect(checks.map(({ name }) => name)).toEqual(expect.arrayContaining(["daemon", "data directory", "tls", "dns"]));
});

test("each difference between streams and settings is named with the command that ends it", async () => {
  await using nats = await startNatsServer();
  await setUpStreams(nats);
  const env = { POSTHORN_NATS_URL: nats.url };
  expect((await look(env))["stream settings"]).toMatchObject({ ok: true, detail: expect.stringMatching(/^copies, /) });

  const other = { POSTHORN_REPLICAS: "3", POSTHORN_EVENTS_MAX_AGE: "90d", POSTHORN_DEDUPE_WINDOW: "36h" };
  const { ok, warning, detail } = (await look({ ...env, ...other }))["stream settings"] ?? { detail: "" };
  expect([ok, warning]).toEqual([true, true]);
  for (const part of [
    "POSTHORN_EVENTS: it has 1 copy, and POSTHORN_REPLICAS says 3; `nats stream edit POSTHORN_EVENTS --replicas=3`",
    "KV_posthorn_registry: it has 1 copy, and POSTHORN_REPLICAS says 3; `nats stream edit KV_posthorn_registry --replicas=3`",
    "POSTHORN_EVENTS: events are kept for 7d, and POSTHORN_EVENTS_MAX_AGE says 90d; `nats stream edit POSTHORN_EVENTS --max-age=90d`",
    "POSTHORN_EVENTS: repeats are recognised for 1d, and POSTHORN_DEDUPE_WINDOW says 36h; `nats stream edit POSTHORN_EVENTS --dupe-window=36h`",
  ])
    expect(detail).toContain(part);
});

test("objects that go before what names them, and streams that are placed elsewhere, are said", async () => {
  await using nats = await startNatsServer({
    config: `jetstream { store_dir: "$FOLDER" }\nserver_tags: ["ssd"]`,
  });
  await setUpStreams(nats);
  const connection = await nats.connect();
  const jsm = await jetstreamManager(connection);
  const edit = async (stream: string, change: object) => {
    const { config } = await jsm.streams.info(stream);
    await jsm.streams.update(stream, { ...config, ...change });
  };
  await edit("POSTHORN_EVENTS", { max_age: 90 * 86_400e9, placement: { tags: ["ssd"] } });
  const env = { POSTHORN_NATS_URL: nats.url, POSTHORN_EVENTS_MAX_AGE: "90d" };
  const { detail = "" } = (await look(env))["stream settings"] ?? {};
  expect(detail).toContain(
    "OBJ_posthorn_objects: objects live for 31d, and what names them for 90d: mails, files and the data of big events go before their events; `nats stream edit OBJ_posthorn_objects --max-age=91d`",
  );
  expect(detail).toContain(
    "POSTHORN_AUDIT: it is placed anywhere, and POSTHORN_EVENTS by tags ssd; `nats stream edit POSTHORN_AUDIT --tag=ssd`",
  );
  await edit("POSTHORN_EVENTS", { max_age: 0 });
  expect((await look(env))["stream settings"]?.detail).toContain("objects live for 31d, and what names them for ever");
  await connection.close();
});

test("what settings open to everybody is said", async () => {
  await using nats = await startNatsServer();
  await setUpStreams(nats);
  const checks = await look({
    POSTHORN_NATS_URL: nats.url,
    POSTHORN_ADMIN_LISTEN: "0.0.0.0:1",
    POSTHORN_HTTP_LISTEN: "0.0.0.0:8080",
    POSTHORN_TRUSTED_RELAYS: "0.0.0.0/0",
    POSTHORN_TRUSTED_PROXIES: "10.0.0.0/8,::/0",
    POSTHORN_MAIL_DOMAIN: "",
  });
  const warned = Object.values(checks).filter(({ warning }) => warning === true);
  expect(Object.fromEntries(warned.map(({ name, detail }) => [name, detail]))).toMatchObject({
    "admin listener": expect.stringMatching(/^0\.0\.0\.0:1 can be reached from other machines/),
    "public URL": expect.stringMatching(/^http:\/\/localhost:8080 leads senders to themselves/),
    "trusted relays": expect.stringContaining("POSTHORN_TRUSTED_RELAYS trusts everybody"),
    "trusted proxies": expect.stringContaining("POSTHORN_TRUSTED_PROXIES trusts everybody"),
    "mail domain": expect.stringContaining("POSTHORN_MAIL_DOMAIN"),
  });
  const quiet = await look({
    POSTHORN_NATS_URL: nats.url,
    POSTHORN_HTTP_LISTEN: "0.0.0.0:8080",
    POSTHORN_PUBLIC_URL: "https://hooks.example",
    POSTHORN_TRUSTED_RELAYS: "10.0.0.0/8",
  });
  for (const name of ["admin listener", "public URL", "trusted relays", "trusted proxies", "mail domain"])
    expect(quiet, name).not.toHaveProperty([name]);
});

test("sign-in provider, collector and captcha service are asked whether they answer", async () => {
  const answering = createServer((request, response) => {
    response.writeHead(request.url?.includes(".well-known") === true ? 200 : 405).end("{}");
  });
  await new Promise<void>((resolve) => answering.listen(0, "127.0.0.1", resolve));
  const up = `http://127.0.0.1:${(answering.address() as AddressInfo).port}`;
  const env = (url: string) => ({
    POSTHORN_NATS_URL: `nats://${NOWHERE}`,
    POSTHORN_ADMIN_URL: "http://admin.example",
    POSTHORN_OIDC_ISSUER: url,
    POSTHORN_OIDC_CLIENT_ID: "posthorn",
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    POSTHORN_CAPTCHA_URL: url,
  });
  const names = ["OIDC provider", "OTLP collector", "captcha service"];
  const good = await look(env(up));
  for (const name of names) expect(good[name]).toMatchObject({ ok: true, detail: expect.stringMatching(/ answers$/) });
  await new Promise((resolve) => answering.close(resolve));
  const bad = await look(env(up));
  for (const name of names)
    expect(bad[name]).toMatchObject({
      warning: true,
      detail: expect.stringMatching(/ does not answer \(ECONNREFUSED\); /),
    });
});

test("a data directory that cannot be written is said, and none is made", async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, "new", "data");
  const check = (path: string) => checkDataDirectory(readSettings({ POSTHORN_DATA_DIR: path }));
  expect(await check(dataDir)).toMatchObject({
    ok: true,
    detail: expect.stringContaining("is made when it is needed"),
  });
  await expect(rm(join(folder.path, "new"))).rejects.toThrow("ENOENT");
  // Root may write everywhere but there.
  expect(await check("/proc/sys/posthorn")).toMatchObject({
    ok: false,
    detail: expect.stringMatching(/^\/proc\/sys cannot be written \((?:EACCES|EROFS|EPERM)\)/),
  });
});
