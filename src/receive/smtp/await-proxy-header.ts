import type { Socket } from "node:net";

import type { ProxyHeader } from "./proxy-header.ts";
import { readProxyHeader } from "./proxy-header.ts";

type WholeHeader = Exclude<ProxyHeader, { kind: "incomplete" }>;

/**
 * Waits for the PROXY header of a fresh connection and hands back to the socket what came behind it.
 *
 * Calls `done` once: `invalid` also when the connection ends or `timeoutMs` is over before a whole header came, however
 * slowly its bytes drip in.
 */
export function awaitProxyHeader(socket: Socket, timeoutMs: number, done: (header: WholeHeader) => void): void {
  let bytes = Buffer.alloc(0);
  const finish = (header: WholeHeader) => {
    clearTimeout(timer);
    socket.off("readable", onReadable);
    for (const event of ["error", "end", "close"]) socket.off(event, onEnd);
    done(header);
  };
  const onEnd = () => finish({ kind: "invalid" });
  const onReadable = () => {
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
      bytes = Buffer.concat([bytes, chunk]);
      const header = readProxyHeader(bytes);
      if (header.kind === "incomplete") continue;
      if ("length" in header && bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
      return finish(header);
    }
  };
  const timer = setTimeout(onEnd, timeoutMs);
  socket.on("readable", onReadable);
  for (const event of ["error", "end", "close"]) socket.on(event, onEnd);
}
