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
  // `consumerless` stands for a client of a cluster that can place no consumer anywhere.
  nats = await startNatsServer({
    config: `jetstream { store_dir: "$FOLDER" }
authorization { users [
  { user: all, password: all }
  { user: consumerless, password: consumerless, permissions: { publish: { allow: [">"], deny: ["$JS.API.CONSUMER.>"] } } }
] }`,
  });
  client = await nats.connect("all");
});
afterAll(async () => {
  await client.close();
  await nats[Symbol.asyncDispose]();
});

/** Listed by hand, not by its clock. */
async function liveBucket(name: string, from = client) {
  const kvm = new Kvm(jetstream(from));
  const jsm = await jetstreamManager(from);
  const kv: KV = await kvm.create(name);
  const told: string[] = [];
  const bucket = new LiveBucket({
    name,
    open: async () => ({ kv: await kvm.create(name), jsm }),
    onChange: (key, value) => told.push(`${key}=${value ?? "gone"}`),
    onReset: () => told.push("reset"),
    onListed: () => told.push("listed"),
    log: silentLog,
  });
  const taken = () => told.splice(0);
  return { kv, bucket, taken, [Symbol.asyncDispose]: () => bucket.close() };
}

test("listed again, a bucket tells only what changed: who reads the view meanwhile misses nothing", async () => {
  await using live = await liveBucket("changes");
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
  await using live = await liveBucket("losses");
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

test("a bucket is read and followed where no consumer can be had", async () => {
  const other = await nats.connect("consumerless");
  await using live = await liveBucket("unwatched", other);
  const { bucket, taken } = live;
  const kv = await new Kvm(jetstream(client)).create("unwatched");
  await kv.put("a", "1");
  await kv.put("b", "1");
  await kv.delete("a");
  await bucket.start();
  expect(taken()).toEqual(["reset", "a=gone", "b=1", "listed"]);
  const toldSince = Date.now();
  await kv.put("b", "2");
  await kv.put("c", "1");
  await kv.purge("b");
  const changes: string[] = [];
  const soFar = () => changes.push(...taken()) && changes;
  await expect.poll(soFar, { interval: 10 }).toEqual(expect.arrayContaining(["c=1", "b=gone"]));
  expect(Date.now() - toldSince).toBeLessThan(1_000);
  await kv.put("c", "2");
  await bucket.catchUp();
  expect(taken()).toEqual(["c=2"]);
  await other.close();
});

test("a bucket of many keys is read whole, with a consumer and without", async () => {
  const keys = Array.from({ length: 2_500 }, (_, number) => `key.${number}`);
  const kv = await new Kvm(jetstream(client)).create("many");
  for (let from = 0; from < keys.length; from += 500)
    await Promise.all(keys.slice(from, from + 500).map((key) => kv.put(key, "1")));
  await kv.put("key.7", "2");
  const expected = ["listed", "reset", ...keys.map((key) => `${key}=${key === "key.7" ? 2 : 1}`)];
  for (const user of ["all", "consumerless"]) {
    const from = await nats.connect(user);
    await using live = await liveBucket("many", from);
    await live.bucket.listAgain();
    expect(live.taken().toSorted()).toEqual(expected.toSorted());
    await from.close();
  }
});
