import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { startNatsServer } from "../support/nats-server.ts";
import { smallDisk } from "./support/small-disk.ts";

const MAIN = join(import.meta.dirname, "..", "..", "src", "main.ts");

for (const flags of [[], ["--local-nats"]]) {
  test(`a full disk under the data directory stops the start with one line that says so: serve ${flags.join(" ")}`, async () => {
    await using disk = await smallDisk(1);
    await writeFile(join(disk.path, "ballast"), Buffer.alloc(2 * 1024 * 1024)).catch(() => undefined);
    await using nats = flags.length === 0 ? await startNatsServer() : undefined;
    const child = spawn(process.execPath, [MAIN, "serve", ...flags], {
      env: {
        ...process.env,
        // Nobody listens on port 1: a server of our own would have to be started.
        POSTHORN_NATS_URL: nats?.url ?? "nats://127.0.0.1:1",
        POSTHORN_DATA_DIR: disk.path,
        POSTHORN_SMTP_LISTEN: "127.0.0.1:0",
        POSTHORN_HTTP_LISTEN: "127.0.0.1:0",
        POSTHORN_ADMIN_LISTEN: "127.0.0.1:0",
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    await once(child, "close");
    expect(child.exitCode).not.toBe(0);
    expect(said).toMatch(/ENOSPC|no space|disk/i);
    expect(said).not.toContain("Posthorn serves");
    expect(said.split("\n").filter((line) => line.startsWith("posthorn: "))).toHaveLength(1);
  });
}
