import { expect, test } from "vitest";

import { parseNatsUrls, redactedUrls } from "../../src/nats/nats-url.ts";

test.each([
  ["nats://127.0.0.1:4222", { servers: ["127.0.0.1:4222"], tls: false }],
  ["nats.example", { servers: ["nats.example:4222"], tls: false }],
  ["nats://a:1, tls://b:2", { servers: ["a:1", "b:2"], tls: true }],
  ["nats://[::1]:4333", { servers: ["[::1]:4333"], tls: false }],
  ["nats://me:p%40ss@a", { servers: ["a:4222"], tls: false, user: "me", password: "p@ss" }],
  ["nats://secret@a:1,nats://b:1", { servers: ["a:1", "b:1"], tls: false, token: "secret" }],
])("%s is read with all that stands in it", (text, urls) => {
  expect(parseNatsUrls(text)).toEqual(urls);
});

test.each(["", "http://a:80", "nats://", "nats://me:hidden@:4222", "nats://a:99999"])(
  "%j is a wrong setting, and the error tells no password",
  (text) => {
    const read = () => parseNatsUrls(text);
    expect(read).toThrow(expect.objectContaining({ name: "OperatorError", exitCode: 78 }));
    expect(read).not.toThrow(/hidden/);
  },
);

test("credentials are left out where an address is shown", () => {
  expect(redactedUrls("nats://me:hidden@a:1,tls://hidden@b,hidden@c")).toBe("nats://…@a:1,tls://…@b,…@c");
});
