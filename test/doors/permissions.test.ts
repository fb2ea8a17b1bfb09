import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { Objm } from "@nats-io/obj";
import { expect, test } from "vitest";

import { permissionsConfig } from "../../src/nats/permissions-config.ts";
import { startTestDaemon } from "../support/daemon.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { posthornCommand } from "../support/posthorn-command.ts";
import { recordedLog } from "../support/recorded-log.ts";
import { ADMIN_TOKEN, OWN_SUBJECT, useEverything } from "../support/use-everything.ts";

const KEY = "a".repeat(64);
const APP = {
  app: "shop",
  title: "Shop",
  version: "1",
  hooks: [
    { eventName: "kustomer.app.shop.order", type: "email" },
    { eventName: "kustomer.app.bank.paid", type: "email" },
    { eventName: OWN_SUBJECT, type: "email" },
    {
      eventName: "kustomer.app.shop.parcel",
      type: "web",
      "x-posthorn": { signature: { scheme: "github", secret: "kv" } },
    },
  ],
};

/** A server with users who may do exactly what `posthorn permissions` prints for them; passwords are their names. */
const config = `jetstream { store_dir: "$FOLDER" }
max_payload: 8MB
accounts { A: { jetstream: enabled, users: [
  { user: daemon, password: daemon, ${permissionsConfig("daemon", { subjects: [OWN_SUBJECT] })} }
  { user: cli, password: cli, ${permissionsConfig("cli", { subjects: [OWN_SUBJECT] })} }
  { user: reader, password: reader, ${permissionsConfig("subscriber", {})} }
  { user: shop, password: shop, ${permissionsConfig("subscriber", { subjects: ["kustomer.app.shop.>"] })} }
] } }`;
const as = (user: string) => ({ POSTHORN_NATS_USER: user, POSTHORN_NATS_PASSWORD: user });

test("a daemon whose user has exactly the printed permissions does everything", async () => {
  await using nats = await startNatsServer({ config });
  const log = recordedLog();
  const env = { ...as("daemon"), POSTHORN_ADMIN_TOKEN: ADMIN_TOKEN, POSTHORN_SECRETS_KEY: KEY };
  await using posthorn = await startTestDaemon(nats, env, { log });
  expect(await useEverything(posthorn)).toEqual([]);
  const troubles = log.lines.filter(({ level, sentence }) => level === "error" || /permission/i.test(sentence));
  expect(troubles).toEqual([]);
});

test("commands whose user has exactly the printed permissions do everything", async () => {
  await using nats = await startNatsServer({ config });
  await using folder = await temporaryFolder();
  await using posthorn = await startTestDaemon(nats, { ...as("daemon"), POSTHORN_SECRETS_KEY: KEY });
  const env = {
    ...as("cli"),
    POSTHORN_NATS_URL: nats.url,
    POSTHORN_DATA_DIR: folder.path,
    POSTHORN_SECRETS_KEY: KEY,
    POSTHORN_DNS_SERVERS: "127.0.0.1:1",
    POSTHORN_ADMIN_LISTEN: posthorn.daemon.admin.address ?? "",
    POSTHORN_SMTP_LISTEN: posthorn.daemon.mail.doors.find(({ name }) => name === "smtp")?.address ?? "",
  };
  const run = async (command: string, input?: string) => {
    const ran = await posthornCommand(command.split(" "), { env, ...(input !== undefined && { input }) });
    expect([ran.code, ran.stderr], command).toEqual([0, ""]);
    return ran.stdout;
  };
  const file = join(folder.path, "shop.json");
  await writeFile(file, JSON.stringify(APP));
  const words = join(folder.path, "words.eml");
  await writeFile(words, "From: a@example.org\r\n\r\nJust words.\r\n");
  await posthornCommand(["apps", "install", file], { env });
  await run("hooks rotate kustomer.app.shop.order");
  await run("hooks alias kustomer.app.shop.order orders@localhost");
  const made = JSON.parse(await run("keys create --app shop --json")) as { keyId: string };
  await run(`keys revoke ${made.keyId}`);
  await run("secrets set kustomer.app.shop.parcel", "secret\n");
  await run("secrets list");
  await run(`send ${OWN_SUBJECT}`);
  // A dead letter, whatever `send` says of it.
  await posthornCommand(["send", "kustomer.app.shop.order", words], { env });
  expect(await run("tail --since 1h --count 1")).toContain(OWN_SUBJECT);
  await run("refused list");
  const [letter] = JSON.parse(await run("dead list --json")) as { id: string }[];
  await posthornCommand(["dead", "replay", letter?.id ?? ""], { env });
  const [again] = JSON.parse(await run("dead list --json")) as { id: string }[];
  await run(`dead show ${again?.id}`);
  await run(`dead discard ${again?.id}`);
  expect(await run("doctor")).toMatch(/^warn permissions: .* may not publish on .*That is enough for commands/m);
  await run("secrets remove kustomer.app.shop.parcel");
  await run("apps uninstall shop");
});

test("a subscriber with the printed permissions reads events and objects, and can neither write nor read the registry", async () => {
  await using nats = await startNatsServer({ config });
  await using posthorn = await startTestDaemon(nats, as("daemon"));
  const hooks = await posthorn.install(APP.hooks.slice(0, 2));
  using relay = await posthorn.connectRelay();
  const text = "x".repeat(600_000);
  for (const hook of hooks)
    expect(
      await relay.send({
        to: `${hook.hookId}@localhost`,
        mail: `Content-Type: application/json\r\n\r\n{"text":"${text}"}\r\n`,
      }),
    ).toMatch(/^250 /);

  for (const [user, filter] of [
    ["reader", undefined],
    ["shop", "kustomer.app.shop.>"],
  ] as const) {
    const connection = await nats.connect(user);
    const denied: string[] = [];
    (async () => {
      for await (const status of connection.status()) if (status.type === "error") denied.push(status.error.message);
    })().catch(() => undefined);
    const jsm = await jetstreamManager(connection, { checkAPI: false });
    await jsm.consumers.add("POSTHORN_EVENTS", {
      durable_name: user,
      ack_policy: AckPolicy.Explicit,
      ...(filter !== undefined && { filter_subject: filter }),
    });
    const consumer = await jetstream(connection).consumers.get("POSTHORN_EVENTS", user);
    const message = await consumer.next();
    message?.ack();
    const { dataref } = message?.json<{ dataref: string }>() ?? { dataref: "" };
    const objects = await new Objm(jetstream(connection)).open("posthorn_objects");
    const data = await objects.getBlob(dataref.replace("nats-object://posthorn_objects/", ""));
    expect(data?.length).toBeGreaterThan(text.length);
    expect(denied).toEqual([]);

    // It may not listen to what the daemon is answered: the registry is in that.
    const overheard: string[] = [];
    connection.subscribe("_INBOX.>", { callback: (_error, heard) => void overheard.push(heard.subject) });
    await connection.flush();
    await posthorn.daemon.storage.snapshot.catchUp();
    await posthorn.daemon.storage.registry.setState(hooks[0]?.eventName ?? "", "enabled");
    await connection.flush();
    expect(overheard.filter((subject) => subject.startsWith("_INBOX.posthorn."))).toEqual([]);
    const registry = await new Kvm(jetstream(connection)).open("posthorn_registry");
    await expect(registry.get("app.shop")).rejects.toThrow(/Permissions Violation/);
    await expect(registry.put("app.shop", "{}")).rejects.toThrow(/Permissions Violation/);
    await expect(jetstream(connection).publish("kustomer.app.shop.order", "{}")).rejects.toThrow(
      /Permissions Violation/,
    );
    if (filter !== undefined)
      for (const other of ["kustomer.app.bank.>", "kustomer.app.>", undefined])
        await expect(
          jsm.consumers.add("POSTHORN_EVENTS", {
            name: "other",
            ack_policy: AckPolicy.None,
            ...(other !== undefined && { filter_subject: other }),
          }),
        ).rejects.toThrow(/Permissions Violation/);
    await connection.close();
  }
});
