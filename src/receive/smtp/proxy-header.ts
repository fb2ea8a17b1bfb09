import { isIPv4, isIPv6 } from "node:net";

/** What the first bytes of a connection say about who is behind the proxy. */
export type ProxyHeader =
  /** More bytes are needed. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "invalid" }
  | { readonly kind: "client"; readonly address: string; readonly port: number; readonly length: number }
  /** The proxy speaks for itself, a health check say. */
  | { readonly kind: "proxy-itself"; readonly length: number }
  /** There is a client, but the proxy does not know its address. */
  | { readonly kind: "unknown-client"; readonly length: number };

const SIGNATURE_V2 = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const HEADER_V2_BYTES = 16;
/** "the maximum line length the receiver must support" (§2.1). */
const MAX_V1_BYTES = 107;
/** Addresses and TLVs; HAProxy with every TLV on stays far below. */
const MAX_V2_BYTES = 4 * 1024;

/**
 * Reads the header of the PROXY protocol, version 1 or 2, at the start of `bytes`. Never throws.
 *
 * `length` tells where the client's own bytes begin. A v1 line without address is a health check of HAProxy as often as
 * a client whose address is not known; it is taken for the latter, who is trusted with less.
 *
 * Source: "The PROXY protocol, versions 1 & 2", Willy Tarreau, 2020/03/05, §2.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const seen = Math.min(bytes.length, SIGNATURE_V2.length);
  if (bytes.subarray(0, seen).equals(SIGNATURE_V2.subarray(0, seen)))
    return seen < SIGNATURE_V2.length ? { kind: "incomplete" } : readV2(bytes);
  return readV1(bytes);
}

function readV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf("\r\n");
  const text = bytes.toString("latin1", 0, end < 0 ? Math.min(bytes.length, MAX_V1_BYTES) : end);
  if (end < 0) {
    const canBecomeOne = "PROXY ".startsWith(text.slice(0, 6)) && !/[\n\0]/.test(text) && bytes.length < MAX_V1_BYTES;
    return { kind: canBecomeOne ? "incomplete" : "invalid" };
  }
  const length = end + 2;
  if (/^PROXY UNKNOWN(?: |$)/.test(text)) return { kind: "unknown-client", length };
  const [, family, source = "", destination = "", port = ""] =
    /^PROXY (TCP4|TCP6) (\S+) (\S+) (\d{1,5}) \d{1,5}$/.exec(text) ?? [];
  const isAddress = family === "TCP4" ? isIPv4 : isIPv6;
  if (family === undefined || !isAddress(source) || !isAddress(destination) || Number(port) > 65_535)
    return { kind: "invalid" };
  return { kind: "client", address: source, port: Number(port), length };
}

function readV2(bytes: Buffer): ProxyHeader {
  if (bytes.length < HEADER_V2_BYTES) return { kind: "incomplete" };
  const versionAndCommand = bytes.readUInt8(12);
  const family = bytes.readUInt8(13);
  const rest = bytes.readUInt16BE(14);
  const command = versionAndCommand & 0x0f;
  if (versionAndCommand >> 4 !== 2 || command > 1 || rest > MAX_V2_BYTES) return { kind: "invalid" };
  const length = HEADER_V2_BYTES + rest;
  if (bytes.length < length) return { kind: "incomplete" };
  if (command === 0) return { kind: "proxy-itself", length };
  const at = HEADER_V2_BYTES;
  if (family === 0x11)
    return rest < 12
      ? { kind: "invalid" }
      : {
          kind: "client",
          address: [...bytes.subarray(at, at + 4)].join("."),
          port: bytes.readUInt16BE(at + 8),
          length,
        };
  if (family === 0x21)
    return rest < 36
      ? { kind: "invalid" }
      : { kind: "client", address: ipv6Text(bytes.subarray(at, at + 16)), port: bytes.readUInt16BE(at + 32), length };
  // UDP and unknown families; a Unix socket has no address that anybody could be judged by.
  return { kind: "unknown-client", length };
}

function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16)).join(":");
  // The URL parser writes the one short form of RFC 5952.
  return new URL(`http://[${groups}]/`).hostname.slice(1, -1);
}
