import { Ajv2020 } from "ajv/dist/2020.js";
import { default as addFormats } from "ajv-formats";
import { CloudEvent, HTTP } from "cloudevents";
import { afterAll, beforeAll, expect, test } from "vitest";

import { EVENT_SCHEMA, eventSchemaOf } from "../../src/event/event-schema.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

// Events as they stand in the stream, held against the schema that we ship and against the CloudEvents SDK as an outside reader.

let nats: NatsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats);
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const mail = (number: number, more: readonly string[] = []) =>
  [
    `From: "Shop, the" <shop@example.org>`,
    "To: Orders <orders@hooks.example>, other@example.org",
    `Subject: =?utf-8?q?Bestellung_=E2=82=AC?=`,
    `Message-ID: <${number}@example.org>`,
    "Date: Tue, 24 Nov 2026 10:00:00 +0100",
    "In-Reply-To: <first@example.org>",
    "MIME-Version: 1.0",
    'Content-Type: multipart/mixed; boundary="b"',
    ...more,
    "",
    "--b",
    "Content-Type: text/plain; charset=utf-8",
    "",
    "Thanks.",
    "--b",
    "Content-Type: application/json",
    "Content-Disposition: attachment; filename=order.json",
    "",
    `{"order":${number},"price":1.10,"big":12345678901234567890}`,
    "--b--",
    "",
  ].join("\r\n");

async function eventOf(send: () => Promise<string>): Promise<{ text: string; event: Record<string, unknown> }> {
  const before = (await storedIn(posthorn, "POSTHORN_EVENTS")).length;
  expect(await send()).toMatch(/^250 2\.0\.0 /);
  const stored = await storedIn(posthorn, "POSTHORN_EVENTS");
  expect(stored).toHaveLength(before + 1);
  const text = stored.at(-1)?.text ?? "";
  return { text, event: JSON.parse(text) as Record<string, unknown> };
}

function expectValid(schema: object, event: unknown): void {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: false });
  addFormats.default(ajv);
  const validate = ajv.compile(schema);
  expect(validate(event), JSON.stringify(validate.errors)).toBe(true);
}

/** The CloudEvents SDK reads it without complaint and finds what we wrote. */
function expectCloudEvent(text: string, event: Record<string, unknown>): void {
  const read = HTTP.toEvent({ headers: { "content-type": "application/cloudevents+json" }, body: text });
  if (Array.isArray(read) || !(read instanceof CloudEvent)) throw new Error("the SDK read no single event");
  expect(read.validate()).toBe(true);
  for (const name of ["id", "source", "type", "subject", "app", "hooktype", "traceparent", "datacontenttype"])
    expect(read[name]).toEqual(event[name]);
}

test("the event of a mail meets the shipped schema and is a CloudEvent to others", async () => {
  const hook = await posthorn.emailHook({
    include: ["text", "html", "headers"],
    schema: { type: "object", required: ["order"] },
  });
  using relay = await posthorn.connectRelay();
  const { text, event } = await eventOf(() => relay.send({ to: `${hook.hookId}+vip@localhost`, mail: mail(1) }));
  expectValid(EVENT_SCHEMA, event);
  expectValid(eventSchemaOf({ eventName: hook.eventName, type: "email", schema: hook.options.schema }), event);
  expectCloudEvent(text, event);
  expect(event).toMatchObject({
    specversion: "1.0",
    source: `/apps/shop/hooks/${hook.eventName}`,
    type: hook.eventName,
    subject: "Bestellung €",
    datacontenttype: "application/json",
    app: "shop",
    appversion: "1.0.0",
    hooktype: "email",
    data: {
      mail: {
        from: { name: "Shop, the", address: "shop@example.org" },
        to: [
          { name: "Orders", address: "orders@hooks.example" },
          { name: "", address: "other@example.org" },
        ],
        messageId: "<1@example.org>",
        inReplyTo: "<first@example.org>",
        date: "2026-11-24T09:00:00.000Z",
        tag: "vip",
        text: "Thanks.",
        textTruncated: false,
        html: null,
        envelope: { from: "shop@example.org", to: [`${hook.hookId.slice(0, 4)}…+vip@localhost`], tls: null },
        object: null,
      },
    },
  });
  expect(text).toContain('"payload":{"order":1,"price":1.10,"big":12345678901234567890}');
  expect(text).not.toContain(hook.hookId);
});

test("an event over 256 KiB keeps its data in the Object Store and names it", async () => {
  const hook = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  const big = `From: a@example.org\r\nMessage-ID: <big@example.org>\r\nContent-Type: application/json\r\n\r\n${`["${"x".repeat(900)}"`}${`,\r\n"${"y".repeat(900)}"`.repeat(300)}]\r\n`;
  const { text, event } = await eventOf(() => relay.send({ to: hook.address, mail: big }));
  expectValid(EVENT_SCHEMA, event);
  expectCloudEvent(text, event);
  const [, bucket, name = ""] = /^nats-object:\/\/([^/]+)\/(.+)$/.exec(String(event["dataref"])) ?? [];
  expect(bucket).toBe("posthorn_objects");
  const data = Buffer.from((await posthorn.daemon.storage.objects.getBlob(name)) ?? []).toString();
  expectValid(EVENT_SCHEMA, { ...event, dataref: undefined, data: JSON.parse(data) as unknown });
  expect(data.startsWith('{"payload":["xxx')).toBe(true);
  const { mail: about } = JSON.parse(data) as { mail: { object: string } };
  expect(Buffer.from((await posthorn.daemon.storage.objects.getBlob(about.object)) ?? []).toString()).toBe(big);
});

test("the schema refuses what is no event", () => {
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(EVENT_SCHEMA);
  expect(validate({})).toBe(false);
  expect(validate({ specversion: "1.0" })).toBe(false);
});
