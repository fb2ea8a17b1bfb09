import { expect, test } from "vitest";

import { isInternal, networkOf } from "../../src/lib/networks.ts";
import { ClientLimits } from "../../src/receive/client-limits.ts";

const MINUTE = 60_000;
const limits = (processes = 1) =>
  new ClientLimits({ connections: 2, mailsPerMinute: 4, bytesPerMinute: 1_000, unknownPerMinute: 3, processes });

test("mails count for the address, for its network twice as many, and for the sender's domain twice as many", () => {
  const door = limits();
  for (let i = 0; i < 4; i += 1) expect(door.tryMail("192.0.2.1", `${i}.example`, 0)).toBe(true);
  expect(door.tryMail("192.0.2.1", "x.example", 0)).toBe(false);
  for (let i = 0; i < 4; i += 1) expect(door.tryMail("192.0.2.2", `${i}.example`, 0)).toBe(true);
  expect(door.tryMail("192.0.2.3", "x.example", 0)).toBe(false);
  expect(door.tryMail("192.0.3.3", "x.example", 0)).toBe(true);
  for (let i = 0; i < 7; i += 1) expect(door.tryMail(`198.51.${i}.1`, "x.example", 0)).toBe(true);
  expect(door.tryMail("198.51.9.1", "x.example", 0)).toBe(false);
  expect(door.tryMail("198.51.9.1", "", 0)).toBe(true);
  expect(door.tryMail("192.0.2.1", "x.example", 2 * MINUTE)).toBe(true);
});

test("bytes are felt by the next mail, of the address and of its network", () => {
  const door = limits();
  door.countBytes("192.0.2.1", 1_000, 0);
  expect(door.tryMail("192.0.2.1", "", 0)).toBe(false);
  expect(door.tryMail("192.0.2.2", "", 0)).toBe(true);
  door.countBytes("192.0.2.2", 1_000, 0);
  expect(door.tryMail("192.0.2.3", "", 0)).toBe(false);
  expect(door.tryMail("192.0.2.1", "", 2 * MINUTE)).toBe(true);
});

test("with two processes each allows half of what is said by the minute, one at least", () => {
  const door = limits(2);
  expect([1, 2, 3].map(() => door.tryMail("192.0.2.1", "", 0))).toEqual([true, true, false]);
  expect([1, 2].map(() => door.tryUnknown("192.0.2.1", 0))).toEqual([true, false]);
  expect(limits(1_000).tryMail("192.0.2.1", "", 0)).toBe(true);
});

test("connections are places: given back once, they are free again", () => {
  const door = limits();
  const [first, second] = [door.tryConnect("192.0.2.1"), door.tryConnect("192.0.2.1")];
  expect(second).toBeDefined();
  expect(door.tryConnect("192.0.2.1")).toBeUndefined();
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  expect(door.tryConnect("192.0.2.1")).toBeDefined();
  expect(door.tryConnect("192.0.2.1")).toBeUndefined();
});

test.each([
  ["192.0.2.77", "192.0.2.0/24"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["", ""],
])("the network of %j is %j", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test("our own side is loopback, private and link-local addresses, and Unix sockets", () => {
  for (const address of [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.9.9",
    "169.254.1.1",
    "::1",
    "fd00::1",
    "fe80::1",
    "",
  ])
    expect(isInternal(address), address).toBe(true);
  for (const address of ["192.0.2.1", "172.32.0.1", "8.8.8.8", "2001:db8::1", "::ffff"])
    expect(isInternal(address), address).toBe(false);
});
