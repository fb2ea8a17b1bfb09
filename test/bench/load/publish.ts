import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers } from "@nats-io/transport-node";

/** What one run is asked to do: nothing but publishes, so many in flight, of one size. */
export interface PublishLoad {
  readonly natsUrl: string;
  readonly inFlight: number;
  readonly bytes: number;
  readonly forMs?: number;
  readonly messages?: number;
  /** To fill a stream: without an ack for each, sent again until the stream holds so many more. */
  readonly inBulk?: true;
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
const SUBJECT = "kustomer.app.shop.bench";
const STREAM = "POSTHORN_EVENTS";
const BULK = 2_000;
const startedAt = performance.now();
const times = load.inBulk === true ? await fill(load.messages ?? 0) : await publishEach();
const seconds = (performance.now() - startedAt) / 1_000;
times.sort((a, b) => a - b);
const result: PublishLoadResult = {
  messages: times.length,
  messagesPerSecond: times.length / seconds,
  medianMs: times[times.length >> 1] ?? 0,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
await nats.close();

/** How long each publish took until its ack, in milliseconds. */
async function publishEach(): Promise<number[]> {
  const took: number[] = [];
  const endsAt = startedAt + (load.forMs ?? Number.POSITIVE_INFINITY);
  let left = load.messages ?? Number.POSITIVE_INFINITY;
  let number = load.firstNumber;
  await Promise.all(
    Array.from({ length: load.inFlight }, async () => {
      while (performance.now() < endsAt && left-- > 0) {
        const sentAt = performance.now();
        number += 1;
        await js.publish(SUBJECT, payload, { msgID: `bench-${number}`, expect: { streamName: STREAM } });
        took.push(performance.now() - sentAt);
      }
    }),
  );
  return took;
}

/** Every message with an id, as events have one, so that the server remembers as many; of each 2,000 the last is acknowledged. */
async function fill(messages: number): Promise<number[]> {
  const took: number[] = [];
  const { streams } = await jetstreamManager(nats);
  const storedNow = async () => (await streams.info(STREAM)).state.messages;
  const wanted = (await storedNow()) + messages;
  let number = load.firstNumber;
  for (let missing = messages; missing > 0; missing = wanted - (await storedNow())) {
    while (missing > 0) {
      const sentAt = performance.now();
      const count = Math.min(BULK, missing);
      for (let at = 1; at < count; at += 1) {
        const fields = headers();
        fields.set("Nats-Msg-Id", `bench-${(number += 1)}`);
        nats.publish(SUBJECT, payload, { headers: fields });
      }
      await js.publish(SUBJECT, payload, { msgID: `bench-${(number += 1)}`, timeout: 60_000 });
      missing -= count;
      took.push(performance.now() - sentAt);
    }
  }
  return took;
}
