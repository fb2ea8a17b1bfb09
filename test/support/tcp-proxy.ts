import { createServer, connect } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

/**
 * A TCP proxy in front of a server, which can hold what the server says, be slow in both directions, or cut.
 *
 * While replies are held the requests go through: the server does its work, and nobody hears of it.
 */
export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<{ readonly client: Socket; readonly upstream: Socket; readonly held: Buffer[] }>();
  #holding = false;
  #heldBytes = 0;
  #closed = false;
  /** Every piece waits so long, in each direction. */
  delayMs = 0;
  /** New connections are closed at once. */
  refusing = false;

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#server = createServer((client) => {
      if (this.refusing) return client.destroy();
      const upstream = connect(target);
      const pair = { client, upstream, held: [] as Buffer[] };
      this.#pairs.add(pair);
      client.on("data", (bytes: Buffer) => this.#later(() => upstream.write(bytes)));
      upstream.on("data", (bytes: Buffer) =>
        this.#later(() => {
          if (!this.#holding) return client.write(bytes);
          this.#heldBytes += bytes.length;
          return pair.held.push(bytes);
        }),
      );
      const end = () => {
        client.destroy();
        upstream.destroy();
        this.#pairs.delete(pair);
      };
      for (const socket of [client, upstream]) socket.on("error", end).on("close", end);
      return pair;
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Bytes that the server has said and nobody has heard. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  /** From now on nothing that the server says gets through. */
  holdReplies(): void {
    this.#holding = true;
  }

  /** What was held gets through in order, and what comes after it. */
  releaseReplies(): void {
    this.#holding = false;
    this.#heldBytes = 0;
    for (const { client, held } of this.#pairs) for (const bytes of held.splice(0)) client.write(bytes);
  }

  /** Breaks every connection; held replies are lost for good. */
  cut(): void {
    this.#holding = false;
    this.#heldBytes = 0;
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
    this.#pairs.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #later(act: () => unknown): void {
    if (this.delayMs === 0) act();
    else
      setTimeout(() => {
        if (!this.#closed) act();
      }, this.delayMs);
  }
}

/** A proxy on a free port in front of `port` on this machine. */
export function startTcpProxy(port: number): Promise<TcpProxy> {
  return new TcpProxy({ host: "127.0.0.1", port }).listen();
}
