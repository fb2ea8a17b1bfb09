import { BlockList, isIPv4, isIPv6 } from "node:net";

/** Addresses that are not on the Internet: loopback, private, link-local (RFC 6890). */
const INTERNAL = new BlockList();
for (const [address, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
] as const)
  INTERNAL.addSubnet(address, prefix, "ipv4");
for (const [address, prefix] of [
  ["::", 127],
  ["fc00::", 7],
  ["fe80::", 10],
] as const)
  INTERNAL.addSubnet(address, prefix, "ipv6");

/** Whether `ip` is one of our own side's addresses, or none at all (a Unix socket). */
export function isInternal(ip: string): boolean {
  if (isIPv4(ip)) return INTERNAL.check(ip, "ipv4");
  return isIPv6(ip) ? INTERNAL.check(ip, "ipv6") : true;
}

/** The network that one customer usually has: /24 of IPv4, /64 of IPv6. Text that is no address is its own. */
export function networkOf(ip: string): string {
  if (isIPv4(ip)) return `${ip.slice(0, ip.lastIndexOf("."))}.0/24`;
  if (!isIPv6(ip)) return ip;
  const [head = "", tail] = ip.toLowerCase().split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => "0");
  const groups = tail === undefined ? front : [...front, ...zeros, ...back];
  return `${groups.slice(0, 4).join(":")}::/64`;
}
