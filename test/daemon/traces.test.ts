import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { CollectedSpan, OtlpCollector } from "../support/otlp-collector.ts";
import { startOtlpCollector } from "../support/otlp-collector.ts";

const EVENTS = "POSTHORN_EVENTS";
const SERVER = 2;
const PRODUCER = 4;

let nats: NatsServer;
let collector: OtlpCollector;
let posthorn: TestDaemon;
let origin: string;
let key: string;
beforeAll(async () => {
  nats = await startNatsServer();
  collector = await startOtlpCollector();
  posthorn = await startTestDaemon(nats, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: "api-key=k%20y, x-scope=posthorn",
  });
  origin = `http://${posthorn.daemon.http.address}`;
  ({ key } = await posthorn.daemon.storage.keys.create({ app: "shop", expires: null }, Date.now()));
});
beforeEach(() => {
  collector.status = 200;
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await collector[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const lastEvent = async (daemon = posthorn) =>
  JSON.parse((await storedIn(daemon, EVENTS)).at(-1)?.text ?? "") as { id: string; traceparent: string };

/** The spans of the trace that the event names, once so many have arrived. */
async function traceOf(traceparent: string, count: number): Promise<CollectedSpan[]> {
  const [, traceId] = traceparent.split("-");
  const found = () => collector.spans.filter((span) => span.traceId === traceId);
  await expect.poll(() => found().length).toBe(count);
  return found();
}

async function post(headers: Record<string, string>): Promise<number> {
  const [hook] = await posthorn.install([{ eventName: "kustomer.app.shop.paid", type: "web" }]);
  return (
    await fetch(`${origin}/v1/hooks/web/${hook?.hookId}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": key, ...headers },
      body: '{"paid":1.10}',
    })
  ).status;
}

test("a mail is one trace from RCPT to ack, and the event names the span of its own publish", async () => {
  const hook = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  const startedAt = Date.now();
  expect(await relay.say("MAIL FROM:<a@b.example>")).toMatch(/^250 /);
  expect(await relay.say(`RCPT TO:<${hook.address}>`)).toMatch(/^250 /);
  const askedBy = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await relay.data('Content-Type: application/json\r\n\r\n{"order":1}\r\n')).toMatch(/^250 /);
  const endedAt = Date.now();

  const event = await lastEvent();
  expect(event.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  const spans = await traceOf(event.traceparent, 3);
  const root = spans.find(({ name }) => name === "smtp mail");
  const publish = spans.find(({ name }) => name === "publish");
  const parse = spans.find(({ name }) => name === "parse");
  expect(root).toMatchObject({
    kind: SERVER,
    attributes: { "service.name": "posthorn", "posthorn.outcome": "stored" },
  });
  expect(root).not.toHaveProperty("parentSpanId");
  expect(parse).toMatchObject({ parentSpanId: root?.spanId, attributes: { "posthorn.result": "planned" } });
  expect(publish).toMatchObject({
    kind: PRODUCER,
    parentSpanId: root?.spanId,
    spanId: event.traceparent.split("-")[2],
    status: {},
    attributes: { "messaging.destination.name": hook.eventName, "messaging.message.id": event.id },
  });
  const milliseconds = (nanos: string | undefined) => Number(BigInt(nanos ?? 0) / 1_000_000n);
  expect(milliseconds(root?.startTimeUnixNano)).toBeGreaterThanOrEqual(startedAt);
  expect(milliseconds(root?.startTimeUnixNano)).toBeLessThanOrEqual(askedBy);
  expect(milliseconds(publish?.startTimeUnixNano)).toBeGreaterThan(askedBy);
  // Rounded to the millisecond below, and the clock of the trace has fractions.
  expect(milliseconds(root?.endTimeUnixNano)).toBeLessThanOrEqual(endedAt + 1);
  expect(collector.requests[0]).toEqual({ path: "/v1/traces", contentType: "application/json", apiKey: "k y" });
  // A hook's id is its only secret.
  expect(JSON.stringify(collector.spans)).not.toContain(hook.hookId);
});

test("a web hook goes on with the trace that its sender began", async () => {
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  expect(await post({ traceparent: `00-${traceId}-00f067aa0ba902b7-01` })).toBe(202);
  const event = await lastEvent();
  const spans = await traceOf(event.traceparent, 2);
  const root = spans.find(({ name }) => name === "POST web hook");
  expect(root).toMatchObject({ traceId, kind: SERVER, parentSpanId: "00f067aa0ba902b7" });
  expect(spans.find(({ name }) => name === "publish")).toMatchObject({ traceId, parentSpanId: root?.spanId });
  expect(event.traceparent).toBe(`00-${traceId}-${spans.find(({ name }) => name === "publish")?.spanId}-01`);
});

test("what the sender does not record is not recorded here, and what is no traceparent begins a new one", async () => {
  const traceId = "11111111111111111111111111111111";
  expect(await post({ traceparent: `00-${traceId}-00f067aa0ba902b7-00` })).toBe(202);
  expect((await lastEvent()).traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
  expect(await post({ traceparent: "00-not-a-trace" })).toBe(202);
  await traceOf((await lastEvent()).traceparent, 2);
  expect(collector.spans.filter((span) => span.traceId === traceId)).toEqual([]);
});

test("a collector that is broken holds nobody up, and gets what waited once it works", async () => {
  collector.status = 503;
  const before = collector.requests.length;
  expect(await post({})).toBe(202);
  const { traceparent } = await lastEvent();
  await expect.poll(() => collector.requests.length).toBeGreaterThan(before);
  expect(await post({})).toBe(202);
  collector.status = 200;
  await traceOf(traceparent, 2);
});

test("more spans than the queue holds are dropped and counted, never waited for", async () => {
  const { SpanExport } = await import("../../src/telemetry/span-export.ts");
  const fates = { sent: 0, dropped: 0 };
  const troubles: unknown[] = [];
  const spans = new SpanExport({
    // Nobody listens there.
    endpoint: "http://127.0.0.1:1",
    headers: {},
    resource: {},
    onFate: (fate, count) => (fates[fate] += count),
    onTrouble: (trouble) => troubles.push(trouble),
    onRecovery: () => undefined,
  });
  const span = { traceId: "1", spanId: "2", parentSpanId: undefined, name: "n", kind: "internal", startMs: 1 } as const;
  for (let i = 0; i < 5_000; i += 1) spans.add({ ...span, endMs: 2, attributes: {}, hasFailed: false });
  expect(fates).toEqual({ sent: 0, dropped: 5_000 - 4_096 });
  await spans[Symbol.asyncDispose]();
  expect(fates).toEqual({ sent: 0, dropped: 5_000 });
  expect(troubles).toHaveLength(1);
});

test("without OTEL_EXPORTER_OTLP_ENDPOINT the sender's traceparent is passed on as it came, and nothing is sent", async () => {
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-01";
  const plain = await startTestDaemon(nats, {});
  const [hook] = await plain.install([{ eventName: "kustomer.app.plain.form", type: "form" }], "plain");
  const url = `http://${plain.daemon.http.address}/v1/hooks/form/${hook?.hookId}`;
  const body = new URLSearchParams({ a: "1" });
  expect((await fetch(url, { method: "POST", headers: { traceparent }, body })).status).toBe(202);
  expect((await lastEvent(plain)).traceparent).toBe(traceparent);
  // What a daemon has recorded it sends before it ends.
  await plain[Symbol.asyncDispose]();
  expect(collector.spans.filter(({ traceId }) => traceparent.includes(traceId))).toEqual([]);
});
