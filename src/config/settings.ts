import { BlockList, isIP } from "node:net";
import { availableParallelism } from "node:os";

import { OperatorError } from "../model/operator-error.ts";
import type { ListenAddress } from "./units.ts";
import { parseDuration, parseListenAddress } from "./units.ts";

/** One setting: the variable, what it is for, and how its text is read. `undefined` from `read` means not allowed. */
export interface SettingRow<T> {
  readonly variable: `POSTHORN_${string}` | "OTEL_EXPORTER_OTLP_ENDPOINT";
  /** As it would be written; "" is not set. */
  readonly default: string;
  /** What is allowed, in words. */
  readonly allowed: string;
  readonly meaning: string;
  readonly secret?: true;
  readonly read: (text: string) => T | undefined;
}

const row = <T>(variable: SettingRow<T>["variable"], fallback: string, allowed: string, meaning: string, read: (text: string) => T | undefined, secret?: true): SettingRow<T> => ({
  variable,
  default: fallback,
  allowed,
  meaning,
  read,
  ...(secret && { secret }),
});

const optional = (value: string): { readonly value: string | undefined } => ({ value: value === "" ? undefined : value });
const flag = (value: string): { readonly on: boolean } | undefined => (/^(?:true|1|yes|on)$/i.test(value) ? { on: true } : /^(?:false|0|no|off|)$/i.test(value) ? { on: false } : undefined);
const oneOf =
  <T extends string>(...values: readonly T[]) =>
  (value: string): T | undefined =>
    values.find((allowed) => allowed === value);
const count =
  (least: number, most: number) =>
  (value: string): number | undefined =>
    /^\d{1,15}$/.test(value) && Number(value) >= least && Number(value) <= most ? Number(value) : undefined;
const positiveDuration = (value: string) => {
  const ms = parseDuration(value);
  return ms !== undefined && ms > 0 ? ms : undefined;
};
const list = (value: string): readonly string[] =>
  value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
const domains = (value: string): readonly string[] | undefined => {
  const names = list(value).map((name) => name.toLowerCase());
  return names.length > 0 && names.every((name) => /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9])?$/.test(name)) ? names : undefined;
};
const listen = (value: string): { readonly at: ListenAddress } | undefined => {
  const at = parseListenAddress(value);
  return at === undefined ? undefined : { at };
};
const httpUrl = (value: string): string | undefined => (/^https?:$/.test(URL.parse(value)?.protocol ?? "") ? value.replace(/\/+$/, "") : undefined);

/** CIDRs and single addresses, v4 and v6. */
function networks(value: string): BlockList | undefined {
  const blocks = new BlockList();
  for (const item of list(value)) {
    const [address = "", bits] = item.split("/");
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    const prefix = bits === undefined ? most : Number(bits);
    if (version === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > most) return undefined;
    blocks.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  }
  return blocks;
}

const MB = 1024 * 1024;
const LISTEN = "host:port, [v6]:port, unix:/path or off";
const DURATION = "a duration such as 250ms, 10s, 5m, 24h or 7d";
const CIDRS = "addresses or CIDRs, joined by commas";
const FILE = "the path of a file";

/** Every setting (contract §9). The README's table and the flags of `serve` are made of these rows. */
export const SETTINGS = {
  natsUrl: row("POSTHORN_NATS_URL", "nats://127.0.0.1:4222", "nats:// or tls:// addresses, joined by commas", "the NATS server", (value) => (list(value).length > 0 && list(value).every((url) => URL.parse(url) !== null) ? value : undefined)),
  natsCreds: row("POSTHORN_NATS_CREDS", "", FILE, "credentials file", optional),
  natsNkey: row("POSTHORN_NATS_NKEY", "", "an nkey seed, or the path of a file that holds one", "nkey seed", optional, true),
  natsUser: row("POSTHORN_NATS_USER", "", "a name", "user name", optional),
  natsPassword: row("POSTHORN_NATS_PASSWORD", "", "a password", "password", optional, true),
  natsToken: row("POSTHORN_NATS_TOKEN", "", "a token", "token", optional, true),
  natsCa: row("POSTHORN_NATS_CA", "", FILE, "CA certificates of the server", optional),
  natsCert: row("POSTHORN_NATS_CERT", "", FILE, "our client certificate", optional),
  natsKey: row("POSTHORN_NATS_KEY", "", FILE, "its private key", optional),
  smtpListen: row("POSTHORN_SMTP_LISTEN", "127.0.0.1:2525", LISTEN, "where relays deliver by SMTP", listen),
  lmtpListen: row("POSTHORN_LMTP_LISTEN", "off", LISTEN, "where relays deliver by LMTP", listen),
  httpListen: row("POSTHORN_HTTP_LISTEN", "127.0.0.1:8080", LISTEN, "form and web hooks", listen),
  adminListen: row("POSTHORN_ADMIN_LISTEN", "127.0.0.1:8081", LISTEN, "admin page and API, /livez, /readyz, /metrics", listen),
  adminToken: row("POSTHORN_ADMIN_TOKEN", "", "at least 16 characters", "generated into the data directory when not set", (value) => (value === "" || value.length >= 16 ? { value: value || undefined } : undefined), true),
  mailDomain: row("POSTHORN_MAIL_DOMAIN", "localhost", "domain names, joined by commas", "domains of the hooks' addresses", domains),
  publicUrl: row("POSTHORN_PUBLIC_URL", "http://localhost:8080", "an http:// or https:// address", "how senders reach the HTTP port", httpUrl),
  dataDir: row("POSTHORN_DATA_DIR", "./data", "a folder", "admin token, and the store of a nats-server of our own", (value) => value || undefined),
  maxMessageBytes: row("POSTHORN_MAX_MESSAGE_BYTES", "26214400", "bytes, 1024 to 268435456", "largest mail", count(1_024, 256 * MB)),
  maxBodyBytes: row("POSTHORN_MAX_BODY_BYTES", "1048576", "bytes, 1 to 67108864", "largest HTTP body", count(1, 64 * MB)),
  maxUploadBytes: row("POSTHORN_MAX_UPLOAD_BYTES", "26214400", "bytes, 1 to 1073741824", "largest multipart post", count(1, 1_024 * MB)),
  tlsCert: row("POSTHORN_TLS_CERT", "", FILE, "certificate chain of the mail port", optional),
  tlsKey: row("POSTHORN_TLS_KEY", "", FILE, "its private key", optional),
  tlsRequired: row("POSTHORN_TLS_REQUIRED", "false", "true or false", "refuse mail in the clear", flag),
  trustedRelays: row("POSTHORN_TRUSTED_RELAYS", "", CIDRS, "relays whose PROXY, XCLIENT, XFORWARD and Authentication-Results count", networks),
  trustedProxies: row("POSTHORN_TRUSTED_PROXIES", "", CIDRS, "proxies whose Forwarded and X-Forwarded-For count", networks),
  allowedClients: row("POSTHORN_ALLOWED_CLIENTS", "", CIDRS, "who may connect to the mail port; empty is anybody", (value) => ({ networks: value === "" ? undefined : networks(value) })),
  authservIds: row("POSTHORN_AUTHSERV_IDS", "", "names, joined by commas", "whose Authentication-Results count", list),
  dnsServers: row("POSTHORN_DNS_SERVERS", "", "addresses, joined by commas", "resolvers; empty is the system's", list),
  smtpsListen: row("POSTHORN_SMTPS_LISTEN", "off", LISTEN, "SMTP with TLS from the first byte", listen),
  smtpProxy: row("POSTHORN_SMTP_PROXY", "off", "off or required", "PROXY header from trusted relays, everybody else closed", oneOf("off", "required")),
  dedupeWindow: row("POSTHORN_DEDUPE_WINDOW", "24h", DURATION, "how long a repeat is recognised by the stream", positiveDuration),
  eventsMaxAge: row("POSTHORN_EVENTS_MAX_AGE", "7d", DURATION, "how long events are kept", positiveDuration),
  replicas: row("POSTHORN_REPLICAS", "1", "1 to 5", "copies of each stream", count(1, 5)),
  archive: row("POSTHORN_ARCHIVE", "dead", "dead or all", "which raw mails are kept", oneOf("dead", "all")),
  maxConnections: row("POSTHORN_MAX_CONNECTIONS", "500", "1 to 100000", "mail connections at once", count(1, 100_000)),
  idleTimeout: row("POSTHORN_IDLE_TIMEOUT", "5m", DURATION, "silence that ends a mail connection", positiveDuration),
  transactionTimeout: row("POSTHORN_TRANSACTION_TIMEOUT", "10m", DURATION, "longest time from MAIL to the final dot", positiveDuration),
  softBounce: row("POSTHORN_SOFT_BOUNCE", "false", "true or false", "every 5xx goes out as 4xx", flag),
  workers: row("POSTHORN_WORKERS", "", "1 to 256; empty is the number of cores", "threads that parse", (value) => (value === "" ? availableParallelism() : count(1, 256)(value))),
  parseTimeout: row("POSTHORN_PARSE_TIMEOUT", "10s", DURATION, "CPU time that one mail may cost", positiveDuration),
  secretsKey: row("POSTHORN_SECRETS_KEY", "", "32 bytes in base64 or hex", "encrypts signing secrets", optional, true),
  captchaUrl: row("POSTHORN_CAPTCHA_URL", "", "an http:// or https:// address", "verify address instead of the captcha vendor's", optional),
  otlpEndpoint: row("OTEL_EXPORTER_OTLP_ENDPOINT", "", "an http:// or https:// address", "where traces go", optional),
  logLevel: row("POSTHORN_LOG_LEVEL", "info", "debug, info, warn, error or silent", "least level that is logged", oneOf("debug", "info", "warn", "error", "silent")),
} as const;

/** The settings as values, one member for each row. */
export type Settings = { readonly [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name] extends SettingRow<infer T> ? T : never };

/** The flag of a setting on `serve`: `POSTHORN_SMTP_LISTEN` is `--smtp-listen`. */
export function flagOf(variable: string): string {
  return `--${variable.replace(/^POSTHORN_/, "").toLowerCase().replaceAll("_", "-")}`;
}

/**
 * Reads every setting from flags (by member name), then the environment, then the defaults.
 *
 * Throws one `OperatorError` (exit code 78) that lists every wrong value with what is allowed.
 */
export function readSettings(env: NodeJS.ProcessEnv, flags: Readonly<Record<string, string | undefined>> = {}): Settings {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const given = flags[name] ?? env[setting.variable] ?? setting.default;
    const value = setting.read(given);
    if (value === undefined) problems.push(`${setting.variable}=${"secret" in setting ? "…" : given} is not allowed; allowed: ${setting.allowed}`);
    values[name] = value;
  }
  if (problems.length > 0) throw new OperatorError(problems.join("; "), "correct the setting and start again", { exitCode: 78 });
  const settings = values as Settings;
  if (settings.dedupeWindow > settings.eventsMaxAge) {
    throw new OperatorError("POSTHORN_DEDUPE_WINDOW is longer than POSTHORN_EVENTS_MAX_AGE", "shorten the window or keep events longer", { exitCode: 78 });
  }
  if ((settings.tlsCert.value === undefined) !== (settings.tlsKey.value === undefined)) {
    throw new OperatorError("POSTHORN_TLS_CERT and POSTHORN_TLS_KEY belong together", "set both or none", { exitCode: 78 });
  }
  return settings;
}
