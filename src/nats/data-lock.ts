import { createHash } from "node:crypto";
import { mkdir, rm, rmdir, stat } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { OperatorError } from "../model/operator-error.ts";

/** A Unix socket's path may have 104 to 108 bytes, depending on the system (sun_path in unix(7)). */
const MAX_SOCKET_PATH = 100;
/** Taking over a dead process's lock takes milliseconds; who has not ended after this long has died over it. */
const TAKEOVER_STALE_MS = 10_000;

/**
 * Takes a data directory for this process, so that two servers never write into the same store.
 *
 * The lock is a socket that a living process listens on: after a SIGKILL nobody answers there, and it is taken over.
 * Throws `OperatorError` when somebody lives there.
 */
export async function lockDataDirectory(folder: string): Promise<AsyncDisposable> {
  await mkdir(folder, { recursive: true });
  const path = socketPath(folder);
  const server = (await listen(path)) ?? (await takeOver(path));
  if (server === undefined) {
    throw new OperatorError(
      `another Posthorn uses the data directory ${resolve(folder)}`,
      "stop it, or set POSTHORN_DATA_DIR to another folder",
    );
  }
  server.unref();
  return { [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done())) };
}

function socketPath(folder: string): string {
  const inside = join(resolve(folder), "posthorn.lock");
  if (Buffer.byteLength(inside) <= MAX_SOCKET_PATH) return inside;
  return join(tmpdir(), `posthorn-${createHash("sha256").update(inside).digest("hex").slice(0, 32)}.lock`);
}

/** A server on `path`; `undefined` when a socket stands there already, of a living process or a dead one. */
function listen(path: string): Promise<Server | undefined> {
  return new Promise((done, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") done(undefined);
      else reject(error);
    });
    server.listen(path, () => done(server));
  });
}

/**
 * Removes the socket of a process that is dead, and listens in its place.
 *
 * One at a time, guarded by a folder: of two that both found the socket dead, the second would otherwise remove the one
 * that the first has just made.
 */
async function takeOver(path: string): Promise<Server | undefined> {
  const guard = `${path}.takeover`;
  if (!(await makeGuard(guard))) return undefined;
  try {
    if (await answers(path)) return undefined;
    await rm(path, { force: true });
    return await listen(path);
  } finally {
    await rmdir(guard);
  }
}

async function makeGuard(guard: string): Promise<boolean> {
  const made = () =>
    mkdir(guard).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "EEXIST") return false;
        throw error;
      },
    );
  if (await made()) return true;
  const { mtimeMs } = await stat(guard).catch(() => ({ mtimeMs: Date.now() }));
  if (Date.now() - mtimeMs < TAKEOVER_STALE_MS) return false;
  await rm(guard, { recursive: true, force: true });
  return made();
}

function answers(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.once("connect", () => (socket.destroy(), done(true)));
    // Any other error, such as EAGAIN of a process that is stopped, is no proof that nobody lives there.
    socket.once("error", ({ code }: NodeJS.ErrnoException) => done(code !== "ECONNREFUSED" && code !== "ENOENT"));
  });
}
