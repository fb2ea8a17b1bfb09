import { connect } from "node:net";

/** What one run of the generator is asked to do. */
export interface HttpLoad {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  /** More header lines, each with its CRLF. */
  readonly headers: string;
  readonly forMs: number;
  readonly requests?: number;
}

export interface HttpLoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly medianMs: number;
  readonly failed: number;
  readonly firstFailure: string;
}

const HEAD_END = Buffer.from("\r\n\r\n");
const LENGTH = Buffer.from("ontent-length: ");

/** An order as a shop sends it, about 2 KB. */
const BODY = JSON.stringify({
  id: "order-4711",
  total: 129.9,
  currency: "EUR",
  customer: { name: "Ada Example", email: "ada@customer.example" },
  lines: Array.from({ length: 14 }, (_, line) => ({
    sku: `SHOE-${line}`,
    title: `Walking shoe, size ${30 + line}, with a sole that does not slip on wet stone`,
    quantity: 1,
    price: 43.3,
  })),
});

// A process of its own that sends the same prepared bytes on every connection and only counts what comes back.
const load = JSON.parse(process.argv[2] ?? "") as HttpLoad;
const request = Buffer.from(
  `POST ${load.path} HTTP/1.1\r\nHost: 127.0.0.1:${load.port}\r\nContent-Type: application/json\r\n${load.headers}` +
    `Content-Length: ${Buffer.byteLength(BODY)}\r\n\r\n${BODY}`,
);
process.stdout.write(`${JSON.stringify(await run())}\n`);

async function run(): Promise<HttpLoadResult> {
  const times: number[] = [];
  const failures: string[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + load.forMs;
  let left = load.requests ?? Number.POSITIVE_INFINITY;
  const mayGoOn = () => performance.now() < endsAt && left-- > 0;
  await Promise.all(Array.from({ length: load.connections }, () => connection(mayGoOn, times, failures)));
  const seconds = (performance.now() - startedAt) / 1_000;
  const sorted = Float64Array.from(times).toSorted();
  return {
    requests: times.length,
    requestsPerSecond: times.length / seconds,
    medianMs: sorted[sorted.length >> 1] ?? 0,
    failed: failures.length,
    firstFailure: failures[0] ?? "",
  };
}

/** One request after the other; a response ends when as many bytes came as its head says. */
function connection(mayGoOn: () => boolean, times: number[], failures: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(load.port, "127.0.0.1");
    socket.setNoDelay(true);
    let sentAt = 0;
    let held: Buffer = Buffer.alloc(0);
    const send = () => {
      if (!mayGoOn()) return void socket.end();
      sentAt = performance.now();
      socket.write(request);
    };
    socket.on("connect", send);
    socket.on("data", (chunk: Buffer) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const headEnd = held.indexOf(HEAD_END);
      if (headEnd < 0) return;
      const lengthAt = held.indexOf(LENGTH) + LENGTH.length;
      const length = Number.parseInt(held.toString("latin1", lengthAt, lengthAt + 12), 10);
      if (held.length < headEnd + HEAD_END.length + length) return;
      times.push(performance.now() - sentAt);
      // "HTTP/1.1 2": the tenth character tells success.
      if (held[9] !== 50) failures.push(held.toString("latin1", 0, 400));
      held = Buffer.alloc(0);
      send();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve());
  });
}
