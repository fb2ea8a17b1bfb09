import { isIPv4 } from "node:net";

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

/** A PROXY header of version 2, as HAProxy with `send-proxy-v2` writes it. */
export function proxyV2(options: {
  readonly address?: string;
  readonly port?: number;
  readonly command?: "proxy" | "local";
  readonly family?: number;
  readonly extra?: Buffer;
}): Buffer {
  const { address = "192.0.2.1", port = 1, command = "proxy", extra = Buffer.alloc(0) } = options;
  const isV4 = isIPv4(address);
  const source = isV4
    ? Buffer.from(address.split(".").map(Number))
    : Buffer.from(
        address
          .replace("::", ":0:0:0:0:0:")
          .split(":")
          .map((group) => group.padStart(4, "0"))
          .join(""),
        "hex",
      );
  const ports = Buffer.from([port >> 8, port & 0xff, 0, 25]);
  const rest = Buffer.concat([source, source, ports, extra]);
  const head = Buffer.from([
    command === "local" ? 0x20 : 0x21,
    options.family ?? (isV4 ? 0x11 : 0x21),
    rest.length >> 8,
    rest.length & 0xff,
  ]);
  return Buffer.concat([SIGNATURE, head, rest]);
}
