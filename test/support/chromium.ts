import { execFile } from "node:child_process";
import { access, constants, mkdir, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

import type { Browser } from "playwright-core";
import { chromium } from "playwright-core";

const run = promisify(execFile);
const INSTALL_MS = 300_000;

/** Long enough to install the browser on a machine that has none. */
export const BROWSER_HOOK_MS = INSTALL_MS + 60_000;

/** Debian's Chromium, without a window; installed first where it is missing. Throws when it can be had in no way. */
export async function launchChromium(): Promise<Browser & AsyncDisposable> {
  const { program, libraries } = (await onPath()) ?? (process.getuid?.() === 0 ? await install() : await unpack());
  const browser = await chromium.launch({
    executablePath: program,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
    env: { ...process.env, ...(libraries !== undefined && { LD_LIBRARY_PATH: libraries }) },
  });
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() });
}

interface Found {
  readonly program: string;
  /** Where its shared libraries are, when they are not the system's. */
  readonly libraries?: string;
}

async function onPath(): Promise<Found | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const program = join(folder, "chromium");
    if (await isProgram(program)) return { program };
  }
  return undefined;
}

/** As root: like any other package. One process at a time; who waited finds it installed. */
async function install(): Promise<Found> {
  const script =
    "command -v chromium || { apt-get -q update && apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=240 install chromium; }";
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await run("flock", ["/tmp/posthorn-chromium.lock", "sh", "-c", script], { timeout: INSTALL_MS, env });
  const found = await onPath();
  if (found === undefined) throw new Error("apt-get installed chromium, and it is not on PATH");
  return found;
}

/** As anybody else: the packages that are missing, from a package list of our own, unpacked into a cache folder. */
async function unpack(): Promise<Found> {
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "posthorn", "chromium");
  await mkdir(cache, { recursive: true });
  const program = join(cache, "root", "usr", "lib", "chromium", "chromium");
  const script = `
    set -e
    test -x "$CACHE/root/usr/lib/chromium/chromium" && exit 0
    mkdir -p "$CACHE/lists/partial" "$CACHE/archives/partial" "$CACHE/debs" "$CACHE/new"
    apt() { apt-get -q -o Dir::State::Lists="$CACHE/lists" -o Dir::Cache="$CACHE" -o Debug::NoLocking=1 "$@"; }
    apt update
    cd "$CACHE/debs"
    packages=$(apt -y --no-install-recommends --print-uris install chromium | sed -n "s/^'[^']*' \\([^_ ]*\\)_.*/\\1/p")
    apt download $packages
    for deb in *.deb; do dpkg -x "$deb" "$CACHE/new"; done
    mv "$CACHE/new" "$CACHE/root"`;
  await run("flock", [join(cache, "lock"), "sh", "-c", script], {
    timeout: INSTALL_MS,
    env: { ...process.env, CACHE: cache },
  });
  if (!(await isProgram(program))) throw new Error(`chromium was unpacked, and ${program} is not there`);
  const lib = join(cache, "root", "usr", "lib");
  const triples = (await readdir(lib)).filter((name) => name.endsWith("-linux-gnu")).map((name) => join(lib, name));
  return { program, libraries: [...triples, ...triples.map((folder) => join(folder, "nss"))].join(delimiter) };
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
