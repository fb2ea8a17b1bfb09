import { BlockList, isIP } from "node:net";
import { availableParallelism } from "node:os";

import { percentDecoded } from "../lib/percent-decoded.ts";
import type { ListenAddress } from "./units.ts";
import { parseDuration, parseListenAddress } from "./units.ts";

// How the text of a setting becomes a value. None throws; undefined means that the text is not allowed.

/** Any text; "" is not set. */
export const readOptional = (text: string): { readonly value: string | undefined } => ({ value: text || undefined });

export const readFlag = (text: string): { readonly on: boolean } | undefined => {
  if (/^(?:true|1|yes|on)$/i.test(text)) return { on: true };
  return /^(?:false|0|no|off|)$/i.test(text) ? { on: false } : undefined;
};

export const readOneOf =
  <T extends string>(...values: readonly T[]) =>
  (text: string): T | undefined =>
    values.find((allowed) => allowed === text);

/** A whole number; `NaN`, `1e3` and `0x10` are none, so that a limit is never switched off by a slip. */
export const readCount =
  (least: number, most: number) =>
  (text: string): number | undefined =>
    /^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined;

/** Milliseconds, more than none. */
export const readDuration = (text: string): number | undefined => {
  const ms = parseDuration(text);
  return ms !== undefined && ms > 0 ? ms : undefined;
};

export const readList = (text: string): readonly string[] =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

/** Lower case; `*.shop.example` stands for every domain below. */
export const readDomains = (text: string): readonly string[] | undefined => {
  const names = readList(text).map((name) => name.toLowerCase());
  const isDomain = (name: string) => /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9])?$/.test(name);
  return names.length > 0 && names.every(isDomain) ? names : undefined;
};

/** A JetStream domain is one token of a subject. */
export const readDomainName = (text: string): { readonly value: string | undefined } | undefined =>
  text === "" || /^[\w-]{1,64}$/.test(text) ? { value: text || undefined } : undefined;

export const readListenAddress = (text: string): { readonly at: ListenAddress } | undefined => {
  const at = parseListenAddress(text);
  return at === undefined ? undefined : { at };
};

const HEADER_FIELD = /^([!#$%&'*+.^_`|~\w-]+)\s*=\s*(.*)$/;
/** What `fetch` sends as a value. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** What `fetch` sends of itself, or fails with. */
const NOT_OURS = /^(?:connection|keep-alive|transfer-encoding|upgrade|expect|host|content-(?:length|type))$/;

/**
 * Refuses what no request could send, so that the start says it and not each batch.
 *
 * Source: OpenTelemetry, "OTLP Exporter, Specifying headers via environment variables"; names by RFC 9110 §5.6.2.
 */
export const readHeaderFields = (text: string): Readonly<Record<string, string>> | undefined => {
  const fields: [name: string, value: string][] = [];
  for (const pair of readList(text)) {
    const [, name = "", encoded = ""] = HEADER_FIELD.exec(pair) ?? [];
    const value = percentDecoded(encoded);
    if (name === "" || NOT_OURS.test(name.toLowerCase()) || value === undefined) return undefined;
    if (!HEADER_VALUE.test(value)) return undefined;
    fields.push([name.toLowerCase(), value]);
  }
  return Object.fromEntries(fields);
};

/** Without the slash at its end. */
export const readHttpUrl = (text: string): string | undefined =>
  /^https?:$/.test(URL.parse(text)?.protocol ?? "") ? text.replace(/\/+$/, "") : undefined;

export const readOptionalHttpUrl = (text: string): { readonly value: string | undefined } | undefined => {
  if (text === "") return { value: undefined };
  const value = readHttpUrl(text);
  return value === undefined ? undefined : { value };
};

export const readNatsUrls = (text: string): string | undefined => {
  const urls = readList(text);
  // The client also takes a bare host:port, which the URL parser takes for a scheme.
  const isServer = (url: string) =>
    /^(?:nats|tls):$/.test(URL.parse(url)?.protocol ?? "") || /^[\w.-]+(?::\d{1,5})?$/.test(url);
  return urls.length > 0 && urls.every(isServer) ? urls.join(",") : undefined;
};

/** Addresses with or without a port, as a resolver takes them: `192.0.2.1`, `192.0.2.1:53`, `[2001:db8::1]:53`. */
export const readResolvers = (text: string): readonly string[] | undefined => {
  const servers = readList(text);
  const addressOf = (server: string) =>
    /^\[(.+)\](?::\d{1,5})?$/.exec(server)?.[1] ?? server.replace(/^([\d.]+):\d{1,5}$/, "$1");
  return servers.every((server) => isIP(addressOf(server)) !== 0) ? servers : undefined;
};

/** CIDRs and single addresses, v4 and v6. */
export function readNetworks(text: string): BlockList | undefined {
  const blocks = new BlockList();
  for (const item of readList(text)) {
    const [, address = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(item) ?? [];
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    const prefix = bits === undefined ? most : Number(bits);
    if (version === 0 || prefix > most) return undefined;
    blocks.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  }
  return blocks;
}

/** As {@link readNetworks}, but nothing at all stands for anybody. */
export const readNetworksOrAnybody = (text: string): { readonly networks: BlockList | undefined } | undefined => {
  if (text === "") return { networks: undefined };
  const networks = readNetworks(text);
  return networks === undefined ? undefined : { networks };
};

/** A token nobody guesses has some length. */
export const readToken = (text: string): { readonly value: string | undefined } | undefined =>
  text === "" || text.length >= 16 ? { value: text || undefined } : undefined;

/** 32 bytes, as `openssl rand -base64 32` or `-hex 32` writes them; kept as text. */
export const readSecretsKey = (text: string): { readonly value: string | undefined } | undefined =>
  text === "" || /^(?:[0-9a-fA-F]{64}|[A-Za-z0-9+/]{43}=)$/.test(text) ? { value: text || undefined } : undefined;

export const readWorkers = (text: string): number | undefined =>
  text === "" ? Math.max(1, availableParallelism() - 1) : readCount(1, 256)(text);

/** `viewer=staff,operator=ops,administrator=admins`: which value of a claim is which role; a role may stand twice. */
export const readRoles = (
  text: string,
): readonly { readonly role: "viewer" | "operator" | "administrator"; readonly value: string }[] | undefined => {
  const pairs = readList(text).map((item) => {
    const [, role, value = ""] = /^(viewer|operator|administrator)=(.+)$/.exec(item) ?? [];
    return { role: role as "viewer" | "operator" | "administrator" | undefined, value };
  });
  const known = pairs.flatMap(({ role, value }) => (role === undefined ? [] : [{ role, value }]));
  return known.length === pairs.length && known.length > 0 ? known : undefined;
};
