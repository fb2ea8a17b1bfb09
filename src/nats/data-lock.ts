import { mkdir, mkdtemp, rm, rmdir, stat, symlink } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import { OperatorError } from "../model/operator-error.ts";

/** A Unix socket's path may have 104 to 108 bytes, depending on the system (sun_path in unix(7)). */
const MAX_SOCKET_PATH = 100;
const LOCK = "posthorn.lock";
/** What stands behind it: `/posthorn-XXXXXX/d/posthorn.lock.takeover`. */
const MAX_TEMPORARY_PATH = 60;
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
  const inside = join(resolve(folder), LOCK);
  const server = await withShortPath(inside, async (path) => (await listen(path)) ?? (await takeOver(path)));
  if (server === undefined) {
    throw new OperatorError(
      `another Posthorn uses the data directory ${resolve(folder)}`,
      "stop it, or set POSTHORN_DATA_DIR to another folder",
    );
  }
  server.unref();
  return {
    [Symbol.asyncDispose]: async () => {
      // Node removes the socket by the path that it was given, which may have been a link.
      await rm(inside, { force: true });
      await new Promise((done) => server.close(done));
    },
  };
}

/**
 * Runs `work` on a path to the same socket that is not too long: through a link in a folder that only we may enter, and
 * whose name nobody can guess. A name in a shared folder, made of the path, could be taken by any other user.
 */
async function withShortPath<T>(socket: string, work: (path: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(socket) <= MAX_SOCKET_PATH) return work(socket);
  const base = Buffer.byteLength(tmpdir()) <= MAX_TEMPORARY_PATH ? tmpdir() : "/tmp";
  const own = await mkdtemp(join(base, "posthorn-"));
  try {
    await symlink(dirname(socket), join(own, "d"));
    return await work(join(own, "d", LOCK));
  } finally {
    await rm(own, { recursive: true, force: true });
  }
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
