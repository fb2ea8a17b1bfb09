import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { spawnBound } from "../../src/nats/spawn-bound.ts";
import { libraryPath, unpackedDebianPackage } from "./debian-package.ts";
import { freePort } from "./free-port.ts";

const START_TIMEOUT_MS = 20_000;

/** A real HAProxy that sends what comes to `port` to the backend named `posthorn` of `backends`. */
export async function startHaproxy(backends: string): Promise<AsyncDisposable & { readonly port: number }> {
  const root = await unpackedDebianPackage("haproxy");
  const folder = await mkdtemp(join(tmpdir(), "posthorn-haproxy-"));
  await chmod(folder, 0o755);
  const port = await freePort();
  const timeouts = "timeout connect 10s\n    timeout client 60s\n    timeout server 60s";
  const frontend = `frontend mail\n    mode tcp\n    bind 127.0.0.1:${port}\n    default_backend posthorn`;
  const config = join(folder, "haproxy.cfg");
  await writeFile(config, `defaults\n    ${timeouts}\n${frontend}\n${backends}\n`);
  const log = join(folder, "log");
  const child = spawnBound(
    "/usr/bin/env",
    [`LD_LIBRARY_PATH=${libraryPath(root)}`, join(root, "usr/sbin/haproxy"), "-db", "-f", config],
    { logFile: log, endSignal: "TERM" },
  );
  for (const deadline = Date.now() + START_TIMEOUT_MS; !(await isListening(port));) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`HAProxy did not start: ${await readFile(log, "utf8").catch(() => "")}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, "exit");
        child.kill("SIGTERM");
        await ended;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true))).once("error", () => resolve(false));
  });
}
