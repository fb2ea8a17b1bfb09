import { readAppDefinition } from "../../src/registry/app-definition.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon } from "../support/daemon.ts";
import { startNatsServer } from "../support/nats-server.ts";

// How long the administrator's page takes with many hooks and events: `node test/bench/admin-page.ts [EVENTS] [HOOKS]`.
// Prints milliseconds of each view, the median of five, from request to last byte; a second is too long.

const TOKEN = "a-token-for-the-bench";
const [events = 1_000_000, hooks = 10_000] = process.argv.slice(2).map(Number);
const HOOKS_PER_APP = 250;
const FLUSH_EVERY = 2_000;
const ROUNDS = 5;
const RARE_EVERY = 100_000;

await using nats = await startNatsServer();
await using posthorn = await startTestDaemon(nats, { POSTHORN_ADMIN_TOKEN: TOKEN });
await timed("install", () => installMany(posthorn));
await timed("store", () => storeMany(posthorn));
const rare = "kustomer.app.app0.rare";
for (const path of [
  "/",
  `/?page=${Math.floor(hooks / 50)}`,
  "/?q=hook+9",
  "/hooks/kustomer.app.app0.h0",
  "/events",
  `/events?before=${Math.floor(events / 2)}`,
  `/events?hook=${rare}`,
  "/events?app=app3",
  "/events?q=number+5",
  "/events?q=nothing-like-it",
  "/dead-letters",
  "/health",
]) {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = performance.now();
    const response = await fetch(`http://${posthorn.daemon.admin.address}${path}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    await response.text();
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  console.log(`${String(Math.round(times[2] ?? 0)).padStart(6)} ms  ${path}`);
}

async function timed(name: string, work: () => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  await work();
  console.log(`${name}: ${Math.round((performance.now() - startedAt) / 1_000)} s`);
}

async function installMany(daemon: TestDaemon): Promise<void> {
  for (let first = 0; first < hooks; first += HOOKS_PER_APP) {
    const app = `app${first / HOOKS_PER_APP}`;
    const definition = {
      app,
      version: "1",
      title: `App ${first / HOOKS_PER_APP}`,
      hooks: Array.from({ length: HOOKS_PER_APP }, (_, index) => ({
        eventName: `kustomer.app.${app}.h${first + index}`,
        displayEventName: `Hook ${first + index}`,
        type: "email",
      })),
    };
    const reading = readAppDefinition(JSON.stringify(definition), app, { isKvAllowed: false });
    if (reading.kind === "invalid") throw new Error(JSON.stringify(reading.problems));
    await daemon.daemon.storage.registry.install(reading.definition);
  }
}

/** Without waiting for acks: how fast events are stored is measured elsewhere. */
async function storeMany(daemon: TestDaemon): Promise<void> {
  const { nats: connected, jsm } = daemon.daemon.storage;
  for (let number = 0; number < events; number += 1) {
    const name = number % RARE_EVERY === 1 ? "rare" : `h${number % 200}`;
    connected.connection.publish(`kustomer.app.app0.${name}`, eventText(number, name));
    if (number % FLUSH_EVERY === 0) await connected.connection.flush();
  }
  while ((await jsm.streams.info("POSTHORN_EVENTS")).state.messages < events)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

function eventText(number: number, name: string): string {
  return JSON.stringify({
    specversion: "1.0",
    id: `e${number}`,
    type: `kustomer.app.app0.${name}`,
    time: new Date().toISOString(),
    hooktype: "email",
    data: {
      payload: { "@type": "Order", orderNumber: `number ${number}`, lines: [{ sku: "A-1" }, { sku: "B-2" }] },
      mail: { from: { address: "orders@shop.example" }, subject: `Your order ${number}`, text: "x".repeat(300) },
    },
  });
}
