import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";

import { createProgram } from "../../src/cli/program.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { setUpStreams } from "../support/set-up-streams.ts";
import type { Ran } from "../support/posthorn-command.ts";
import { posthornCommand } from "../support/posthorn-command.ts";

// Each command as a process of its own against a real server: what it prints for people, for machines, and its exit code.

const APP = {
  app: "shop",
  version: "1.2.0",
  title: "The Shop",
  hooks: [
    { eventName: "kustomer.app.shop.order", displayEventName: "Order", description: "Orders by mail", type: "email" },
    { eventName: "kustomer.app.shop.contact", displayEventName: "Contact", type: "form" },
    { eventName: "kustomer.app.shop.parcel", type: "web" },
  ],
};

let nats: NatsServer;
let folder: string;
let definition: string;
beforeAll(async () => {
  nats = await startNatsServer();
  folder = await mkdtemp(join(tmpdir(), "posthorn-cli-"));
  definition = join(folder, "shop.json");
  await writeFile(definition, JSON.stringify(APP));
  await setUpStreams(nats);
});
afterAll(async () => {
  await nats[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

function posthorn(...args: string[]): Promise<Ran> {
  const env = { POSTHORN_NATS_URL: nats.url, POSTHORN_DATA_DIR: join(folder, "data") };
  return posthornCommand(args, { env, cwd: folder });
}

async function json(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await posthorn(...args, "--json");
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

test("a misspelt setting is named on stderr by every command, with the one that was meant", async () => {
  const env = {
    POSTHORN_NATS_URL: nats.url,
    POSTHORN_DATA_DIR: join(folder, "data"),
    POSTHORN_MAIL_DOMAN: "x.example",
  };
  const { code, stdout, stderr } = await posthornCommand(["hooks", "list", "--json"], { env, cwd: folder });
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toEqual([]);
  expect(JSON.parse(stderr)).toMatchObject({
    level: "warn",
    msg: "Unknown setting is ignored",
    name: "POSTHORN_MAIL_DOMAN",
    didYouMean: "POSTHORN_MAIL_DOMAIN",
  });
});

test("every command has a description", async () => {
  const silent: string[] = [];
  const walk = (command: Awaited<ReturnType<typeof createProgram>>, path: string) => {
    if (command.description() === "") silent.push(path);
    for (const child of command.commands) walk(child, `${path} ${child.name()}`);
  };
  walk(await createProgram([]), "posthorn");
  expect(silent).toEqual([]);
});

test("an app is installed, listed, shown, upgraded and uninstalled, with ids kept", async () => {
  const [installed] = (await json("apps", "install", definition)) as [{ app: string; hooks: { id: string }[] }];
  expect(installed).toMatchObject({ app: "shop", version: "1.2.0", title: "The Shop", warnings: [] });
  const [again] = (await json("apps", "install", definition)) as [{ hooks: { id: string }[] }];
  expect(again.hooks.map(({ id }) => id)).toEqual(installed.hooks.map(({ id }) => id));
  expect(await json("apps", "list")).toMatchObject([{ app: "shop", version: "1.2.0", title: "The Shop", hooks: 3 }]);
  expect(await json("apps", "show", "shop")).toMatchObject({ app: "shop", hooks: [{}, {}, {}] });
  const people = await posthorn("apps", "list");
  expect(people.stdout).toMatch(/^APP +VERSION +TITLE +HOOKS\nshop +1\.2\.0 +The Shop +3\n$/);
});

test("hooks list gives name, description, type, event, state, id and address or URL", async () => {
  const rows = (await json("hooks", "list")) as Record<string, string>[];
  const id = expect.stringMatching(/^[0-9a-hjkmnp-tv-z]{26}$/) as string;
  expect(rows).toMatchObject([
    { app: "shop", eventName: "kustomer.app.shop.contact", displayEventName: "Contact", type: "form", id },
    {
      app: "shop",
      eventName: "kustomer.app.shop.order",
      displayEventName: "Order",
      description: "Orders by mail",
      type: "email",
      state: "enabled",
      id,
    },
    {
      eventName: "kustomer.app.shop.parcel",
      displayEventName: "kustomer.app.shop.parcel",
      description: "",
      type: "web",
    },
  ]);
  const [form, email, web] = rows;
  expect(form?.["url"]).toBe(`http://localhost:8080/v1/hooks/form/${form?.["id"]}`);
  expect(email?.["address"]).toBe(`${email?.["id"]}@localhost`);
  expect(web?.["url"]).toBe(`http://localhost:8080/v1/hooks/web/${web?.["id"]}`);
  expect(await json("hooks", "list", "--app", "nobody")).toEqual([]);
});

test("a hook is paused, disabled, enabled, rotated and given an alias", async () => {
  const event = "kustomer.app.shop.order";
  for (const [verb, state] of [
    ["pause", "paused"],
    ["disable", "disabled"],
    ["enable", "enabled"],
  ] as const)
    expect(await json("hooks", verb, event)).toMatchObject({ eventName: event, state });
  const before = (await json("hooks", "show", event)) as { id: string };
  const after = (await json("hooks", "rotate", event)) as { id: string };
  expect(after.id).not.toBe(before.id);
  expect(await json("hooks", "alias", event, "Orders@localhost")).toMatchObject({ aliases: ["orders@localhost"] });
  expect((await posthorn("hooks", "alias", event, "orders@elsewhere.example")).stderr).toBe(
    "posthorn: orders@elsewhere.example is no address in localhost. Use one of our mail domains (POSTHORN_MAIL_DOMAIN).\n",
  );
});

test("a hook without an app lives in adhoc, and a form hook gives its HTML", async () => {
  const made = (await json("hooks", "create", "--type", "form", "--name", "Ask us")) as Record<string, string>;
  expect(made).toMatchObject({ app: "adhoc", eventName: "kustomer.app.adhoc.ask-us", type: "form", warnings: [] });
  const { stdout } = await posthorn("hooks", "show", "kustomer.app.adhoc.ask-us", "--html");
  expect(stdout).toContain(`<form method="post" action="${made["url"]}"`);
});

test("a hook whose event name does not reach workflows is made with the warning that an app definition would get", async () => {
  const warning = "foo.bar does not begin with kustomer.app and so does not reach workflows";
  const { code, stderr } = await posthorn("hooks", "create", "--type", "web", "--name", "Foo", "--event", "foo.bar");
  expect(code).toBe(0);
  expect(stderr).toBe(`warning: ${warning}\n`);
  const other = ["hooks", "create", "--type", "web", "--name", "Bar", "--event", "kustomer.app.shop.bar"];
  expect(await json(...other)).toMatchObject({
    eventName: "kustomer.app.shop.bar",
    warnings: ["kustomer.app.shop.bar does not go on with the app's own name, adhoc"],
  });
});

test("a key is made, listed without its secret, and revoked", async () => {
  const made = (await json(
    "keys",
    "create",
    "--app",
    "shop",
    "--hook",
    "kustomer.app.shop.parcel",
    "--expires",
    "90d",
  )) as {
    keyId: string;
    key: string;
    app: string;
    expires: string;
  };
  expect(Object.keys(made)).toEqual(["keyId", "key", "app", "expires"]);
  expect(made.key).toMatch(/^phk_[0-9a-z]+_[0-9a-z]+$/);
  expect(Date.parse(made.expires) - Date.now()).toBeGreaterThan(89 * 24 * 60 * 60 * 1_000);
  const listed = await posthorn("keys", "list", "--json");
  expect(listed.stdout).toContain(made.keyId);
  expect(listed.stdout).not.toContain(made.key.split("_")[2]);
  expect(await json("keys", "revoke", made.keyId)).toEqual({ keyId: made.keyId, revoked: true });
  expect(await json("keys", "list")).toEqual([]);
});

test("schemas, types and AsyncAPI speak of the installed hooks", async () => {
  expect(await json("schema", "event")).toMatchObject({ title: "Posthorn event" });
  expect(await json("schema", "event", "--hook", "kustomer.app.shop.order")).toMatchObject({
    properties: { type: { const: "kustomer.app.shop.order" }, hooktype: { const: "email" } },
  });
  expect(await json("asyncapi")).toMatchObject({
    asyncapi: "3.0.0",
    channels: { "kustomer.app.shop.order": { address: "kustomer.app.shop.order", title: "Order" } },
    operations: { "send-kustomer.app.shop.parcel": { action: "send" } },
  });
  const { stdout } = await posthorn("types");
  expect(stdout).toContain('readonly "kustomer.app.shop.order": unknown;');
  expect(stdout).toContain("export type PosthornMail = {");
});

test.each([
  [["nothing"], 2, "posthorn: unknown command 'nothing'. See `posthorn --help`.\n"],
  [["apps", "install"], 2, "posthorn: missing required argument 'file'. See `posthorn apps install --help`.\n"],
  [["hooks", "create", "--type", "fax", "--name", "x"], 2, /Allowed choices are email, form, web/],
  [["apps", "show", "nobody"], 1, "posthorn: no app nobody is installed. See `posthorn apps list`.\n"],
  [["apps", "install", "missing.json"], 1, "posthorn: cannot read missing.json. Check the path.\n"],
  [["keys", "create", "--app", "nobody"], 1, /^posthorn: no app nobody is installed\. /],
  [["keys", "create", "--app", "shop", "--expires", "soon"], 2, /^posthorn: --expires soon is no duration\. /],
  [["hooks", "rotate", "kustomer.app.shop.nothing"], 1, /^posthorn: no hook publishes kustomer\.app\.shop\.nothing\. /],
  [["send", "kustomer.app.shop.nothing"], 1, /^posthorn: no hook publishes /],
  [["serve", "--smtp-listen", "nowhere"], 78, /^posthorn: POSTHORN_SMTP_LISTEN is "nowhere"; allowed: /],
] as const)("%j ends with %i and one line that says what to do", async (args, code, line) => {
  const ran = await posthorn(...args);
  expect(ran.code).toBe(code);
  expect(ran.stdout).toBe("");
  if (typeof line === "string") expect(ran.stderr).toBe(line);
  else expect(ran.stderr).toMatch(line);
  expect(ran.stderr.trimEnd().split("\n")).toHaveLength(1);
});

test("a definition with faults installs nothing, and each fault stands on a line of its own", async () => {
  const wrong = join(folder, "wrong.json");
  await writeFile(
    wrong,
    JSON.stringify({ app: "wrong", hooks: [{ eventName: "a.*", type: "email" }, { eventName: "b" }] }),
  );
  const { code, stderr } = await posthorn("apps", "install", wrong);
  expect(code).toBe(1);
  expect(stderr).toContain(`${wrong}: /hooks/0/eventName is "a.*"; allowed: 1 to 16 tokens`);
  expect(stderr).toContain(`${wrong}: /hooks/1/type is required`);
  expect(await json("apps", "list")).not.toContainEqual(expect.objectContaining({ app: "wrong" }));
});

test("faults of several files, and names of other apps and streams, are all told in one run; --json tells them too", async () => {
  const orders = await nats.connect();
  await (await jetstreamManager(orders)).streams.add({ name: "ORDERS", subjects: ["orders.>"] });
  await orders.close();
  await json("apps", "install", definition);
  const one = join(folder, "one.json");
  const two = join(folder, "two.json");
  const hooksOf = (...names: string[]) => names.map((eventName) => ({ eventName, type: "email" }));
  await writeFile(
    one,
    JSON.stringify({ app: "one", version: 1, hooks: hooksOf("kustomer.app.shop.order", "orders.new") }, null, 1),
  );
  await writeFile(
    two,
    JSON.stringify({ app: "two", hooks: [...hooksOf("orders.new", "kustomer.app.one.a"), { type: "fax" }] }),
  );
  const ran = await posthorn("apps", "install", definition, one, two, "--json");
  expect(ran.code).toBe(1);
  const told = [
    [one, "/version", "is 1; allowed: a text of at most 100 characters"],
    [one, "/hooks/0/eventName", "belongs to the app shop; choose another name"],
    [one, "/hooks/1/eventName", "belongs to the stream ORDERS; choose another name"],
    [two, "/hooks/0/eventName", "belongs to the stream ORDERS; choose another name"],
    [two, "/hooks/2/eventName", "is required"],
    [two, "/hooks/2/type", 'is "fax"; allowed: "web", "form", "email"'],
  ];
  expect(ran.stderr).toBe(
    `posthorn: ${told.map(([file, pointer, message]) => `${file}: ${pointer} ${message}`).join("\n")}. Correct the definition; nothing was installed.\n`,
  );
  const said = JSON.parse(ran.stdout) as {
    problems: { file: string; pointer: string; message: string; line: number }[];
  };
  expect(said).toMatchObject({ hint: "correct the definition; nothing was installed", exitCode: 1 });
  expect(said.problems.map(({ file, pointer, message }) => [file, pointer, message])).toEqual(told);
  expect(said.problems.map(({ line }) => line)).toEqual([3, 6, 10, 1, 1, 1]);
  expect(await json("apps", "list")).toMatchObject([{ app: "adhoc" }, { app: "shop" }]);

  // Of two apps in one command that want a name, the first has it.
  await writeFile(one, JSON.stringify({ app: "one", hooks: hooksOf("kustomer.app.one.a") }));
  await writeFile(two, JSON.stringify({ app: "two", hooks: hooksOf("kustomer.app.one.a") }));
  expect((await posthorn("apps", "install", one, two)).stderr).toBe(
    `posthorn: ${two}: /hooks/0/eventName belongs to the app one, in ${one}; choose another name. Correct the definition; nothing was installed.\n`,
  );
  // Without NATS the faults of the file itself are told all the same.
  await writeFile(two, JSON.stringify({ app: "two", hooks: [{ type: "fax" }] }));
  const away = await posthornCommand(["apps", "install", two], { env: { POSTHORN_NATS_URL: "nats://127.0.0.1:1" } });
  expect(away.stderr).toContain(`${two}: /hooks/0/eventName is required\n${two}: /hooks/0/type is "fax"`);
  expect(away.stderr).toContain("nothing was installed; names of other apps could not be looked up.");
});

test.each([
  [
    ["apps", "show", "nobody"],
    1,
    { error: "no app nobody is installed", hint: "see `posthorn apps list`", exitCode: 1 },
  ],
  [["nothing"], 2, { error: "unknown command 'nothing'", exitCode: 2 }],
  [["hooks", "create", "--type", "fax", "--name", "x"], 2, { error: expect.stringContaining("fax"), exitCode: 2 }],
  [["serve", "--smtp-listen", "nowhere"], 78, { error: expect.stringContaining("POSTHORN_SMTP_LISTEN"), exitCode: 78 }],
] as const)("with --json the error of %j is JSON on stdout, beside the line for people", async (args, code, error) => {
  const ran = await posthorn(...args, "--json");
  expect(ran.code).toBe(code);
  expect(JSON.parse(ran.stdout)).toMatchObject(error);
  expect(ran.stderr).toMatch(/^posthorn: /);
});

test("a server that is not there is one line that says where it was looked for", async () => {
  const { code, stderr } = await posthornCommand(["apps", "list"], {
    env: { POSTHORN_NATS_URL: "nats://127.0.0.1:1" },
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^posthorn: .*127\.0\.0\.1:1\b.*\n$/);
});
