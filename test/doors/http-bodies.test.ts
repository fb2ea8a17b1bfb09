import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";

import { CloudEvent, HTTP } from "cloudevents";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { Hook } from "../../src/model/hook.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

let nats: NatsServer;
let posthorn: TestDaemon;
let web: Hook;
let picture: Hook;
let key: string;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, { POSTHORN_MAX_BODY_BYTES: "400000" });
  const reference = { type: "object", required: ["object"], properties: { mediaType: { const: "image/png" } } };
  [web, picture] = (await posthorn.install([
    { eventName: "kustomer.app.shop.web", type: "web" },
    { eventName: "kustomer.app.shop.picture", type: "web", "x-posthorn": { schema: reference } },
  ])) as [Hook, Hook];
  ({ key } = await posthorn.daemon.storage.keys.create({ app: "shop", expires: null }, Date.now()));
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const urlOf = ({ type, hookId }: Hook) => `http://${posthorn.daemon.http.address}/v1/hooks/${type}/${hookId}`;
const post = (
  body: string | Uint8Array<ArrayBuffer> | Blob | URLSearchParams,
  headers: Record<string, string> = {},
  hook = web,
) => fetch(urlOf(hook), { method: "POST", body, headers: { "x-api-key": key, ...headers } });
const events = async () => (await storedIn(posthorn, "POSTHORN_EVENTS")).map(({ text }) => text);
const lastEvent = async () => (await events()).at(-1) ?? "";
const lastPayload = async () => (JSON.parse(await lastEvent()) as { data: { payload: unknown } }).data.payload;
const detailOf = async (response: Response) => [
  response.status,
  ((await response.json()) as { detail?: string }).detail,
];

test.each<[string, string, string, unknown]>([
  ["JSON of a vendor's type", "application/vnd.shop+json; charset=utf-8", '{"a":1}', { a: 1 }],
  ["JSON sent as text", "text/plain", ' [1, {"a":2}]', [1, { a: 2 }]],
  ["JSON sent as a form", "application/x-www-form-urlencoded", '{"a":"b=c&d"}', { a: "b=c&d" }],
  ["JSON of a wrong type", "application/octet-stream", "true", true],
  ["JSON of a damaged type", "json!", '{"a":1}', { a: 1 }],
  ["JSON with a byte order mark", "application/json", '\ufeff{"a":1}', { a: 1 }],
  ["NDJSON", "application/x-ndjson", '{"a":1}\r\n\n{"a":2}\n', [{ a: 1 }, { a: 2 }]],
  ["text", "text/plain; charset=utf-8", "Grüße {not json", "Grüße {not json"],
  ["a form", "application/x-www-form-urlencoded", "a=1&b[]=2&_id=3", { a: "1", b: ["2"], _id: "3" }],
  [
    "XML",
    "application/xml",
    '<?xml version="1.0"?><order id="1"><line>a</line><line n="2">b</line><note/></order>',
    { order: { "@id": "1", line: ["a", { "@n": "2", "#text": "b" }], note: "" } },
  ],
  [
    "XML of a vendor's type",
    "application/soap+xml",
    "<a xmlns:x='u'><x:b>1 &lt; 2<![CDATA[ & 3]]></x:b></a>",
    { a: { "@xmlns:x": "u", "x:b": "1 < 2 & 3" } },
  ],
])("%s becomes the payload", async (_, type, body, payload) => {
  expect((await post(body, { "content-type": type })).status).toBe(202);
  expect(await lastPayload()).toEqual(payload);
});

test("a body without a media type is read as JSON", async () => {
  const body = new Blob(['{"a":1}']);
  expect((await post(body)).status).toBe(202);
  expect(await lastPayload()).toEqual({ a: 1 });
});

test.each<[string, string, Buffer<ArrayBuffer>, unknown]>([
  [
    "UTF-8 under a Western label",
    "application/json; charset=ISO-8859-1",
    Buffer.from('{"t":"ü – 日本"}'),
    { t: "ü – 日本" },
  ],
  ["an unknown charset", "application/json; charset=utf8mb4", Buffer.from('{"t":"ü"}'), { t: "ü" }],
  ["a charset in quotes", 'application/json; charset="utf-8"', Buffer.from('{"t":"ü"}'), { t: "ü" }],
  ["UTF-16 by its mark", "application/json", Buffer.from('\uFEFF{"t":"ü"}', "utf16le"), { t: "ü" }],
  [
    "a form's charset",
    "application/x-www-form-urlencoded; charset=iso-8859-1",
    Buffer.from("name=Jos%E9&city=K%F6ln"),
    { name: "José", city: "Köln" },
  ],
  ["a mark before a form", "application/x-www-form-urlencoded", Buffer.from("\uFEFFa=1&b=2"), { a: "1", b: "2" }],
  [
    "the field _charset_",
    "multipart/form-data; boundary=xY",
    Buffer.from(
      '--xY\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\niso-8859-1\r\n--xY\r\nContent-Disposition: form-data; name="a"\r\n\r\nGr\xfc\xdfe\r\n--xY--\r\n',
      "latin1",
    ),
    { _charset_: "iso-8859-1", a: "Grüße" },
  ],
])("%s is read at the door", async (_, type, body, payload) => {
  expect((await post(body, { "content-type": type })).status).toBe(202);
  expect(await lastPayload()).toEqual(payload);
});

test("text in another charset is read in it", async () => {
  const response = await post(Buffer.from("Gr\xfc\xdfe", "latin1"), {
    "content-type": "text/plain; charset=iso-8859-1",
  });
  expect(response.status).toBe(202);
  expect(await lastPayload()).toBe("Grüße");
});

test("names of fields that objects know from elsewhere are names like any other", async () => {
  expect((await post(new URLSearchParams("__proto__[x]=1&constructor=2"))).status).toBe(202);
  expect(await lastEvent()).toContain('"payload":{"__proto__":{"x":"1"},"constructor":"2"}');
});

test.each<[string, string, string | Buffer<ArrayBuffer>, string]>([
  ["JSON", "application/json", '{"a":1,\n}', "No JSON: line 2, column 1"],
  ["JSON that is too deep", "application/json", `${"[".repeat(600)}${"]".repeat(600)}`, "deeper than 512"],
  ["an empty body", "application/json", "", "empty"],
  ["NDJSON", "application/x-ndjson", '{"a":1}\n{"a"}', "line 2, column 5"],
  ["bytes that are no UTF-8", "application/json", Buffer.from('{"a":"\xff"}', "latin1"), "not valid UTF-8"],
  ["an unknown charset", "text/plain; charset=klingon", Buffer.from("\xff", "latin1"), "charset"],
  ["XML", "text/xml", "<a><b></a>", "No XML: line 1, column"],
  ["XML with a DOCTYPE", "text/xml", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "DOCTYPE"],
  ["XML with an unknown entity", "text/xml", "<a>&x;</a>", "No XML"],
  ["a form that is no UTF-8", "application/x-www-form-urlencoded", "a=1&b=%ff", "field 2 is not UTF-8"],
  ["a form of too many fields", "application/x-www-form-urlencoded", "a=1&".repeat(1_001), "More than 1000 fields"],
  ["a multipart form without a boundary", "multipart/form-data", "x", "names no boundary"],
])("%s that cannot be read is 400 and says where", async (_, type, body, words) => {
  const [status, detail] = await detailOf(await post(body, { "content-type": type }));
  expect(status).toBe(400);
  expect(detail).toContain(words);
});

test("content codings are undone, with a limit on what comes out of them", async () => {
  const text = JSON.stringify({ text: "a".repeat(1_000) });
  const codings = { gzip: gzipSync, br: brotliCompressSync, zstd: zstdCompressSync, deflate: deflateSync };
  for (const [coding, pack] of Object.entries(codings)) {
    const response = await post(pack(text), { "content-encoding": coding, "content-type": "application/json" });
    expect(response.status).toBe(202);
    expect(await lastPayload()).toEqual(JSON.parse(text));
  }
  expect((await post(deflateRawSync(text), { "content-encoding": "deflate" })).status).toBe(202);
  // What packs well is no bomb: the limit is on what comes out, whatever went in.
  const even = JSON.stringify({ text: "a".repeat(399_900) });
  const over = JSON.stringify({ text: "a".repeat(400_100) });
  const bomb = Buffer.alloc(50_000_000);
  for (const [coding, pack] of Object.entries(codings)) {
    const headers = { "content-encoding": coding, "content-type": "application/json" };
    expect(pack(even).length).toBeLessThan(2_000);
    const statuses = [
      await post(pack(even), headers),
      await post(pack(over), headers),
      await post(pack(bomb), headers),
    ];
    expect([coding, ...statuses.map(({ status }) => status)]).toEqual([coding, 202, 413, 413]);
  }
  expect((await post("not gzip", { "content-encoding": "gzip" })).status).toBe(400);
});

test("a media type that nobody reads is a stored object where the hook's schema allows a reference, else 415", async () => {
  const png = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  expect((await post(png, { "content-type": "image/png" })).status).toBe(415);
  expect((await post(png, { "content-type": "image/gif" }, picture)).status).toBe(415);
  expect((await post(png, { "content-type": "image/png" }, picture)).status).toBe(202);
  const payload = (await lastPayload()) as { object: string; size: number };
  expect(payload).toMatchObject({ mediaType: "image/png", size: png.length });
  expect(Buffer.from((await posthorn.daemon.storage.objects.getBlob(payload.object)) ?? []).equals(png)).toBe(true);
});

test("a big payload keeps its data in the Object Store, and the same key with another one is noticed there too", async () => {
  const body = (letter: string) => JSON.stringify({ text: letter.repeat(300_000) });
  const headers = { "content-type": "application/json", "idempotency-key": "big" };
  expect((await post(body("a"), headers)).status).toBe(202);
  const { dataref, data } = JSON.parse(await lastEvent()) as { dataref: string; data?: unknown };
  expect([dataref, data]).toEqual([expect.stringMatching(/^nats-object:\/\/posthorn_objects\//), undefined]);
  expect(await (await post(body("a"), headers)).json()).toMatchObject({ duplicate: true });
  expect((await post(body("b"), headers)).status).toBe(422);
});

test("CloudEvents come in binary and structured, and their source and id make them one event", async () => {
  const incoming = new CloudEvent({ id: "7", source: "/shop/a", type: "order.made", data: { n: 1 }, subject: "a b" });
  const before = (await events()).length;
  const answers: unknown[] = [];
  for (const { headers, body } of [HTTP.structured(incoming), HTTP.binary(incoming)]) {
    const response = await post(String(body), headers as Record<string, string>);
    expect(response.status).toBe(202);
    answers.push(await response.json());
  }
  expect(answers[1]).toEqual({ ...(answers[0] as object), duplicate: true });
  expect(await events()).toHaveLength(before + 1);
  const { data } = JSON.parse(await lastEvent()) as { data: { payload: unknown; http: { cloudevent: unknown } } };
  expect(data.payload).toEqual({ n: 1 });
  expect(data.http.cloudevent).toMatchObject({ id: "7", source: "/shop/a", type: "order.made", subject: "a b" });
  const binary = HTTP.binary(incoming.cloneWith({ id: "8", data: { n: 2 } }));
  expect((await post(String(binary.body), binary.headers as Record<string, string>)).status).toBe(202);
  expect(JSON.parse(await lastEvent())).toMatchObject({
    data: { payload: { n: 2 }, http: { cloudevent: { id: "8", specversion: "1.0", subject: "a b" } } },
  });
});

test("a batch of CloudEvents is answered with all of its events, and a retry stores only the rest", async () => {
  const event = (id: string, data: unknown) => ({ specversion: "1.0", id, source: "/b", type: "t", data });
  const headers = { "content-type": "application/cloudevents-batch+json" };
  const before = (await events()).length;
  const first = await post(JSON.stringify([event("1", 1), event("2", null)]), headers);
  expect(first.status).toBe(202);
  const { events: made } = (await first.json()) as { events: { id: string; duplicate: boolean }[] };
  expect(made.map(({ duplicate }) => duplicate)).toEqual([false, false]);
  const second = await post(JSON.stringify([event("1", 1), event("2", null), event("3", "x")]), headers);
  expect(
    ((await second.json()) as { events: { duplicate: boolean }[] }).events.map(({ duplicate }) => duplicate),
  ).toEqual([true, true, false]);
  expect(await events()).toHaveLength(before + 3);
  const bad = await post(
    JSON.stringify([event("4", 1), { specversion: "0.3", id: "", source: "/b", type: "t" }]),
    headers,
  );
  expect(bad.status).toBe(400);
  expect(((await bad.json()) as { errors: { pointer: string }[] }).errors.map(({ pointer }) => pointer)).toEqual([
    "/1/id",
    "/1/specversion",
  ]);
  expect(await events()).toHaveLength(before + 3);
});

test("providers' delivery ids make a retry the same event, whatever else differs", async () => {
  for (const name of ["webhook-id", "x-github-delivery", "x-shopify-webhook-id"]) {
    const headers = { [name]: "d1", "content-type": "application/json" };
    const first = (await (await post('{"n":1}', headers)).json()) as object;
    expect(await (await post('{"n":1, "attempt":2}', headers)).json()).toEqual({ ...first, duplicate: true });
  }
});

test("credentials in headers and query reach no event, and the hook's id is cut", async () => {
  const secrets = {
    "x-auth-token": "s3cr3t-1",
    cookie: "session=s3cr3t-2",
    "x-hub-signature": "s3cr3t-3",
    referer: `http://h/v1/hooks/web/${web.hookId}`,
  };
  const response = await fetch(`${urlOf(web)}?Api_Key=s3cr3t-4&n=1&n=2`, {
    method: "POST",
    body: "{}",
    headers: { "x-api-key": key, ...secrets, "x-other": "shown" },
  });
  expect(response.status).toBe(202);
  const text = await lastEvent();
  expect(text).not.toMatch(/s3cr3t/);
  expect(text).not.toContain(web.hookId);
  expect(JSON.parse(text)).toMatchObject({
    data: {
      http: {
        query: { n: ["1", "2"] },
        headers: { "x-other": "shown", referer: `http://h/v1/hooks/web/${web.hookId.slice(0, 4)}…` },
      },
    },
  });
});
