import { connect } from "node:net";

import { afterAll, beforeAll, expect, test } from "vitest";

import type { Hook } from "../../src/model/hook.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { converse, requestText } from "../support/raw-http.ts";

let nats: NatsServer;
let posthorn: TestDaemon;
let form: Hook;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, { POSTHORN_TRUSTED_PROXIES: "127.0.0.1,10.0.0.0/8" });
  [form] = (await posthorn.install([{ eventName: "kustomer.app.shop.form", type: "form" }])) as [Hook];
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const path = () => `/v1/hooks/form/${form.hookId}`;
const address = () => posthorn.daemon.http.address ?? "";
const eventCount = async () => (await storedIn(posthorn, "POSTHORN_EVENTS")).length;
const JSON_TYPE = "Content-Type: application/json";
const head = (...lines: string[]) => [`POST ${path()} HTTP/1.1`, ...lines, ""].join("\r\n");

// What an attacker tries so that two servers in a row see different requests, with our answer. Every one of them stores at
// most what its first request says, and nothing behind it is taken for a request of its own.
const attacks: readonly [name: string, bytes: () => string, status: number, isReadable?: true][] = [
  [
    "CL.TE",
    () => `${head("Host: h", JSON_TYPE, "Content-Length: 6", "Transfer-Encoding: chunked")}\r\n0\r\n\r\nG`,
    400,
  ],
  [
    "TE.CL",
    () =>
      `${head("Host: h", JSON_TYPE, "Transfer-Encoding: chunked", "Content-Length: 4")}\r\n5c\r\nGPOST / HTTP/1.1\r\n0\r\n\r\n`,
    400,
  ],
  [
    "two different lengths",
    () => `${head("Host: h", JSON_TYPE, "Content-Length: 2", "Content-Length: 3")}\r\n{} `,
    400,
  ],
  ["a length with a sign", () => `${head("Host: h", JSON_TYPE, "Content-Length: +2")}\r\n{}`, 400],
  ["a list of lengths", () => `${head("Host: h", JSON_TYPE, "Content-Length: 2, 2")}\r\n{}`, 400],
  ["a disguised coding", () => `${head("Host: h", JSON_TYPE, "Transfer-Encoding: xchunked")}\r\n0\r\n\r\n`, 400],
  [
    "chunked that is not last",
    () => `${head("Host: h", JSON_TYPE, "Transfer-Encoding: chunked, identity")}\r\n0\r\n\r\n`,
    400,
  ],
  ["a blank before the colon", () => `${head("Host: h", JSON_TYPE, "Content-Length : 2")}\r\n{}`, 400],
  ["a folded header", () => `${head("Host: h", JSON_TYPE, "X-A: 1", " folded", "Content-Length: 2")}\r\n{}`, 400],
  ["a bare CR in a header", () => `${head("Host: h", JSON_TYPE, "X-A: a\rb", "Content-Length: 2")}\r\n{}`, 400],
  ["a NUL in a header", () => `${head("Host: h", JSON_TYPE, "X-A: a\0b", "Content-Length: 2")}\r\n{}`, 400],
  [
    "a bad chunk size",
    () => `${head("Host: h", JSON_TYPE, "Transfer-Encoding: chunked")}\r\n0x2\r\n{}\r\n0\r\n\r\n`,
    400,
  ],
  [
    "a chunk without its line end",
    () => `${head("Host: h", JSON_TYPE, "Transfer-Encoding: chunked")}\r\n2\r\n{}X0\r\n\r\n`,
    400,
  ],
  ["two Hosts", () => `${head("Host: h", "Host: h", JSON_TYPE, "Content-Length: 2")}\r\n{}`, 400, true],
  ["two different Hosts", () => `${head("Host: h", JSON_TYPE, "Content-Length: 2", "hOST: i")}\r\n{}`, 400, true],
  ["a Host with a path", () => `${head("Host: h/x", JSON_TYPE, "Content-Length: 2")}\r\n{}`, 400, true],
  ["a Host with a blank", () => `${head("Host: h i", JSON_TYPE, "Content-Length: 2")}\r\n{}`, 400, true],
  [
    "a coding before chunked",
    () => `${head("Host: h", JSON_TYPE, "Transfer-Encoding: gzip, chunked")}\r\n2\r\n{}\r\n0\r\n\r\n`,
    400,
    true,
  ],
  [
    "a coding in a field of its own",
    () =>
      `${head("Host: h", JSON_TYPE, "Transfer-Encoding: gzip", "Transfer-Encoding: chunked")}\r\n2\r\n{}\r\n0\r\n\r\n`,
    400,
    true,
  ],
  [
    "chunked twice",
    () => `${head("Host: h", JSON_TYPE, "Transfer-Encoding: chunked, chunked")}\r\n2\r\n{}\r\n0\r\n\r\n`,
    400,
    true,
  ],
  [
    "chunked in HTTP/1.0",
    () =>
      `POST ${path()} HTTP/1.0\r\nHost: h\r\n${JSON_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    400,
    true,
  ],
  ["no Host", () => `${head(JSON_TYPE, "Content-Length: 2")}\r\n{}`, 400, true],
  ["HTTP/0.9 and nonsense", () => "hello\r\n\r\n", 400],
  ["a method nobody knows", () => `BREW ${path()} HTTP/1.1\r\nHost: h\r\n\r\n`, 400],
  ["a path that climbs", () => "GET /v1/hooks/../../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", 404, true],
  ["a damaged escape in the path", () => "GET /v1/hooks/form/%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400, true],
  ["a header field of 40 KB", () => `${head("Host: h", `X-A: ${"a".repeat(40_000)}`)}\r\n`, 431],
  [
    "headers of 40 KB in 2,000 fields",
    () => `${head("Host: h", ...Array.from({ length: 2_000 }, (_, i) => `X-${i}: ${"a".repeat(12)}`))}\r\n`,
    431,
  ],
  [
    "an expectation that nobody meets",
    () => `${head("Host: h", JSON_TYPE, "Expect: 200-ok", "Content-Length: 2")}\r\n{}`,
    417,
  ],
];

test.each(attacks)("%s gets one answer and the connection is not used again", async (_, bytes, status, isReadable) => {
  const before = await eventCount();
  const smuggled = requestText("POST", path(), [JSON_TYPE], '{"smuggled":true}');
  const answers = await converse(address(), bytes() + smuggled, 2);
  expect(answers[0]?.status).toBe(status);
  expect(answers[0]?.headers["content-type"]).toBe("application/problem+json");
  // A request whose end is known may be followed by another one; one that could not be read ends the connection.
  if (answers[0]?.headers["connection"]?.toLowerCase() === "close") expect(answers).toHaveLength(1);
  else expect(isReadable).toBe(true);
  const others = await eventCount();
  expect(others - before).toBe(answers.filter((answer) => answer.status === 202).length);
});

test("requests in one go are answered in their order", async () => {
  const one = (n: number) => requestText("POST", path(), [JSON_TYPE], `{"n":${n}}`);
  const bytes =
    one(1) + requestText("GET", "/nowhere", []) + one(2) + requestText("POST", path(), [JSON_TYPE], "{") + one(3);
  const answers = await converse(address(), bytes, 5);
  expect(answers.map(({ status }) => status)).toEqual([202, 404, 202, 400, 202]);
});

test("an absolute address in the request line is the path in it", async () => {
  const [answer] = await converse(
    address(),
    requestText("POST", `http://elsewhere.example${path()}`, [JSON_TYPE], "{}"),
  );
  expect(answer?.status).toBe(202);
});

test("HTTP/1.0 without a length is an empty body, and is answered and closed", async () => {
  const [answer] = await converse(address(), `POST ${path()} HTTP/1.0\r\n${JSON_TYPE}\r\n\r\n`);
  expect([answer?.status, answer?.headers["connection"]]).toEqual([400, "close"]);
});

test("a chunked body arrives whole, however it is cut", async () => {
  const body = '3\r\n{"n\r\n1\r\n"\r\n3;ext=1\r\n:1}\r\n0\r\nTrailer: x\r\n\r\n';
  const [answer] = await converse(address(), [
    `${head("Host: h", JSON_TYPE, "Transfer-Encoding: chunked")}\r\n`,
    ...body.split(""),
  ]);
  expect(answer?.status).toBe(202);
});

test("a body is asked for only when nothing in the header fields speaks against it", async () => {
  const ask = async (target: string, length: number): Promise<string> => {
    const [host = "", port = ""] = address().split(":");
    const socket = connect({ host, port: Number(port) });
    socket.setEncoding("latin1");
    socket.write(
      `POST ${target} HTTP/1.1\r\nHost: h\r\n${JSON_TYPE}\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`,
    );
    let text = "";
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.startsWith("HTTP/1.1 100 ") && !text.includes("HTTP/1.1 202")) socket.write("{}");
      if (/^HTTP\/1\.1 (?!100)\d{3}/m.test(text)) break;
    }
    socket.destroy();
    return text;
  };
  expect(await ask(path(), 2)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 202 /);
  expect(await ask("/v1/hooks/form/none", 2)).toMatch(/^HTTP\/1\.1 404 /);
  expect(await ask(path(), 50_000_000)).toMatch(/^HTTP\/1\.1 413 /);
});

test("who sent it is the last address that no trusted proxy wrote of itself", async () => {
  const from = async (...headers: string[]) => {
    const [answer] = await converse(address(), requestText("POST", path(), [JSON_TYPE, ...headers], "{}"));
    expect(answer?.status).toBe(202);
    const text = (await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text ?? "";
    return (JSON.parse(text) as { data: { http: { remoteAddress: string } } }).data.http.remoteAddress;
  };
  expect(await from()).toBe("127.0.0.1");
  expect(await from("X-Forwarded-For: 198.51.100.9, 203.0.113.7, 10.1.2.3")).toBe("203.0.113.7");
  expect(await from('Forwarded: for=198.51.100.9, for="[2001:db8::1]:4711";proto=https, for=10.0.0.1')).toBe(
    "2001:db8::1",
  );
  expect(await from("X-Forwarded-For: <script>, 10.1.2.3")).toBe("10.1.2.3");
});
