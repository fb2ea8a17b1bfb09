import { jetstreamManager } from "@nats-io/jetstream";
import { expect, test } from "vitest";

import { provision } from "../../src/nats/provision.ts";
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
  expect(await configOf("OBJ_posthorn_objects")).toMatchObject({ max_age: 30 * DAY_NS, storage: "file" });
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
  await expect(provision(toStrict, SETTINGS, silentLog)).rejects.toThrow("our NATS account may not manage JetStream");
  await toStrict.close();
});

test("an account with a limit gives the events four fifths of it", async () => {
  await using nats = await startNatsServer({
    config: `jetstream { store_dir: "$FOLDER", max_file_store: 2GB }
accounts { A: { jetstream: { max_file: 1000000000 }, users: [ { user: "u", password: "u" } ] } }`,
  });
  const connection = await nats.connect("u");
  await provision(connection, SETTINGS, silentLog);
  const jsm = await jetstreamManager(connection);
  expect((await jsm.streams.info("POSTHORN_EVENTS")).config.max_bytes).toBe(800_000_000);
  await connection.close();
});
