import { expect, test } from "vitest";

import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { startNatsServer } from "../support/nats-server.ts";

const REQUESTS = 300;
const CLIENTS = 12;
const PAUSE_MS = 50;

test("every 202 is in the stream once, although NATS is killed twice in between and every refused request is sent again", async () => {
  await using nats = await startNatsServer();
  await using posthorn = await startTestDaemon(nats);
  const [hook] = await posthorn.install([{ eventName: "kustomer.app.shop.parcel", type: "web" }]);
  const { key } = await posthorn.daemon.storage.keys.create({ app: "shop", expires: null }, Date.now());
  const url = `http://${posthorn.daemon.http.address}/v1/hooks/web/${hook?.hookId}`;
  const ledger = new Map<number, string>();
  let refusals = 0;
  let next = 0;
  const client = async () => {
    while (next < REQUESTS) {
      const n = next;
      next += 1;
      for (;;) {
        const headers = { "x-api-key": key, "idempotency-key": `k${n}`, "content-type": "application/json" };
        const response = await fetch(url, { method: "POST", body: `{"n":${n}}`, headers });
        const answer = (await response.json()) as { id: string };
        if (response.status === 202) {
          ledger.set(n, answer.id);
          break;
        }
        expect(response.status).toBe(503);
        refusals += 1;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  // Both kills fall into the middle of the work, however slow the machine is.
  for (const part of [0.2, 0.6]) {
    while (ledger.size < REQUESTS * part) await new Promise((resolve) => setTimeout(resolve, 5));
    const before = refusals;
    await nats.kill();
    while (refusals === before) await new Promise((resolve) => setTimeout(resolve, 5));
    await nats.start();
  }
  await Promise.all(clients);
  const ids = (await storedIn(posthorn, "POSTHORN_EVENTS")).map(({ headers }) => headers["Nats-Msg-Id"]);
  expect(ledger.size).toBe(REQUESTS);
  expect(refusals).toBeGreaterThan(1);
  expect(ids).toHaveLength(REQUESTS);
  expect(new Set(ids)).toEqual(new Set(ledger.values()));
}, 120_000);
