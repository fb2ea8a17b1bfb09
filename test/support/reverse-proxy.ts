import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** A reverse proxy in front of something whose address is known later; it hands Host on, as a proxy should. */
export interface ReverseProxy extends AsyncDisposable {
  readonly url: string;
  to: string;
}

export async function startReverseProxy(): Promise<ReverseProxy> {
  const proxy = { url: "", to: "" };
  const server = createServer((incoming, outgoing) => {
    const { method, headers, url } = incoming;
    const onward = request(`${proxy.to}${url}`, { headers, ...(method !== undefined && { method }) }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy.url = `http://posthorn.localhost:${(server.address() as AddressInfo).port}`;
  return Object.assign(proxy, {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}
