import { execFileSync } from "node:child_process";

import { temporaryFolder } from "../../support/folder.ts";

/** A small file system of its own, gone at the end of the test. Needs root, and fails without it. */
export async function smallDisk(megabytes: number): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await temporaryFolder();
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder.path]);
  return {
    path: folder.path,
    [Symbol.asyncDispose]: async () => {
      execFileSync("umount", ["-l", folder.path]);
      await folder[Symbol.asyncDispose]();
    },
  };
}
