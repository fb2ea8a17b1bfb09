import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import type { Log } from "../telemetry/log.ts";

const run = promisify(execFile);

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const DEFAULT_MIRROR = "http://deb.debian.org/debian";
/** Debian 13 was the first to package a server with `sync_interval: always`. */
const SUITE = "trixie";
const STEP_TIMEOUT_MS = 120_000;

/**
 * Debian's newest nats-server, unpacked into `cache` without changing the system: a package list of its own, and
 * `dpkg -x`. apt checks the signature of the list and the SHA-256 of the package.
 *
 * Returns the path of the program; `undefined` on a machine without apt or without Debian's keyring. Throws what a
 * command threw. Several processes may do this at once: each works in a folder of its own and renames at the end.
 */
export async function fetchDebianServer(cache: string, log: Log): Promise<string | undefined> {
  if (process.platform !== "linux" || !(await exists(KEYRING))) return undefined;
  log.info("Fetching nats-server with apt, into the user's cache folder; the system stays as it is");
  const work = await mkdtemp(join(tmpdir(), "posthorn-apt-"));
  try {
    const options = await ownApt(work, `deb [signed-by=${KEYRING}] ${await debianMirror()} ${SUITE} main\n`);
    await run("apt-get", [...options, "update"], { timeout: STEP_TIMEOUT_MS });
    await run("apt-get", [...options, "download", "nats-server"], { cwd: work, timeout: STEP_TIMEOUT_MS });
    const archive = (await readdir(work)).find((name) => name.endsWith(".deb"));
    if (archive === undefined) return undefined;
    await run("dpkg", ["-x", join(work, archive), join(work, "unpacked")], { timeout: STEP_TIMEOUT_MS });
    return await keep(join(work, "unpacked", "usr", "sbin", "nats-server"), cache);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function keep(program: string, cache: string): Promise<string> {
  const { stdout } = await run(program, ["--version"], { timeout: STEP_TIMEOUT_MS });
  const version = /v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? "0.0.0";
  const folder = join(cache, version);
  await mkdir(folder, { recursive: true });
  const own = join(folder, `.nats-server.${process.pid}`);
  await copyFile(program, own);
  await chmod(own, 0o755);
  const kept = join(folder, "nats-server");
  await rename(own, kept);
  return kept;
}

/**
 * Options for an apt that works in the folder `work` alone, with the package sources `sources`, on a machine that has
 * nothing installed: what this machine has, or prefers, it would not fetch. Its proxies stay.
 *
 * Source: apt.conf(5), "Directories".
 */
export async function ownApt(work: string, sources: string): Promise<string[]> {
  const folders = ["lists/partial", "archives/partial"];
  await Promise.all(folders.map((folder) => mkdir(join(work, folder), { recursive: true })));
  await writeFile(join(work, "sources.list"), sources);
  await writeFile(join(work, "status"), "");
  const options = {
    "Dir::Etc::sourcelist": join(work, "sources.list"),
    "Dir::Etc::sourceparts": "-",
    "Dir::Etc::preferences": "-",
    "Dir::Etc::preferencesparts": "-",
    "APT::Default-Release": "",
    "Dir::State": work,
    "Dir::State::Lists": join(work, "lists"),
    "Dir::State::status": join(work, "status"),
    "Dir::Cache": work,
    // As root apt would drop to a user who may not write here.
    "APT::Sandbox::User": process.getuid?.() === 0 ? "root" : "_apt",
  };
  return Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}

/** The mirror that the machine itself uses, when it is one of Debian's. */
export async function debianMirror(): Promise<string> {
  const texts = await Promise.all(
    ["/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources"].map((file) =>
      readFile(file, "utf8").catch(() => ""),
    ),
  );
  return (
    /^(?:deb|URIs:)\s+(?:\[[^\]]*\]\s*)?(https?:\/\/\S+\/debian)\/?(?=\s|$)/m.exec(texts.join("\n"))?.[1] ??
    DEFAULT_MIRROR
  );
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}
