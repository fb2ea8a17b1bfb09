import { once } from "node:events";
import type { Socket } from "node:net";
import { BlockList, connect } from "node:net";
import { gzipSync } from "node:zlib";

import { afterEach, expect, test } from "vitest";

import { Budget } from "../../../src/lib/budget.ts";
import type { Hook } from "../../../src/model/hook.ts";
import type { EventId } from "../../../src/model/outcome.ts";
import type { ReceivedRequest } from "../../../src/model/request.ts";
import { HttpDoor } from "../../../src/receive/http/door.ts";
import type { HttpDoorServices, RefusedRequest } from "../../../src/receive/http/services.ts";
import { converse, requestText } from "../../support/raw-http.ts";

// The door alone, over real sockets, with the functions that the daemon would give it: for what would take minutes with
// the daemon's own patience.

const HOOK = {
  hookId: "0123456789abcdefghjkmnpqr0",
  app: "shop",
  eventName: "kustomer.app.shop.form",
  type: "form",
  state: "enabled",
  options: { honeypot: "_gotcha" },
} as unknown as Hook;
const PATH = `/v1/hooks/form/${HOOK.hookId}`;
const ID = "0123456789abcdefghjkmnpqrs" as EventId;
const JSON_TYPE = "Content-Type: application/json";

interface OpenDoor {
  readonly address: string;
  readonly door: HttpDoor;
  readonly delivered: ReceivedRequest[];
  readonly refused: RefusedRequest[];
  readonly unheard: EventId[];
  readonly faults: string[];
  readonly inFlight: Budget;
}

const opened: HttpDoor[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((door) => door.close(100)));
});

async function openDoor(services: Partial<HttpDoorServices> = {}, inFlightBytes = 1_000_000): Promise<OpenDoor> {
  const state = {
    delivered: [] as ReceivedRequest[],
    refused: [] as RefusedRequest[],
    unheard: [] as EventId[],
    faults: [] as string[],
  };
  const inFlight = new Budget(inFlightBytes);
  const door = new HttpDoor(
    {
      publicUrl: "http://localhost:8080",
      trustedProxies: new BlockList(),
      maxBodyBytes: 100_000,
      maxUploadBytes: 100_000,
      maxHeaderBytes: 16_384,
      idleMs: 300,
      headersTimeoutMs: 300,
      requestTimeoutMs: 60_000,
      keepAliveMs: 60_000,
      maxConnections: 5,
    },
    {
      hookById: () => ({ kind: "hook", hook: HOOK }),
      authorize: async () => undefined,
      handshake: () => undefined,
      handshakeMethods: () => [],
      isHandshakeInBody: () => false,
      countRate: () => [],
      deliver: async (request) => {
        state.delivered.push(request);
        return { outcome: { kind: "stored", eventId: ID, duplicate: false } };
      },
      whyNotNow: () => undefined,
      onUnheard: (ids) => state.unheard.push(...ids),
      onRefusal: (refused) => state.refused.push(refused),
      onFault: (sentence) => state.faults.push(sentence),
      inFlight,
      ...services,
    },
  );
  opened.push(door);
  const { port } = await door.listen({ host: "127.0.0.1", port: 0 });
  return { address: `127.0.0.1:${port}`, door, inFlight, ...state };
}

function dial({ address }: OpenDoor): Socket {
  return connect({ host: "127.0.0.1", port: Number(address.split(":")[1]) }).setEncoding("latin1");
}

async function wholeOf(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

const goodPost = requestText("POST", PATH, [JSON_TYPE], "{}");

test("a head that never ends is cut off, while others are served", async () => {
  const open = await openDoor();
  const slow = dial(open);
  slow.write(`POST ${PATH} HTTP/1.1\r\nHost: h\r\nX-A: `);
  const [other] = await converse(open.address, goodPost);
  expect(other?.status).toBe(202);
  expect(await wholeOf(slow)).toMatch(/^HTTP\/1\.1 503 .*Connection: close/s);
  expect(open.refused.map(({ cause }) => cause)).toEqual(["idle"]);
});

test("a body that stops is cut off and gives its bytes back", async () => {
  const open = await openDoor();
  const slow = dial(open);
  slow.write(`POST ${PATH} HTTP/1.1\r\nHost: h\r\n${JSON_TYPE}\r\nContent-Length: 70000\r\n\r\n${" ".repeat(2_000)}`);
  expect(await wholeOf(slow)).toMatch(/^HTTP\/1\.1 503 /);
  expect([open.inFlight.used, open.delivered.length]).toEqual([0, 0]);
});

test("a sender that goes away in the middle costs nothing and is not delivered", async () => {
  const open = await openDoor();
  const gone = dial(open);
  gone.write(`POST ${PATH} HTTP/1.1\r\nHost: h\r\n${JSON_TYPE}\r\nContent-Length: 70000\r\n\r\n${" ".repeat(2_000)}`);
  await expect.poll(() => open.inFlight.used).toBeGreaterThan(0);
  gone.destroy();
  await expect.poll(() => open.inFlight.used).toBe(0);
  expect(open.delivered).toEqual([]);
});

test("what was stored for a sender that left before its answer is remembered", async () => {
  const { promise: ack, resolve: acknowledge } = Promise.withResolvers<void>();
  const open = await openDoor({
    deliver: async () => {
      await ack;
      return { outcome: { kind: "stored", eventId: ID, duplicate: false } };
    },
  });
  const gone = dial(open);
  gone.write(goodPost);
  await expect.poll(() => open.inFlight.used).toBeGreaterThan(0);
  gone.resetAndDestroy();
  // The reset is read before a connection that came after it is answered.
  const [after] = await converse(open.address, requestText("GET", "/", []));
  expect(after?.status).toBe(404);
  acknowledge();
  await expect.poll(() => open.unheard).toEqual([ID]);
});

test("while the ack is held back nothing is answered, and closing waits for it", async () => {
  const { promise: ack, resolve: acknowledge } = Promise.withResolvers<void>();
  const open = await openDoor({
    deliver: async () => {
      await ack;
      return { outcome: { kind: "stored", eventId: ID, duplicate: false } };
    },
  });
  const waiting = dial(open);
  let text = "";
  waiting.on("data", (chunk: string) => (text += chunk));
  waiting.write(goodPost);
  await expect.poll(() => open.inFlight.used).toBeGreaterThan(0);
  const closed = open.door.close(20_000);
  expect(text).toBe("");
  acknowledge();
  await closed;
  await expect.poll(() => text).toMatch(/^HTTP\/1\.1 202 .*connection: close/is);
  const late = dial(open);
  await expect(once(late, "connect")).rejects.toThrow("ECONNREFUSED");
});

test("when too many bytes are in memory, the next body hears 503", async () => {
  const open = await openDoor({}, 1_000);
  const [answer] = await converse(open.address, requestText("POST", PATH, [JSON_TYPE], `"${"x".repeat(1_500)}"`));
  expect([answer?.status, answer?.headers["retry-after"], open.inFlight.used]).toEqual([503, "5", 0]);
});

test("a fault of ours is 503, is noted, and says nothing of itself", async () => {
  const open = await openDoor({
    deliver: async () => {
      throw new Error("a secret detail");
    },
  });
  const [answer] = await converse(open.address, goodPost);
  expect([answer?.status, answer?.body.includes("secret"), open.faults.length]).toEqual([503, false, 1]);
  expect(open.inFlight.used).toBe(0);
});

test("what comes out of a packed body counts before it is unpacked", async () => {
  const open = await openDoor({}, 50_000);
  const packed = gzipSync("{}").toString("latin1");
  const [answer] = await converse(
    open.address,
    requestText("POST", PATH, [JSON_TYPE, "Content-Encoding: gzip"], packed),
  );
  expect([answer?.status, open.inFlight.used]).toEqual([503, 0]);
});

test("connections over the limit are closed, and one that ends makes room", async () => {
  const open = await openDoor();
  const idle = Array.from({ length: 5 }, () => dial(open));
  await Promise.all(idle.map((socket) => once(socket, "connect")));
  const sixth = dial(open);
  expect(await wholeOf(sixth).catch(() => "")).toBe("");
  for (const socket of idle) socket.destroy();
  await expect.poll(async () => (await converse(open.address, goodPost).catch(() => []))[0]?.status).toBe(202);
});
