import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { posthornCommand } from "../support/posthorn-command.ts";

const EVENT = "kustomer.app.shop.parcel";

test("a signing secret is set from stdin, listed without its text, used by a test send, and removed", async () => {
  await using nats = await startNatsServer();
  const secretsKey = randomBytes(32).toString("base64");
  const publicUrl = "http://localhost:8080";
  await using posthorn = await startTestDaemon(nats, {
    POSTHORN_SECRETS_KEY: secretsKey,
    POSTHORN_PUBLIC_URL: publicUrl,
  });
  const folder = await mkdtemp(join(tmpdir(), "posthorn-secrets-"));
  const env = {
    POSTHORN_NATS_URL: nats.url,
    POSTHORN_DATA_DIR: folder,
    POSTHORN_SECRETS_KEY: secretsKey,
    POSTHORN_HTTP_LISTEN: posthorn.daemon.http.address ?? "",
  };
  const run = (args: string[], input?: string, more: Record<string, string> = {}) =>
    posthornCommand(args, { env: { ...env, ...more }, cwd: folder, ...(input !== undefined && { input }) });
  const definition = {
    app: "shop",
    hooks: [
      { eventName: EVENT, type: "web", "x-posthorn": { signature: { scheme: "stripe", secret: "kv" } } },
      { eventName: "kustomer.app.shop.note", type: "form" },
    ],
  };
  await writeFile(join(folder, "shop.json"), JSON.stringify(definition));

  const without = await run(["apps", "install", "shop.json"], undefined, { POSTHORN_SECRETS_KEY: "" });
  expect([without.code, without.stderr]).toEqual([
    1,
    expect.stringContaining("needs the setting POSTHORN_SECRETS_KEY"),
  ]);
  expect((await run(["apps", "install", "shop.json"])).code).toBe(0);

  const unset = await run(["send", EVENT]);
  expect([unset.code, unset.stderr]).toEqual([1, expect.stringContaining("no signing secret")]);
  expect((await run(["secrets", "set", EVENT, "--json"], "whsec_first\n")).stdout).toContain('"current"');
  const list = await run(["secrets", "list", "--json"]);
  expect(JSON.parse(list.stdout)).toEqual([{ eventName: EVENT, setAt: expect.any(String), nextSetAt: null }]);
  expect(list.stdout).not.toContain("whsec_first");

  const unread = await run(["secrets", "set", "kustomer.app.shop.note"], "early\n");
  expect([unread.code, unread.stderr]).toEqual([0, expect.stringContaining("Nothing of kustomer.app.shop.note reads")]);
  expect((await run(["secrets", "remove", "kustomer.app.shop.note"])).code).toBe(0);

  const { secrets } = posthorn.daemon.storage;
  await expect.poll(() => secrets.secretsOf(EVENT)).toEqual(["whsec_first"]);
  await writeFile(join(folder, "parcel.xml"), "<parcel><id>1.10</id></parcel>");
  const sent = await run(["send", EVENT, "--data", "@parcel.xml"]);
  expect([sent.code, sent.stdout]).toEqual([0, expect.stringMatching(/^202 /)]);
  expect((await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text).toContain('"payload":{"parcel":{"id":"1.10"}}');
  await writeFile(join(folder, "note.form"), "a=1&a=2");
  expect((await run(["send", "kustomer.app.shop.note", "--data", "note.form"])).code).toBe(0);
  expect((await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text).toContain('"payload":{"a":["1","2"]}');

  expect((await run(["secrets", "remove", EVENT])).code).toBe(0);
  const keyless = await run(["secrets", "set", EVENT], "x", { POSTHORN_SECRETS_KEY: "" });
  expect([keyless.code, keyless.stderr]).toEqual([78, expect.stringContaining("POSTHORN_SECRETS_KEY is not set")]);
  await rm(folder, { recursive: true, force: true });
}, 120_000);
