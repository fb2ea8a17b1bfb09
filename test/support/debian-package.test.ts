import { execFile } from "node:child_process";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterEach, expect, test, vi } from "vitest";

import { fetchDebianServer } from "../../src/nats/fetch-server.ts";
import { libraryPath, unpackedDebianPackage } from "./debian-package.ts";
import { temporaryFolder } from "./folder.ts";
import { silentLog } from "./silent-log.ts";

// What apt is asked for comes whole, whatever the machine has installed, holds back or pins: the machine's own state is
// named by a configuration that every apt reads first.
vi.setConfig({ testTimeout: 300_000 });
afterEach(() => vi.unstubAllEnvs());

const run = promisify(execFile);

/** This machine with some packages more, in the version of its distribution or a later one. */
async function machineWith(folder: string, versions: Readonly<Record<string, string>>): Promise<void> {
  const status = await readFile("/var/lib/dpkg/status", "utf8").catch(() => "");
  const more = Object.entries(versions).map(
    ([name, version]) =>
      `Package: ${name}\nStatus: install ok installed\nMaintainer: nobody\nArchitecture: ${process.arch === "arm64" ? "arm64" : "amd64"}\nVersion: ${version}\nDescription: installed by the administrator\n`,
  );
  const preferences = Object.keys(versions).map((name) => `Package: ${name}\nPin: release *\nPin-Priority: -1\n`);
  await writeFile(join(folder, "status"), `${status}\n${more.join("\n")}\n`);
  await writeFile(join(folder, "preferences"), preferences.join("\n"));
  const config = [
    `Dir::State::status "${join(folder, "status")}";`,
    `Dir::Etc::preferences "${join(folder, "preferences")}";`,
    'APT::Default-Release "bookworm";',
  ];
  await writeFile(join(folder, "apt.conf"), `${config.join("\n")}\n`);
  vi.stubEnv("APT_CONFIG", join(folder, "apt.conf"));
}

test("a package that the machine has installed is unpacked with its libraries all the same, and runs", async () => {
  await using folder = await temporaryFolder();
  await machineWith(folder.path, { haproxy: "99", "liblua5.3-0": "99", "libopentracing-c-wrapper0": "99" });
  const root = await unpackedDebianPackage("haproxy", join(folder.path, "cache"));
  const { stdout } = await run(join(root, "usr", "sbin", "haproxy"), ["-v"], {
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath(root) },
  });
  expect(stdout).toContain("HAProxy version");
  const { stdout: libraries } = await run("ldd", [join(root, "usr", "sbin", "haproxy")], {
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath(root) },
  });
  expect(libraries).toMatch(new RegExp(`liblua5\\.3\\.so\\S* => ${root}`));
  // The loader of the system and a C library of another build do not go together.
  expect(libraries).toMatch(/libc\.so\.6 => \/lib/);
});

test.each(["2.9.10-1+b5", "99"])(
  "a nats-server %s that is installed does not keep a good one from being fetched",
  async (version) => {
    await using folder = await temporaryFolder();
    await machineWith(folder.path, { "nats-server": version });
    const program = await fetchDebianServer(join(folder.path, "cache"), silentLog);
    expect(program).toBeDefined();
    expect((await stat(program ?? "")).mode & 0o111).not.toBe(0);
    expect((await run(program ?? "", ["--version"])).stdout).toMatch(/v2\.1\d/);
  },
);
