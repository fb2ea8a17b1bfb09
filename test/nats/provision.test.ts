import { jetstreamManager } from "@nats-io/jetstream";
import { expect, test } from "vitest";

import { provision } from "../../src/nats/provision.ts";
import { eventually } from "../support/eventually.ts";
import { startNatsCluster } from "../support/nats-cluster.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { silentLog } from "../support/silent-log.ts";

const SETTINGS = { dedupeWindowMs: 3_600_000, eventsMaxAgeMs: 7_200_000, replicas: 1 };
const SECOND_NS = 1_000_000_000;
const DAY_NS = 24 * 60 * 60 * SECOND_NS;

test("an empty server gets every stream and bucket of the contract with its settings", async () => {
  await using nats = await startNatsServer();
  const connection = await nats.connect();
  await provision(connection, SETTINGS, silentLog);
  const jsm = await jetstreamManager(connection);
  const configOf = async (stream: string) => (await jsm.streams.info(stream)).config;
  expect(await configOf("POSTHORN_EVENTS")).toMatchObject({
    subjects: ["kustomer.app.>"],
    storage: "file",
    retention: "limits",
    discard: "new",
    max_age: 7_200 * SECOND_NS,
    duplicate_window: 3_600 * SECOND_NS,
  });
  expect(await configOf("POSTHORN_DEAD_LETTERS")).toMatchObject({
    subjects: ["posthorn.dead.>"],
    storage: "file",
    max_age: 30 * DAY_NS,
  });
  expect(await configOf("POSTHORN_REFUSED")).toMatchObject({
    subjects: ["posthorn.refused.>"],
    discard: "old",
    max_age: DAY_NS,
    max_bytes: 64 * 1024 * 1024,
  });
  expect(await configOf("POSTHORN_AUDIT")).toMatchObject({ subjects: ["posthorn.audit.>"], max_age: 400 * DAY_NS });
  for (const bucket of ["registry", "keys", "secrets"])
    expect(await configOf(`KV_posthorn_${bucket}`)).toMatchObject({ allow_direct: false });
  expect(await configOf("KV_posthorn_unfinished")).toMatchObject({ max_age: 7 * DAY_NS });
  // Longer than the dead letters that name them: an object is stored first.
  expect(await configOf("OBJ_posthorn_objects")).toMatchObject({ max_age: 31 * DAY_NS, storage: "file" });
  await connection.close();
});

test("what is there keeps the operator's settings, and the event stream gets the subjects it lacks", async () => {
  await using nats = await startNatsServer();
  const connection = await nats.connect();
  const jsm = await jetstreamManager(connection);
  await jsm.streams.add({ name: "POSTHORN_EVENTS", subjects: ["orders.new"], max_age: 60 * SECOND_NS, max_msgs: 10 });
  await jsm.streams.add({ name: "POSTHORN_REFUSED", subjects: ["posthorn.>"], storage: "memory" });
  await expect(provision(connection, SETTINGS, silentLog)).rejects.toThrow("a stream of somebody else");
  await jsm.streams.update("POSTHORN_REFUSED", { subjects: ["posthorn.refused.>"] });
  await provision(connection, SETTINGS, silentLog);
  const { config } = await jsm.streams.info("POSTHORN_EVENTS");
  expect(config).toMatchObject({ max_age: 60 * SECOND_NS, max_msgs: 10 });
  expect(config.subjects).toEqual(["orders.new", "kustomer.app.>"]);
  expect((await jsm.streams.info("POSTHORN_REFUSED")).config.storage).toBe("memory");
  await connection.close();
});

test("a stream of somebody else on our subjects is an error that says what to do", async () => {
  await using nats = await startNatsServer();
  const connection = await nats.connect();
  const jsm = await jetstreamManager(connection);
  await jsm.streams.add({ name: "FOREIGN", subjects: ["kustomer.>"] });
  await expect(provision(connection, SETTINGS, silentLog)).rejects.toMatchObject({
    message: "a stream of somebody else already takes subjects of ours",
    hint: expect.stringContaining("nats stream ls --subjects") as string,
  });
  await connection.close();
});

test("a server without JetStream, more replicas than servers, a user who may not: each is said in its own words", async () => {
  await using plain = await startNatsServer({ config: "" });
  const toPlain = await plain.connect();
  await expect(provision(toPlain, SETTINGS, silentLog)).rejects.toThrow("the NATS server has no JetStream");
  await toPlain.close();

  await using single = await startNatsServer();
  const toSingle = await single.connect();
  await expect(provision(toSingle, { ...SETTINGS, replicas: 3 }, silentLog)).rejects.toThrow(/replicas/);
  await toSingle.close();

  await using strict = await startNatsServer({
    config: `jetstream { store_dir: "$FOLDER" }
authorization { users: [ { user: "u", password: "u", permissions: { publish: ["kustomer.app.>"], subscribe: ["_INBOX.>"] } } ] }`,
  });
  const toStrict = await strict.connect("u");
  await expect(provision(toStrict, SETTINGS, silentLog)).rejects.toThrow(
    /^NATS permission missing: our user may not publish on \$JS\.API\.STREAM\.INFO\./,
  );
  await toStrict.close();
});

test("objects live longer than events that are kept longer than dead letters", async () => {
  await using nats = await startNatsServer();
  const connection = await nats.connect();
  await provision(connection, { ...SETTINGS, eventsMaxAgeMs: 90 * 86_400_000 }, silentLog);
  const { config } = await (await jetstreamManager(connection)).streams.info("OBJ_posthorn_objects");
  expect(config.max_age).toBe(91 * DAY_NS);
  await connection.close();
});

const withQuota = (quota: string) => `jetstream { store_dir: "$FOLDER", max_file_store: 2GB }
accounts { A: { jetstream: { max_file: ${quota} }, users: [ { user: "u", password: "u" } ] } }`;

test("a quota is divided between all streams: events half, objects three tenths, all else a fifth", async () => {
  for (const [quota, bytes] of [
    ["1000000000", 1_000_000_000],
    ["200MB", 200 * 1024 * 1024],
    ["30MB", 30 * 1024 * 1024],
  ] as const) {
    await using nats = await startNatsServer({ config: withQuota(quota) });
    const connection = await nats.connect("u");
    await provision(connection, SETTINGS, silentLog);
    const jsm = await jetstreamManager(connection);
    const infos = await Array.fromAsync(jsm.streams.list());
    const sizes = new Map(infos.map(({ config }) => [config.name, config.max_bytes]));
    expect(sizes.get("POSTHORN_EVENTS")).toBe(Math.floor(bytes * 0.5));
    expect(sizes.get("OBJ_posthorn_objects")).toBe(Math.floor(bytes * 0.3));
    const rest = [...sizes].filter(([name]) => name !== "POSTHORN_EVENTS" && name !== "OBJ_posthorn_objects");
    expect(Math.min(...rest.map(([, size]) => size))).toBeGreaterThan(0);
    expect(rest.reduce((sum, [, size]) => sum + size, 0)).toBeLessThanOrEqual(bytes * 0.2);
    await connection.close();
  }
});

test("what others have taken of a quota is not shared out again, and nothing is left is said with the stream's name", async () => {
  await using nats = await startNatsServer({ config: withQuota("100MB") });
  const connection = await nats.connect("u");
  const jsm = await jetstreamManager(connection);
  await jsm.streams.add({ name: "OTHERS", subjects: ["others"], max_bytes: 60 * 1024 * 1024 });
  await provision(connection, SETTINGS, silentLog);
  const { config } = await jsm.streams.info("POSTHORN_EVENTS");
  expect(config.max_bytes).toBe(Math.floor((40 * 1024 * 1024 * 0.5) / 0.98));
  // A stream of ours that is gone gets what is left.
  await jsm.streams.delete("OBJ_posthorn_objects");
  await jsm.streams.add({ name: "MORE", subjects: ["more"], max_bytes: 12 * 1024 * 1024 + 200 * 1024 });
  await expect(provision(connection, SETTINGS, silentLog)).rejects.toMatchObject({
    name: "OperatorError",
    message: expect.stringMatching(
      /^no room for the stream OBJ_posthorn_objects: it would get .*; the account may store 100 MiB, of which 100 MiB are taken$/,
    ) as string,
    hint: expect.stringContaining("max_file") as string,
  });
  await connection.close();
});

test("a server with too little room: the error names the stream, what it wanted and what there is", async () => {
  await using nats = await startNatsServer({ config: `jetstream { store_dir: "$FOLDER", max_file_store: 50MB }` });
  const connection = await nats.connect();
  await expect(provision(connection, SETTINGS, silentLog)).rejects.toMatchObject({
    name: "OperatorError",
    message:
      "NATS has no room for the stream POSTHORN_REFUSED: it wants 64 MiB, and the account has no limit of its own, so the server's counts (insufficient storage resources available)",
  });
  await connection.close();
});

test("a quota of a cluster counts every copy", async () => {
  await using cluster = await startNatsCluster(
    `accounts { A: { jetstream: { max_file: 300MB }, users: [ { user: "u", password: "u" } ] } }`,
  );
  const connection = await cluster.servers[0]?.connect("u");
  if (connection === undefined) throw new Error("a cluster without servers");
  await eventually(() => provision(connection, { ...SETTINGS, replicas: 3 }, silentLog));
  const jsm = await jetstreamManager(connection);
  const { config } = await jsm.streams.info("POSTHORN_EVENTS");
  expect(config).toMatchObject({ num_replicas: 3, max_bytes: 50 * 1024 * 1024 });
  await connection.close();
});
