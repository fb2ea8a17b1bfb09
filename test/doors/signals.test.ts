import { once } from "node:events";
import { chmod, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";

import { expect, test, vi } from "vitest";

import { temporaryFolder } from "../support/folder.ts";
import type { ProcessEntry } from "../support/process-tree.ts";
import { processTree } from "../support/process-tree.ts";
import type { Relay } from "../support/relay.ts";
import { connectRelay } from "../support/relay.ts";
import { StartedCheckout, checkoutEnv } from "../support/started-checkout.ts";

// One SIGTERM or Ctrl-C, to whichever of the processes of `npm start` or to all of them, is one graceful stop of all of
// them. systemd and a terminal signal every process, `kill` only one, and npm and the launcher hand on what they hear.
vi.setConfig({ testTimeout: 120_000 });

const ORDER = '{"@context":"https://schema.org","@type":"Order","orderNumber":"1001"}';
const MAIL = `From: shop@example.org\r\nContent-Type: application/ld+json\r\n\r\n${ORDER}\r\n`;
const isNpm = ({ command }: ProcessEntry) => command.startsWith("npm ");
const isNats = ({ command }: ProcessEntry) => /nats-server -c /.test(command) && !command.includes("/bin/sh");
const isGuard = ({ command }: ProcessEntry) => command.includes("/bin/sh") && command.includes("nats-server");
const isNode = ({ command }: ProcessEntry) => /bin\.js start$|main\.ts serve /.test(command);

/** Whom a signal goes to. */
const TARGETS: Readonly<Record<string, (tree: readonly ProcessEntry[]) => readonly number[]>> = {
  npm: (tree) => pidsOf(tree.filter(isNpm)),
  "the first Node": (tree) => pidsOf(tree.filter(isNode).slice(0, 1)),
  "the daemon": (tree) => pidsOf(tree.filter(isNode).slice(-1)),
  "the nats-server": (tree) => pidsOf(tree.filter(isNats)),
  "what ends the nats-server with the daemon": (tree) => pidsOf(tree.filter(isGuard)),
  "the process group": ([first]) => [-(first?.pid ?? 0)],
  "every process": pidsOf,
};

function pidsOf(entries: readonly ProcessEntry[]): number[] {
  return entries.map(({ pid }) => pid);
}

for (const node of ["Node 24", "an older Node"]) {
  for (const [name, choose] of Object.entries(TARGETS)) {
    for (const signal of name === "the process group" ? (["SIGTERM", "SIGINT"] as const) : (["SIGTERM"] as const)) {
      test(`${signal} to ${name} of npm start on ${node}: the mail under way is stored, and all of them end`, async () => {
        await using folder = await temporaryFolder();
        const env = await checkoutEnv(join(folder.path, "data"));
        if (node !== "Node 24") env["npm_config_script_shell"] = await shellWithOlderNode(folder.path);
        await using checkout = new StartedCheckout(env, { byNpm: true });
        await checkout.ready();
        const tree = await processTree(checkout.pid);
        expect(tree.filter(isNpm)).toHaveLength(1);
        expect(tree.filter(isNats)).toHaveLength(1);
        expect(tree.filter(isNode)).toHaveLength(node === "Node 24" ? 1 : 2);
        using relay = await mailUnderWay(env, checkout.said.stdout);
        const targets = choose(tree);
        expect(targets).not.toEqual([]);
        for (const pid of targets) process.kill(pid, signal);
        await expect.poll(() => checkout.said.stderr, { timeout: 20_000 }).toContain("Stopping; a second signal");
        relay.socket.write(`${MAIL}.\r\n`);
        expect(await relay.reply(), checkout.said.stderr).toMatch(/^250 2\.0\.0 /);
        expect(await checkout.ended(), checkout.said.stderr).toBe(0);
        expect(checkout.said.stderr).not.toContain("Ended at once");
        await expect.poll(() => alive(tree), { timeout: 20_000 }).toEqual([]);
        for (const port of portsOf(env)) await expect(connected(port), `port ${port}`).resolves.toBe(false);
      });
    }
  }
}

/** A shell whose `node` believes to be Node 20; what the launcher starts is the Node of the packages. */
async function shellWithOlderNode(folder: string): Promise<string> {
  const pretend = `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.19.0"}})`;
  await script(join(folder, "node"), `exec '${process.execPath}' --import '${pretend}' "$@"`);
  // npm puts the packages' own programs in front of the PATH, and a Node is among them.
  return script(join(folder, "shell"), `PATH='${folder}':$PATH exec /bin/sh "$@"`);
}

async function script(file: string, line: string): Promise<string> {
  await writeFile(file, `#!/bin/sh\n${line}\n`);
  await chmod(file, 0o755);
  return file;
}

/** A mail that has begun: the daemon has said 354, and waits for the rest. */
async function mailUnderWay(env: Readonly<Record<string, string | undefined>>, banner: string): Promise<Relay> {
  const port = Number(env["POSTHORN_SMTP_LISTEN"]?.split(":").at(-1));
  const relay = await connectRelay({ host: "127.0.0.1", port }, { patienceMs: 60_000 });
  await relay.say("MAIL FROM:<shop@example.org>");
  expect(await relay.say(`RCPT TO:<${/\S+@localhost/.exec(banner)?.[0]}>`)).toMatch(/^250 /);
  expect(await relay.say("DATA")).toMatch(/^354 /);
  return relay;
}

/** Those of a tree that still live; a number is not given to another process within a test. */
async function alive(tree: readonly ProcessEntry[]): Promise<readonly ProcessEntry[]> {
  const living = await Promise.all(tree.map(async ({ pid }) => (await processTree(pid))[0]));
  return living.filter((entry) => entry !== undefined);
}

const portsOf = (env: Readonly<Record<string, string | undefined>>) =>
  ["NATS_URL", "SMTP_LISTEN", "HTTP_LISTEN", "ADMIN_LISTEN"].map((name) =>
    Number(env[`POSTHORN_${name}`]?.split(":").at(-1)),
  );

async function connected(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const [event] = await Promise.race([
    once(socket, "connect").then(() => ["connect"]),
    once(socket, "error").then(() => ["error"]),
  ]).catch(() => ["error"]);
  socket.destroy();
  return event === "connect";
}
