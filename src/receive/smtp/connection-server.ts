import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

import type { SMTPConnectionOptions } from "smtp-server/lib/smtp-connection.js";

import { awaitProxyHeader } from "./await-proxy-header.ts";
import { MailConnection } from "./connection.ts";
import type { MailDoor } from "./door.ts";
import { SMTPServer } from "./smtp-server.ts";

/** A proxy sends its header with the first packet; nobody honest needs longer. */
const PROXY_HEADER_MS = 10_000;

type ProxyDone = Parameters<InstanceType<typeof SMTPServer>["_handleProxy"]>[1];

/** What is known of a connection before its session begins. */
export type ConnectionOptions = SMTPConnectionOptions & {
  /** There is a client behind the proxy whose address the proxy does not know: it is trusted with nothing. */
  readonly isClientUnknown?: boolean;
};

/**
 * The library's server, which makes our connections instead of its own, and reads the PROXY header by our rules.
 *
 * The library (3.21.6) knows version 1 only, and its list of proxies knows no networks.
 */
export class ConnectionServer extends SMTPServer {
  door: MailDoor | undefined;

  override connect(socket: Socket | TLSSocket, options?: ConnectionOptions | null): void {
    const connection = new MailConnection(this, socket, options, this.#builtDoor());
    this.connections.add(connection);
    connection.on("error", (error) => this.emit("error", error));
    connection.init();
  }

  /** Connections that wait for a PROXY header or a handshake end with their sockets. */
  destroyPending(): void {
    // The topmost socket: tearing a TLS wrap down from below in the middle of a handshake crashes Node.
    for (const socket of this._pendingSockets.values()) socket.destroy();
  }

  override _expectsProxyHeader(): boolean {
    return this.#builtDoor().settings.proxyRequired;
  }

  override _handleProxy(socket: Socket, callback: ProxyDone): void {
    const id = randomBytes(10).toString("hex");
    const door = this.#builtDoor();
    if (!door.settings.proxyRequired) return void setImmediate(() => callback(null, { id }));
    const refuse = (why: string) => {
      door.onTurnedAway(socket.remoteAddress ?? "", why);
      socket.on("error", () => undefined);
      socket.destroy();
      callback(new Error(why));
    };
    if (!door.isTrusted(socket.remoteAddress ?? "")) return refuse("its address is not in POSTHORN_TRUSTED_RELAYS");
    awaitProxyHeader(socket, PROXY_HEADER_MS, (header) => {
      switch (header.kind) {
        case "invalid":
          return refuse("it sent no PROXY header");
        case "client":
          return callback(null, { id, remoteAddress: header.address, remotePort: header.port });
        case "proxy-itself":
          return callback(null, { id });
        case "unknown-client":
          return callback(null, { id, isClientUnknown: true } as { id: string });
      }
    });
  }

  #builtDoor(): MailDoor {
    if (this.door === undefined) throw new Error("a connection before the door is built");
    return this.door;
  }
}
