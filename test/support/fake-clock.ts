import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { unpackedDebianPackage } from "./debian-package.ts";

/** The wall clock of one process, as libfaketime shows it; its own timers go on as they did. */
export interface FakeClock {
  /** For the environment of the process. */
  readonly env: Readonly<Record<string, string>>;
  /** Moves the clock to so many days from the real time. */
  set(days: number): Promise<void>;
}

/** A clock that begins at the real time; what it is set to stands in a file in `folder`. */
export async function fakeClock(folder: string): Promise<FakeClock> {
  const root = await unpackedDebianPackage("libfaketime");
  const triple = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const file = join(folder, "clock");
  const set = async (days: number) => {
    // Renamed into its place: the process may read at any moment.
    await writeFile(`${file}.new`, `${days < 0 ? "" : "+"}${days}d\n`);
    await rename(`${file}.new`, file);
  };
  await set(0);
  return {
    set,
    env: {
      LD_PRELOAD: join(root, "usr", "lib", triple, "faketime", "libfaketimeMT.so.1"),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      // Else every timer of Node jumps too (libuv waits on that clock).
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
  };
}
