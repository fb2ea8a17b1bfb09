import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { debianMirror } from "../../src/nats/fetch-server.ts";

const run = promisify(execFile);
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const STEP_TIMEOUT_MS = 120_000;

/**
 * Debian's package `name` and the libraries this machine lacks, unpacked into a folder of their own that is kept between
 * runs; the system stays as it is. Throws when it cannot be had: a test that needs it fails then.
 */
export function unpackedDebianPackage(name: string): Promise<string> {
  return kept(name, async (work, options) => {
    await run("apt-get", [...options, "install", "--download-only", "--no-install-recommends", "-y", name], {
      timeout: STEP_TIMEOUT_MS,
    });
    for (const file of await readdir(join(work, "archives")))
      if (file.endsWith(".deb"))
        await run("dpkg", ["-x", join(work, "archives", file), join(work, "unpacked")], { timeout: STEP_TIMEOUT_MS });
  });
}

/** The upstream source of Debian's source package `name`, unpacked into a folder that is kept between runs. */
export function unpackedDebianSource(name: string): Promise<string> {
  return kept(`source-${name}`, async (work, options) => {
    await run("apt-get", [...options, "source", "--download-only", "--tar-only", name], {
      timeout: STEP_TIMEOUT_MS,
      cwd: work,
    });
    for (const file of await readdir(work))
      if (/\.orig\.tar\.\w+$/.test(file))
        await run("tar", ["-xf", join(work, file), "-C", join(work, "unpacked"), "--strip-components=1"]);
  });
}

/** The folder that `fetch` filled as `unpacked`, with apt on a package list of its own. */
async function kept(name: string, fetch: (work: string, options: readonly string[]) => Promise<void>): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8");
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1] ?? "bookworm";
  // Not below the home folder: relays drop their rights, and then may not enter root's.
  const cache = `/var/tmp/posthorn-tests-${process.getuid?.() ?? 0}`;
  const folder = join(cache, `${name}-${suite}-${process.arch}`);
  if (await exists(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, ".work-"));
  try {
    for (const part of ["lists/partial", "archives/partial", "unpacked"])
      await mkdir(join(work, part), { recursive: true });
    const place = `[signed-by=${KEYRING}] ${await debianMirror()} ${suite} main`;
    await writeFile(
      join(work, "sources.list"),
      `deb ${place}\n${name.startsWith("source-") ? `deb-src ${place}\n` : ""}`,
    );
    const options = Object.entries({
      "Dir::Etc::sourcelist": join(work, "sources.list"),
      "Dir::Etc::sourceparts": "-",
      "Dir::State::Lists": join(work, "lists"),
      "Dir::Cache": work,
      "APT::Sandbox::User": "root",
      "Debug::NoLocking": "true",
    }).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
    await run("apt-get", [...options, "update"], { timeout: STEP_TIMEOUT_MS });
    await fetch(work, options);
    // Of two tests at once the second finds the folder there, with the same in it.
    await rename(join(work, "unpacked"), folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error;
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Where the programs of an unpacked package find their libraries. */
export function libraryPath(root: string): string {
  const triple = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  return ["usr/lib/postfix", "usr/lib", `usr/lib/${triple}`, `lib/${triple}`].map((part) => join(root, part)).join(":");
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
