import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFile, chmod, chown, copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { spawnBound } from "../../src/nats/spawn-bound.ts";
import { libraryPath, unpackedDebianPackage } from "./debian-package.ts";
import { freePort } from "./free-port.ts";

const START_TIMEOUT_MS = 20_000;
/** Debian's `daemon`, whom the private list of users calls by the name that is compiled into Exim. */
const UID = 1;

/** A real Exim of its own: private configuration, spool and log, one port on loopback. Needs to be started as root. */
export class Exim {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;

  constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = child;
  }

  /** Everything it logged so far. */
  async log(): Promise<string> {
    const texts = ["mainlog", "paniclog"].map((name) => readFile(join(this.#folder, name), "utf8").catch(() => ""));
    return (await Promise.all(texts)).join("");
  }

  /** Mails that wait in its spool. */
  async queued(): Promise<number> {
    const files = await readdir(join(this.#folder, "input")).catch(() => []);
    return files.filter((name) => name.endsWith("-H")).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, "exit");
      this.#process.kill("SIGTERM");
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

/** Starts an Exim that relays mail for `domain` to `port` on loopback, with these options of its smtp transport besides. */
export async function startExim(
  domain: string,
  to: { readonly port: number | string; readonly options: readonly string[] },
): Promise<Exim> {
  const [root, wrapper] = await Promise.all(
    ["exim4-daemon-light", "libnss-wrapper"].map((name) => unpackedDebianPackage(name)),
  );
  if (root === undefined || wrapper === undefined) throw new Error("two packages were asked for");
  const folder = await mkdtemp(join(tmpdir(), "posthorn-exim-"));
  await chmod(folder, 0o755);
  await chown(folder, UID, UID);
  const port = await freePort();
  // Without its set-user-id bit: a program that has it is started without the library that names its user.
  const program = join(folder, "exim4");
  await copyFile(join(root, "usr/sbin/exim4"), program);
  await chmod(program, 0o755);
  const config = join(folder, "exim.conf");
  const text = `exim_path = ${program}
keep_environment = ^LD_:^NSS_
spool_directory = ${folder}
log_file_path = ${folder}/%slog
pid_file_path = ${folder}/pid
primary_hostname = relay.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
tls_advertise_hosts =
host_lookup =
never_users =
deliver_drop_privilege
acl_smtp_rcpt = recipient
acl_smtp_data = data
begin acl
recipient:
  accept domains = ${domain}
  deny
data:
  accept
begin routers
posthorn:
  driver = manualroute
  domains = ${domain}
  transport = posthorn
  route_list = * 127.0.0.1
  self = send
begin transports
posthorn:
  driver = smtp
  port = ${to.port}
  allow_localhost
${to.options.map((option) => `  ${option}`).join("\n")}
begin retry
* * F,1h,1s
`;
  await writeFile(config, text);
  const users = join(folder, "passwd");
  const groups = join(folder, "group");
  await Promise.all([copyFile("/etc/passwd", users), copyFile("/etc/group", groups), mkdir(join(folder, "input"))]);
  await chown(join(folder, "input"), UID, UID);
  await appendFile(users, `Debian-exim:x:${UID}:${UID}::${folder}:/bin/false\n`);
  await appendFile(groups, `Debian-exim:x:${UID}:\n`);
  const triple = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const environment = {
    LD_LIBRARY_PATH: libraryPath(root),
    LD_PRELOAD: join(wrapper, "usr/lib", triple, "libnss_wrapper.so"),
    NSS_WRAPPER_PASSWD: users,
    NSS_WRAPPER_GROUP: groups,
  };
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const child = spawnBound("/usr/bin/env", [...variables, program, "-C", config, "-bdf", "-q1s"], {
    logFile: join(folder, "stderr"),
    endSignal: "TERM",
  });
  const exim = new Exim(port, folder, child);
  for (const deadline = Date.now() + START_TIMEOUT_MS; !(await exim.log()).includes("daemon started");) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(
        `Exim did not start: ${await exim.log()}${await readFile(join(folder, "stderr"), "utf8").catch(() => "")}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return exim;
}
