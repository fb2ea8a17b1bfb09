import { once } from "node:events";
import type { Socket } from "node:net";
import { BlockList, connect } from "node:net";
import { gzipSync } from "node:zlib";

import { afterEach, expect, test } from "vitest";

import { Budget } from "../../../src/lib/budget.ts";
import type { Hook } from "../../../src/model/hook.ts";
import type { EventId } from "../../../src/model/outcome.ts";
import type { ReceivedRequest } from "../../../src/model/request.ts";
import { ClientLimits } from "../../../src/receive/client-limits.ts";
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

async function openDoor(
  services: Partial<HttpDoorServices> = {},
  inFlightBytes = 1_000_000,
  { connections, isKnownClient }: { connections: number; isKnownClient: (address: string) => boolean } = {
    connections: 50,
    isKnownClient: () => true,
  },
): Promise<OpenDoor> {
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
      limits: new ClientLimits({
        connections,
        mailsPerMinute: 1,
        bytesPerMinute: 1,
        unknownPerMinute: 1,
        processes: 1,
      }),
      isKnownClient,
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
      onAnswered: () => undefined,
      onFault: (sentence) => state.faults.push(sentence),
      inFlight,
      ...services,
    },
  );
  opened.push(door);
  const { port } = await door.listen({ host: "127.0.0.1", port: 0 });
  return { address: `127.0.0.1:${port}`, door, inFlight, ...state };
}

function dial({ address }: OpenDoor, localAddress = "127.0.0.1"): Socket {
  return connect({ host: "127.0.0.1", port: Number(address.split(":")[1]), localAddress }).setEncoding("latin1");
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

/** Many sockets of one client, in a row; each keeps what became of it. */
async function dialMany(open: OpenDoor, count: number, localAddress?: string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i += 1) {
    const socket = dial(open, localAddress).on("error", () => undefined);
    await once(socket, "connect");
    sockets.push(socket.resume());
  }
  return sockets;
}

const slowDelivery = () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const state = { begun: 0, finish: resolve };
  const deliver: HttpDoorServices["deliver"] = async () => {
    state.begun += 1;
    await promise;
    return { outcome: { kind: "stored", eventId: ID, duplicate: false } };
  };
  return Object.assign(state, { deliver });
};

test("one client that opens all connections there may be takes none from others, nor from itself", async () => {
  const open = await openDoor();
  const idle = await dialMany(open, 40);
  for (const from of ["127.0.0.1", "127.0.0.9"]) {
    const socket = dial(open, from);
    socket.write(goodPost.replace("\r\n", "\r\nConnection: close\r\n"));
    expect(await wholeOf(socket)).toMatch(/^HTTP\/1\.1 202 /);
  }
  expect(idle.filter(({ closed }) => !closed).length).toBeLessThan(5);
  for (const socket of idle) socket.destroy();
});

test("the connection that goes is an idle one of the client that has most, and the one that was idle for longest", async () => {
  const open = await openDoor();
  const [one] = await dialMany(open, 1, "127.0.0.9");
  const many = await dialMany(open, 4, "127.0.0.1");
  // The first of them was used since.
  many[0]?.pause();
  many[0]?.write(goodPost);
  await expect.poll(() => open.delivered.length).toBe(1);
  const [next] = await dialMany(open, 1, "127.0.1.1");
  await expect.poll(() => many.map(({ closed }) => closed)).toEqual([false, true, false, false]);
  expect([one?.closed, next?.closed]).toEqual([false, false]);
  for (const socket of [one, next, ...many]) socket?.destroy();
});

test("a request that is being answered is never cut off for a new connection, which hears 503 then", async () => {
  const slow = slowDelivery();
  const open = await openDoor({ deliver: slow.deliver });
  const busy = Array.from({ length: 5 }, () => converse(open.address, goodPost));
  await expect.poll(() => slow.begun).toBe(5);
  const answer = await wholeOf(dial(open));
  expect(answer).toMatch(/^HTTP\/1\.1 503 .*Connection: close.*Retry-After: \d+.*Too many connections/s);
  expect(open.refused.map(({ cause }) => cause)).toEqual(["too-many-connections"]);
  slow.finish();
  expect((await Promise.all(busy)).map(([one]) => one?.status)).toEqual([202, 202, 202, 202, 202]);
});

test("a stranger's address may have so many connections, its network twice as many, and a place that is left is free", async () => {
  const slow = slowDelivery();
  const open = await openDoor({ deliver: slow.deliver }, 1_000_000, {
    connections: 2,
    isKnownClient: (address) => address === "127.0.0.1",
  });
  const hangOn = (from: string) => {
    const socket = dial(open, from).on("error", () => undefined);
    socket.write(goodPost);
    return socket;
  };
  const strangers = ["127.0.2.1", "127.0.2.1"].map(hangOn);
  await expect.poll(() => slow.begun).toBe(2);
  expect(await wholeOf(dial(open, "127.0.2.1"))).toMatch(/^HTTP\/1\.1 503 /);
  const neighbours = ["127.0.2.2", "127.0.2.2"].map(hangOn);
  await expect.poll(() => slow.begun).toBe(4);
  expect(await wholeOf(dial(open, "127.0.2.3"))).toMatch(/^HTTP\/1\.1 503 /);
  const other = hangOn("127.0.3.1");
  await expect.poll(() => slow.begun).toBe(5);
  strangers[0]?.destroy();
  let again: Socket | undefined;
  await expect
    .poll(async () => {
      again?.destroy();
      again = hangOn("127.0.2.1");
      await new Promise((resolve) => setTimeout(resolve, 50));
      return slow.begun;
    })
    .toBe(6);
  slow.finish();
  for (const socket of [...strangers, ...neighbours, other, again]) socket?.destroy();
});
