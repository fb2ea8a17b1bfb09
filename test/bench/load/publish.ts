import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

/** What one run is asked to do: nothing but publishes, so many in flight, of one size. */
export interface PublishLoad {
  readonly natsUrl: string;
  readonly inFlight: number;
  readonly bytes: number;
  readonly forMs?: number;
  readonly messages?: number;
  readonly firstNumber: number;
}

export interface PublishLoadResult {
  readonly messages: number;
  readonly messagesPerSecond: number;
  readonly medianMs: number;
}

// What `nats bench` does: the rate that publishing with acks reaches alone.
const load = JSON.parse(process.argv[2] ?? "") as PublishLoad;
const nats = await connect({ servers: load.natsUrl, noAsyncTraces: true });
const js = jetstream(nats);
const payload = Buffer.alloc(load.bytes, "a");
const times: number[] = [];
const startedAt = performance.now();
const endsAt = startedAt + (load.forMs ?? Number.POSITIVE_INFINITY);
let left = load.messages ?? Number.POSITIVE_INFINITY;
let number = load.firstNumber;
await Promise.all(
  Array.from({ length: load.inFlight }, async () => {
    while (performance.now() < endsAt && left-- > 0) {
      const sentAt = performance.now();
      number += 1;
      await js.publish("kustomer.app.shop.bench", payload, {
        msgID: `bench-${number}`,
        expect: { streamName: "POSTHORN_EVENTS" },
      });
      times.push(performance.now() - sentAt);
    }
  }),
);
const seconds = (performance.now() - startedAt) / 1_000;
times.sort((a, b) => a - b);
const result: PublishLoadResult = {
  messages: times.length,
  messagesPerSecond: times.length / seconds,
  medianMs: times[times.length >> 1] ?? 0,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
await nats.close();
