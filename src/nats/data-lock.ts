import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { OperatorError } from "../model/operator-error.ts";

/** A Unix socket's path may have 104 to 108 bytes, depending on the system (sun_path in unix(7)). */
const MAX_SOCKET_PATH = 100;

/**
 * Takes a data directory for this process, so that two servers never write into the same store.
 *
 * The lock is a socket that a living process listens on: after a SIGKILL nobody answers there, and it is taken over.
 * Throws `OperatorError` when somebody lives there.
 */
export async function lockDataDirectory(folder: string): Promise<AsyncDisposable> {
  await mkdir(folder, { recursive: true });
  const path = socketPath(folder);
  const server = await listen(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    if (await answers(path)) {
      throw new OperatorError(
        `another Posthorn is running in the data directory ${resolve(folder)}`,
        "stop it, or set POSTHORN_DATA_DIR to another folder",
      );
    }
    await rm(path, { force: true });
    return listen(path);
  });
  server.unref();
  return { [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done())) };
}

function socketPath(folder: string): string {
  const inside = join(resolve(folder), "posthorn.lock");
  if (Buffer.byteLength(inside) <= MAX_SOCKET_PATH) return inside;
  return join(tmpdir(), `posthorn-${createHash("sha256").update(inside).digest("hex").slice(0, 32)}.lock`);
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen(path, () => resolve(server));
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });
}
