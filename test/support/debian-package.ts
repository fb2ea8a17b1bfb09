import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { debianMirror, ownApt } from "../../src/nats/fetch-server.ts";

const run = promisify(execFile);
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const STEP_TIMEOUT_MS = 120_000;
/**
 * Not below the home folder: relays drop their rights, and then may not enter root's. The number is that of the way in
 * which packages are unpacked.
 */
const CACHE = `/var/tmp/posthorn-tests-2-${process.getuid?.() ?? 0}`;

/** What every Debian has, and the C library, which has to fit the loader that the system starts programs with. */
const OF_THE_SYSTEM = /^Package: libc6\n|^Priority: required$/m;

/**
 * Debian's package `name` and the libraries that it needs, unpacked into a folder of their own that is kept in `cache`
 * between runs; the system stays as it is, and what it has installed makes no difference. Throws when it cannot be had: a
 * test that needs it fails then.
 */
export function unpackedDebianPackage(name: string, cache = CACHE): Promise<string> {
  return kept(name, cache, async (work, options) => {
    await run("apt-get", [...options, "install", "--download-only", "--no-install-recommends", "-y", name], {
      timeout: STEP_TIMEOUT_MS,
    });
    for (const file of await readdir(join(work, "archives"))) {
      if (!file.endsWith(".deb")) continue;
      const archive = join(work, "archives", file);
      const { stdout: fields } = await run("dpkg-deb", ["-f", archive, "Package", "Priority"]);
      if (!OF_THE_SYSTEM.test(fields))
        await run("dpkg", ["-x", archive, join(work, "unpacked")], { timeout: STEP_TIMEOUT_MS });
    }
  });
}

/** The upstream source of Debian's source package `name`, unpacked into a folder that is kept between runs. */
export function unpackedDebianSource(name: string): Promise<string> {
  return kept(`source-${name}`, CACHE, async (work, options) => {
    await run("apt-get", [...options, "source", "--download-only", "--tar-only", name], {
      timeout: STEP_TIMEOUT_MS,
      cwd: work,
    });
    for (const file of await readdir(work))
      if (/\.orig\.tar\.\w+$/.test(file))
        await run("tar", ["-xf", join(work, file), "-C", join(work, "unpacked"), "--strip-components=1"]);
  });
}

/** The folder that `fetch` filled as `unpacked`, with an apt of its own. */
async function kept(
  name: string,
  cache: string,
  fetch: (work: string, options: readonly string[]) => Promise<void>,
): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8");
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1] ?? "bookworm";
  const folder = join(cache, `${name}-${suite}-${process.arch}`);
  if (await exists(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, ".work-"));
  try {
    await mkdir(join(work, "unpacked"));
    const place = `[signed-by=${KEYRING}] ${await debianMirror()} ${suite} main`;
    const own = await ownApt(work, `deb ${place}\n${name.startsWith("source-") ? `deb-src ${place}\n` : ""}`);
    const options = [...own, "-o", "Debug::NoLocking=true"];
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
