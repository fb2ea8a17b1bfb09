import { freePort } from "./free-port.ts";
import type { NatsServer } from "./nats-server.ts";
import { startNatsServer } from "./nats-server.ts";

/** Three real servers that know each other; JetStream has a leader once two of them are there. */
export interface NatsCluster extends AsyncDisposable {
  readonly servers: readonly NatsServer[];
  /** All three addresses, joined by commas. */
  readonly url: string;
}

/** Starts a cluster of three; `extra` stands in each server's configuration, `$FOLDER` in it for the server's own folder. */
export async function startNatsCluster(extra = ""): Promise<NatsCluster> {
  await using stack = new AsyncDisposableStack();
  const ports = [await freePort(), await freePort(), await freePort()];
  const routes = ports.map((port) => `"nats-route://127.0.0.1:${port}"`).join(", ");
  const servers = await Promise.all(
    ports.map(async (port, index) =>
      stack.use(
        await startNatsServer({
          config: [
            `server_name: "n${index}"`,
            `jetstream { store_dir: "$FOLDER" }`,
            `cluster { name: "c", listen: "127.0.0.1:${port}", routes: [${routes}] }`,
            extra,
          ].join("\n"),
        }),
      ),
    ),
  );
  const owned = stack.move();
  return {
    servers,
    url: servers.map((server) => server.url).join(","),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
