import { expect, test } from "vitest";

import { parseDuration, parseListenAddress } from "../../src/config/units.ts";

test("durations are read with their unit", () => {
  const read = ["250ms", "10s", "5m", "24h", "7d", " 3s "].map(parseDuration);
  expect(read).toEqual([250, 10_000, 300_000, 86_400_000, 604_800_000, 3_000]);
});

test("what is no duration is none", () => {
  for (const text of ["", "10", "1.5h", "-1s", "1w", "s", "1e3s", "9999999999d", "NaN"])
    expect(parseDuration(text)).toBeUndefined();
});

test("listen addresses are host and port, a socket, or off", () => {
  expect(parseListenAddress("127.0.0.1:2525")).toEqual({ host: "127.0.0.1", port: 2525 });
  expect(parseListenAddress("[::1]:25")).toEqual({ host: "::1", port: 25 });
  expect(parseListenAddress("mail.shop.example:25")).toEqual({ host: "mail.shop.example", port: 25 });
  expect(parseListenAddress(":8080")).toEqual({ host: "0.0.0.0", port: 8080 });
  expect(parseListenAddress("unix:/run/posthorn/lmtp.sock")).toEqual({ path: "/run/posthorn/lmtp.sock" });
  expect(parseListenAddress("off")).toBe("off");
});

test("what is no listen address is none", () => {
  for (const text of ["2525", "localhost", "::1:25", "127.0.0.1:65536", "127.0.0.1:", "unix:relative", "a b:1"])
    expect(parseListenAddress(text)).toBeUndefined();
});
