import { lookup } from "node:dns/promises";
import { once } from "node:events";
import type { Server as HttpServer, RequestListener, ServerOptions } from "node:http";
import type { Server } from "node:net";
import { createServer } from "node:net";

/** A server that listens. */
export interface Listening {
  /** 0 for a socket in the file system. */
  readonly port: number;
  /** No new connections, and idle ones are closed; resolves when every connection has ended. */
  readonly close: () => Promise<void>;
}

/**
 * Node's own HTTP server. An import of `node:http` would load fetch too, because the getters that stand for its parts
 * become exports: 60 ms and 13 MB that nothing here uses (Node 24.21).
 */
export function createHttpServer(options: ServerOptions, onRequest: RequestListener): HttpServer {
  return process.getBuiltinModule("node:http").createServer(options, onRequest);
}

/**
 * Opens a listener for an HTTP server; on every address of `localhost`, for browsers and tools take either. Throws what
 * `listen` throws.
 */
export async function listenHttp(
  server: HttpServer,
  at: { readonly host: string; readonly port: number } | { readonly path: string },
): Promise<Listening> {
  await listen(server, at);
  const bound = server.address();
  if (typeof bound !== "object" || bound === null || "path" in at) return { port: 0, close: () => closeAll([server]) };
  const all: Server[] = [server];
  for (const { address: host } of at.host === "localhost" ? await lookup("localhost", { all: true }) : []) {
    if (host === bound.address) continue;
    const other = createServer({ noDelay: true }, (socket) => server.emit("connection", socket));
    // A machine without IPv6 may know the address all the same.
    const isOpen = await listen(other, { host, port: bound.port }).then(
      () => true,
      () => false,
    );
    if (isOpen) all.push(other);
  }
  return { port: bound.port, close: () => closeAll(all) };
}

async function listen(
  server: Server,
  at: { readonly host: string; readonly port: number } | { readonly path: string },
): Promise<void> {
  server.listen("path" in at ? { path: at.path } : { host: at.host, port: at.port });
  await once(server, "listening");
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => void server.close(() => resolve()))));
}
