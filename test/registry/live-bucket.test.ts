import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import { Kvm } from "@nats-io/kv";
import { afterAll, beforeAll, expect, test } from "vitest";

import { LiveBucket } from "../../src/registry/live-bucket.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { silentLog } from "../support/silent-log.ts";

let nats: NatsServer;
let client: Awaited<ReturnType<NatsServer["connect"]>>;
beforeAll(async () => {
  nats = await startNatsServer();
  client = await nats.connect();
});
afterAll(async () => {
  await client.close();
  await nats[Symbol.asyncDispose]();
});

/** Listed by hand, not by its clock. */
async function liveBucket(name: string) {
  const kvm = new Kvm(jetstream(client));
  const kv: KV = await kvm.create(name);
  const told: string[] = [];
  const bucket = new LiveBucket({
    name,
    open: () => kvm.create(name),
    onChange: (key, value) => told.push(`${key}=${value ?? "gone"}`),
    onReset: () => told.push("reset"),
    onListed: () => told.push("listed"),
    log: silentLog,
  });
  const taken = () => told.splice(0);
  return { kv, bucket, taken, [Symbol.dispose]: () => bucket.close() };
}

test("listed again, a bucket tells only what changed: who reads the view meanwhile misses nothing", async () => {
  using live = await liveBucket("changes");
  const { kv, bucket, taken } = live;
  await kv.put("a", "1");
  await kv.put("b", "1");
  await bucket.listAgain();
  expect(taken()).toEqual(["reset", "a=1", "b=1", "listed"]);
  await kv.put("b", "2");
  await kv.delete("a");
  await bucket.catchUp();
  expect(taken()).toEqual(["b=2", "a=gone"]);
  await bucket.listAgain();
  expect(taken()).toEqual([]);
  // The new watch goes on from there.
  await kv.put("c", "1");
  await bucket.catchUp();
  expect(taken()).toEqual(["c=1"]);
});

test("a bucket that lost an entry without a word is told anew, and so is one that was made anew", async () => {
  using live = await liveBucket("losses");
  const { kv, bucket, taken } = live;
  await kv.put("a", "1");
  await kv.put("b", "1");
  await bucket.listAgain();
  taken();
  const jsm = await jetstreamManager(client);
  await jsm.streams.purge("KV_losses", { filter: "$KV.losses.a" });
  await bucket.listAgain();
  expect(taken()).toEqual(["reset", "b=1", "listed"]);
  await kv.destroy();
  const again = await new Kvm(jetstream(client)).create("losses");
  await again.put("b", "2");
  await bucket.listAgain();
  expect(taken()).toEqual(["reset", "b=2", "listed"]);
  await jsm.streams.purge("KV_losses");
  await bucket.listAgain();
  expect(taken()).toEqual(["reset", "listed"]);
});
