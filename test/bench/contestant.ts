import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import type { DnsServer } from "../support/dns-server.ts";
import { startDnsServer } from "../support/dns-server.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const START_TIMEOUT_MS = 180_000;

/** The hook that the benches send orders to. */
export const ORDER_HOOK = { eventName: "kustomer.app.shop.order", displayEventName: "Order", type: "email" } as const;

/** A program under load, as a process of its own. */
export interface Contestant extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** Where mail for it goes, or the path that requests go to. */
  readonly target: string;
}

/** Ends a child and waits until it has. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** A peer of `peers/`, which prints `{ "port" }` when it listens. */
export async function startPeer(
  name: string,
  file: string,
  args: readonly string[],
  target: string,
): Promise<Contestant> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "peers", file), ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}`)));
  });
  const { port } = JSON.parse(line) as { readonly port: number };
  return { name, port, pid: child.pid ?? 0, target, [Symbol.asyncDispose]: () => end(child) };
}

/** What a hook of the shop looks like from outside. */
export interface ListedHook {
  readonly eventName: string;
  readonly address?: string;
  readonly url?: string;
}

/** `posthorn serve` with its defaults and one app; everything it logs goes to a file, as under a supervisor. */
export class Posthorn implements Contestant {
  readonly name = "posthorn";
  readonly hooks: readonly ListedHook[];
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #dns: DnsServer;
  readonly port: number;
  readonly lmtpPort: number;
  readonly httpPort: number;
  readonly adminPort: number;

  constructor(parts: {
    child: ChildProcess;
    folder: string;
    env: NodeJS.ProcessEnv;
    dns: DnsServer;
    hooks: readonly ListedHook[];
    log: string;
  }) {
    this.#child = parts.child;
    this.#folder = parts.folder;
    this.#env = parts.env;
    this.#dns = parts.dns;
    this.hooks = parts.hooks;
    const portOf = (door: string) => Number(new RegExp(`"${door}","address":"[^"]*:(\\d+)"`).exec(parts.log)?.[1]);
    this.port = portOf("smtp");
    this.lmtpPort = portOf("lmtp");
    this.httpPort = portOf("http");
    this.adminPort = portOf("admin");
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get target(): string {
    return this.addressOf(ORDER_HOOK.eventName);
  }

  addressOf(eventName: string): string {
    const hook = this.hooks.find((each) => each.eventName === eventName);
    return hook?.address ?? hook?.url ?? "";
  }

  /** Runs a command of ours against the same NATS and reads the JSON that it prints. */
  command(...args: string[]): Promise<unknown> {
    return command(args, this.#env);
  }

  log(): Promise<string> {
    return readFile(join(this.#folder, "log"), "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#child);
    await this.#dns[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function command(args: readonly string[], env: NodeJS.ProcessEnv): Promise<unknown> {
  const child = spawn(process.execPath, [join(ROOT, "src", "main.ts"), ...args, "--json"], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) text += String(chunk);
  return JSON.parse(text);
}

export interface PosthornOptions {
  /** Hooks of the app `shop`. */
  readonly hooks: readonly Readonly<Record<string, unknown>>[];
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
}

/** Starts Posthorn against `natsUrl`, with a name server of its own that knows the sender's domain. */
export async function startPosthorn(natsUrl: string, options: PosthornOptions): Promise<Posthorn> {
  const folder = await mkdtemp(join(tmpdir(), "posthorn-bench-"));
  const dns = await startDnsServer({
    "shop.example": { TXT: ["v=spf1 ip4:127.0.0.1 -all"] },
    "_dmarc.shop.example": { TXT: ["v=DMARC1; p=reject"] },
  });
  await mkdir(join(folder, "apps"));
  const app = { app: "shop", version: "1.0.0", title: "Shop", hooks: options.hooks };
  await writeFile(join(folder, "apps", "shop.json"), JSON.stringify(app));
  const env = {
    ...process.env,
    // As bin.js sets it: compiled code is kept between starts.
    NODE_COMPILE_CACHE: join(tmpdir(), "posthorn-bench-compiled"),
    POSTHORN_NATS_URL: natsUrl,
    POSTHORN_DATA_DIR: folder,
    POSTHORN_SMTP_LISTEN: "127.0.0.1:0",
    POSTHORN_LMTP_LISTEN: "127.0.0.1:0",
    POSTHORN_HTTP_LISTEN: "127.0.0.1:0",
    POSTHORN_ADMIN_LISTEN: "127.0.0.1:0",
    POSTHORN_DNS_SERVERS: dns.address,
    ...options.env,
  };
  const logFile = join(folder, "log");
  const fd = openSync(logFile, "a");
  // By `bin.js`, as the command does: with its bounds on memory, for which the process begins twice.
  const launcher = join(ROOT, "src", "bin.js");
  const child = spawn(
    process.execPath,
    [...(options.nodeArgs ?? []), launcher, "serve", "--apps", join(folder, "apps")],
    {
      env,
      cwd: folder,
      stdio: ["ignore", "ignore", fd],
    },
  );
  closeSync(fd);
  const deadline = Date.now() + START_TIMEOUT_MS;
  let log = "";
  while (!log.includes("Posthorn serves")) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`posthorn did not start: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
    log = readFileSync(logFile, "utf8");
  }
  const hooks = (await command(["hooks", "list"], env)) as ListedHook[];
  return new Posthorn({ child, folder, env, dns, hooks, log });
}
