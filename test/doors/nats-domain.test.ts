import { jetstreamManager } from "@nats-io/jetstream";
import { expect, test } from "vitest";

import { permissionsConfig } from "../../src/nats/permissions-config.ts";
import { freePort } from "../support/free-port.ts";
import { startTestDaemon } from "../support/daemon.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { recordedLog } from "../support/recorded-log.ts";
import { ADMIN_TOKEN, OWN_SUBJECT, useEverything } from "../support/use-everything.ts";

test("with POSTHORN_NATS_DOMAIN the streams are those of the domain, through a leaf node and with the printed permissions", async () => {
  const leaves = await freePort();
  await using hub = await startNatsServer({
    config: `jetstream { store_dir: "$FOLDER", domain: hub }\nmax_payload: 8MB\nleafnodes { port: ${leaves} }`,
  });
  const wish = { subjects: [OWN_SUBJECT], domain: "hub" };
  await using leaf = await startNatsServer({
    config: `max_payload: 8MB
leafnodes { remotes = [ { url: "nats-leaf://127.0.0.1:${leaves}", account: A } ] }
accounts { A: { users: [ { user: u, password: u, ${permissionsConfig("daemon", wish)} } ] } }`,
  });
  const log = recordedLog();
  const env = {
    POSTHORN_NATS_DOMAIN: "hub",
    POSTHORN_NATS_USER: "u",
    POSTHORN_NATS_PASSWORD: "u",
    POSTHORN_ADMIN_TOKEN: ADMIN_TOKEN,
    POSTHORN_SECRETS_KEY: "a".repeat(64),
  };
  await using posthorn = await startTestDaemon(leaf, env, { log });
  expect(await useEverything(posthorn)).toEqual([]);
  expect(log.lines.filter(({ level }) => level === "error")).toEqual([]);
  const connection = await hub.connect();
  const jsm = await jetstreamManager(connection);
  expect((await jsm.streams.info("POSTHORN_EVENTS")).state.messages).toBeGreaterThan(3);
  await connection.close();
});
