import fc from "fast-check";
import { expect, test } from "vitest";

import { readProxyHeader } from "../../../src/receive/smtp/proxy-header.ts";
import { proxyV2 } from "../../support/proxy-v2.ts";

const read = (text: string) => readProxyHeader(Buffer.from(text, "latin1"));

test("a version 1 line names the client, and what follows it is the client's", () => {
  const header = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n";
  expect(read(`${header}EHLO x\r\n`)).toEqual({
    kind: "client",
    address: "192.0.2.1",
    port: 56_324,
    length: header.length,
  });
  expect(read("PROXY TCP6 2001:db8::1 2001:db8::2 1 25\r\n")).toMatchObject({ kind: "client", address: "2001:db8::1" });
  expect(read("PROXY UNKNOWN\r\n")).toEqual({ kind: "unknown-client", length: 15 });
  expect(read("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n")).toMatchObject({ kind: "unknown-client" });
});

test("version 2 names clients of both families, with and without extras behind the addresses", () => {
  const v4 = proxyV2({ address: "192.0.2.1", port: 4_242 });
  expect(readProxyHeader(Buffer.concat([v4, Buffer.from("EHLO x\r\n")]))).toEqual({
    kind: "client",
    address: "192.0.2.1",
    port: 4_242,
    length: v4.length,
  });
  expect(readProxyHeader(proxyV2({ address: "2001:db8::1", port: 1, extra: Buffer.alloc(40) }))).toMatchObject({
    kind: "client",
    address: "2001:db8::1",
    length: 16 + 36 + 40,
  });
  expect(readProxyHeader(proxyV2({ command: "local" }))).toMatchObject({ kind: "proxy-itself" });
  expect(readProxyHeader(proxyV2({ family: 0x31 }))).toMatchObject({ kind: "unknown-client" });
});

test.each([
  "EHLO relay\r\n",
  "PROXY\r\n",
  "PROXY TCP4 192.0.2.1 198.51.100.1 1\r\n",
  "PROXY TCP4 192.0.2.300 198.51.100.1 1 25\r\n",
  "PROXY TCP4 2001:db8::1 2001:db8::2 1 25\r\n",
  "PROXY TCP6 192.0.2.1 198.51.100.1 1 25\r\n",
  "PROXY TCP4 192.0.2.1 198.51.100.1 65536 25\r\n",
  "PROXY TCP4  192.0.2.1 198.51.100.1 1 25\r\n",
  "PROXY TCP4 192.0.2.1 198.51.100.1 1 25\n",
  "PROXY UDP4 192.0.2.1 198.51.100.1 1 25\r\n",
  `PROXY TCP4 ${"1".repeat(200)}`,
  "proxy TCP4 192.0.2.1 198.51.100.1 1 25\r\n",
  "\r\n\r\n\0\r\nQUIT\n\x11\x11\0\x0c",
  "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x02ab",
  "\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
])("%j is no header", (text) => {
  expect(read(text)).toEqual({ kind: "invalid" });
});

test("every beginning of a header waits for more, and garbage never throws", () => {
  for (const whole of [
    Buffer.from("PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n"),
    proxyV2({ address: "192.0.2.1", port: 1 }),
  ])
    for (let length = 0; length < whole.length; length += 1)
      expect(readProxyHeader(whole.subarray(0, length))).toEqual({ kind: "incomplete" });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(readProxyHeader(Buffer.from(bytes)).kind).toMatch(/./);
    }),
  );
});
