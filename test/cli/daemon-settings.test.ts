import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { startDaemonProcess } from "../support/daemon-process.ts";
import type { DaemonProcess } from "../support/daemon-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { posthornCommand } from "../support/posthorn-command.ts";

// What commands know of the daemon's settings, which they are run without.

const MAIL = "kustomer.app.shop.order";
const WEB = "kustomer.app.shop.parcel";
const KEPT = "kustomer.app.shop.invoice";
const VARIABLE = "POSTHORN_SECRET_SHOP_GH";
const KEY = randomBytes(32).toString("base64");
const DEFINITION = {
  app: "shop",
  title: "Shop",
  version: "1",
  hooks: [
    { eventName: MAIL, type: "email" },
    { eventName: WEB, type: "web", "x-posthorn": { signature: { scheme: "github", secret: `env:${VARIABLE}` } } },
    { eventName: KEPT, type: "web", "x-posthorn": { signature: { scheme: "github", secret: "kv" } } },
  ],
};

let nats: NatsServer;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
beforeEach(async () => {
  nats = await startNatsServer();
  return () => nats[Symbol.asyncDispose]();
});
afterAll(() => folder[Symbol.asyncDispose]());

const env = (more: Readonly<Record<string, string>> = {}) => ({
  POSTHORN_NATS_URL: nats.url,
  POSTHORN_DATA_DIR: folder.path,
  POSTHORN_DNS_SERVERS: "127.0.0.1:1",
  POSTHORN_ADMIN_LISTEN: "127.0.0.1:1",
  ...more,
});

/** Runs a command; fails when it does not end with `code`. */
async function posthorn(args: string, options: { more?: Record<string, string>; input?: string; code?: number } = {}) {
  const ran = await posthornCommand(args.split(" "), {
    env: env(options.more),
    ...(options.input !== undefined && { input: options.input }),
  });
  expect(ran.code, ran.stderr).toBe(options.code ?? 0);
  return ran;
}

interface Row {
  readonly eventName: string;
  readonly address?: string;
  readonly url?: string;
  readonly addressIsDefault?: true;
  readonly problems?: readonly string[];
}

async function rows(more?: Record<string, string>): Promise<Readonly<Record<string, Row>>> {
  const { stdout } = await posthorn("hooks list --json", more === undefined ? {} : { more });
  return Object.fromEntries((JSON.parse(stdout) as Row[]).map((row) => [row.eventName, row]));
}

async function install(more: Record<string, string> = {}): Promise<void> {
  const file = join(folder.path, "shop.json");
  await writeFile(file, JSON.stringify(DEFINITION));
  await posthorn(`apps install ${file}`, { more: { POSTHORN_SECRETS_KEY: KEY, ...more } });
}

const serve = (more: Record<string, string>): Promise<DaemonProcess> =>
  startDaemonProcess(nats.url, { POSTHORN_LOG_LEVEL: "info", ...more });

test("addresses are the daemon's, wherever the command runs; one that is only a default is marked", async () => {
  {
    await using _daemon = await serve({ POSTHORN_SECRETS_KEY: KEY });
    await install();
    expect((await rows())[MAIL]).toMatchObject({
      address: expect.stringMatching(/@localhost$/) as string,
      addressIsDefault: true,
    });
    expect((await rows())[WEB]).toMatchObject({ addressIsDefault: true });
    const { stdout } = await posthorn("hooks list");
    expect(stdout).toMatch(/@localhost \(default\)$/m);
    expect(stdout).toMatch(/^\(default\): .*POSTHORN_MAIL_DOMAIN/m);
    // The command's own count where the daemon has none.
    const own = (await rows({ POSTHORN_MAIL_DOMAIN: "own.example" }))[MAIL];
    expect(own?.address).toMatch(/@own\.example$/);
    expect(own).not.toHaveProperty("addressIsDefault");
  }
  const set = { POSTHORN_MAIL_DOMAIN: "hooks.example", POSTHORN_PUBLIC_URL: "https://hooks.example" };
  await using _daemon = await serve({ POSTHORN_SECRETS_KEY: KEY, ...set });
  const { [MAIL]: mail, [WEB]: web } = await rows();
  expect(mail?.address).toMatch(/^[0-9a-z]{26}@hooks\.example$/);
  expect(web?.url).toMatch(/^https:\/\/hooks\.example\/v1\/hooks\/web\//);
  for (const row of [mail, web]) expect(row).not.toHaveProperty("addressIsDefault");
  // An alias is one of the daemon's domains.
  expect((await posthorn(`hooks alias ${MAIL} orders@hooks.example`)).stdout).toContain("orders@hooks.example");
});

test("secrets that nobody has set are named at the start, by hooks list and by doctor", async () => {
  await using daemon = await serve({ POSTHORN_SECRETS_KEY: KEY });
  await install();
  const variable = `${VARIABLE} is not set in the daemon's environment`;
  const kept = `its secret was never set; set it with \`posthorn secrets set ${KEPT}\``;
  // Of hooks that are installed later too.
  await expect.poll(() => daemon.log, { timeout: 15_000 }).toContain(JSON.stringify(variable));
  expect(daemon.log).toContain(`"hook":"${KEPT}","problem":${JSON.stringify(kept)}`);
  const { [WEB]: web, [KEPT]: invoice } = await rows();
  expect([web?.problems, invoice?.problems]).toEqual([[variable], [kept]]);
  // What is set where the command runs helps the daemon nothing.
  expect((await rows({ [VARIABLE]: "secret" }))[WEB]?.problems).toEqual([variable]);
  expect((await posthorn("hooks list")).stdout).toContain(`warning: ${WEB}: ${variable}\n`);
  const said = /^warn secrets: .*$/m.exec((await posthorn("doctor")).stdout)?.[0];
  expect(said).toContain(`${WEB}: ${variable}`);
  expect(said).toContain(`${KEPT}: ${kept}`);
  await posthorn(`secrets set ${KEPT}`, { input: "secret\n", more: { POSTHORN_SECRETS_KEY: KEY } });
  expect((await rows())[KEPT]).not.toHaveProperty("problems");
  await daemon.stop();
  await daemon.start({ [VARIABLE]: "secret" });
  expect(await rows()).not.toHaveProperty([WEB, "problems"]);
  expect((await posthorn("doctor")).stdout).toMatch(/^ok {3}secrets: every secret that a hook names is set$/m);
});

test("a key that opens none of the stored secrets stops the start with 78; without a key it is said", async () => {
  const other = randomBytes(32).toString("hex");
  {
    await using _daemon = await serve({ POSTHORN_SECRETS_KEY: KEY });
    await install();
    await posthorn(`secrets set ${KEPT}`, { input: "secret\n", more: { POSTHORN_SECRETS_KEY: KEY } });
    // Another key beside the daemon's says nothing of what the daemon can read.
    expect((await rows({ POSTHORN_SECRETS_KEY: other }))[KEPT]).not.toHaveProperty("problems");
  }
  const wrong = await posthorn("serve", {
    code: 78,
    more: { POSTHORN_SECRETS_KEY: other, POSTHORN_SMTP_LISTEN: "127.0.0.1:0", POSTHORN_HTTP_LISTEN: "127.0.0.1:0" },
  });
  expect(wrong.stderr).toMatch(
    /posthorn: POSTHORN_SECRETS_KEY opens none of the stored secrets: kustomer\.app\.shop\.invoice\. Set the key that they were stored under, .*\n$/,
  );
  await using daemon = await serve({});
  const problem = "POSTHORN_SECRETS_KEY is not set, so its stored secret cannot be read";
  expect(daemon.log).toContain(JSON.stringify(problem));
  expect((await rows())[KEPT]?.problems).toEqual([problem]);
});
