import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { spawnBound } from "../../src/nats/spawn-bound.ts";
import { libraryPath, unpackedDebianPackage } from "./debian-package.ts";
import { freePort } from "./free-port.ts";

const START_TIMEOUT_MS = 20_000;
const QUEUES = "active bounce corrupt defer deferred flush hold incoming private saved trace public maildrop pid".split(
  " ",
);
/** Users that every Debian has; Postfix wants one of its own, a group that is neither's, and somebody with no rights. */
const OWNER = { name: "daemon", uid: 1, group: "games", nobody: "nobody" };

const SERVICES = [
  "cleanup unix n - n - 0 cleanup",
  "qmgr unix n - n 300 1 qmgr",
  "rewrite unix - - n - - trivial-rewrite",
  "bounce unix - - n - 0 bounce",
  "defer unix - - n - 0 bounce",
  "trace unix - - n - 0 bounce",
  "verify unix - - n - 1 verify",
  "flush unix n - n 1000? 0 flush",
  "proxymap unix - - n - - proxymap",
  "smtp unix - - n - - smtp",
  "relay unix - - n - - smtp",
  "lmtp unix - - n - - lmtp",
  "error unix - - n - - error",
  "retry unix - - n - - error",
  "discard unix - - n - - discard",
  "tlsmgr unix - - n 1000? 1 tlsmgr",
  "anvil unix - - n - 1 anvil",
  "scache unix - - n - 1 scache",
  "postlog unix-dgram n - n - 1 postlogd",
];

/** A real Postfix of its own: private configuration, queue and log, one port on loopback. Needs to be started as root. */
export class Postfix {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;

  constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = child;
  }

  /** Everything it logged so far. */
  log(): Promise<string> {
    return readFile(join(this.#folder, "log"), "utf8").catch(() => "");
  }

  /** Mails that wait in its queues. */
  async queued(): Promise<number> {
    let count = 0;
    for (const queue of ["incoming", "active", "deferred", "maildrop"])
      for (const entry of await readdir(join(this.#folder, "queue", queue), { recursive: true, withFileTypes: true }))
        if (entry.isFile()) count += 1;
    return count;
  }

  /** As `postfix reload`: a new queue manager, which looks at every mail anew. */
  async reload(): Promise<void> {
    process.kill(Number(await readFile(join(this.#folder, "queue", "pid", "master.pid"), "utf8")), "SIGHUP");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, "exit");
      this.#process.kill("SIGTERM");
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

/** Starts a Postfix that relays mail for `domain` by `transport` (`smtp:[127.0.0.1]:2525`), with these settings besides. */
export async function startPostfix(
  domain: string,
  transport: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Postfix> {
  const root = await unpackedDebianPackage("postfix");
  const folder = await mkdtemp(join(tmpdir(), "posthorn-postfix-"));
  const port = await freePort();
  const main = {
    compatibility_level: "3.6",
    queue_directory: join(folder, "queue"),
    data_directory: join(folder, "data"),
    command_directory: join(root, "usr/sbin"),
    daemon_directory: join(root, "usr/lib/postfix/sbin"),
    shlib_directory: join(root, "usr/lib/postfix"),
    meta_directory: join(folder, "conf"),
    mail_owner: OWNER.name,
    setgid_group: OWNER.group,
    default_privs: OWNER.nobody,
    inet_interfaces: "127.0.0.1",
    inet_protocols: "ipv4",
    myhostname: "relay.example",
    mydestination: "",
    local_recipient_maps: "",
    alias_maps: "",
    mynetworks: "127.0.0.0/8",
    smtpd_relay_restrictions: "permit_mynetworks, permit_auth_destination, reject",
    smtpd_authorized_xclient_hosts: "127.0.0.1",
    relay_domains: domain,
    relay_recipient_maps: "",
    transport_maps: `inline:{ {${domain} = ${transport}} }`,
    default_transport: "error:no other mail leaves this test",
    disable_dns_lookups: "yes",
    maillog_file: join(folder, "log"),
    maillog_file_prefixes: folder,
    // Its daemons forget the rest, and would not find their libraries.
    import_environment: "MAIL_CONFIG LD_LIBRARY_PATH",
    export_environment: "LD_LIBRARY_PATH",
    queue_run_delay: "1s",
    minimal_backoff_time: "1s",
    maximal_backoff_time: "2s",
    ...settings,
  };
  await chmod(folder, 0o755);
  for (const name of ["conf", "queue", "data"]) await mkdir(join(folder, name), { mode: 0o755 });
  await cp(join(root, "usr/share/postfix/dynamicmaps.cf"), join(folder, "conf/dynamicmaps.cf"));
  const lines = Object.entries(main).map(([name, value]) => `${name} = ${value}\n`);
  await writeFile(join(folder, "conf/main.cf"), lines.join(""));
  const services = [...SERVICES, `127.0.0.1:${port} inet n - n - - smtpd`];
  await writeFile(join(folder, "conf/master.cf"), `${services.join("\n")}\n`);
  for (const queue of QUEUES) {
    await mkdir(join(folder, "queue", queue), { mode: queue === "public" || queue === "pid" ? 0o755 : 0o700 });
    if (queue !== "pid") await chown(join(folder, "queue", queue), OWNER.uid, -1);
  }
  await chown(join(folder, "data"), OWNER.uid, -1);
  const program = join(root, "usr/lib/postfix/sbin/master");
  const child = spawnBound(
    "/usr/bin/env",
    [`LD_LIBRARY_PATH=${libraryPath(root)}`, program, "-c", join(folder, "conf"), "-d"],
    { logFile: join(folder, "stderr"), endSignal: "TERM" },
  );
  const postfix = new Postfix(port, folder, child);
  for (const deadline = Date.now() + START_TIMEOUT_MS; !(await postfix.log()).includes("daemon started");) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`Postfix did not start (exit code ${child.exitCode}): ${await postfix.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return postfix;
}
