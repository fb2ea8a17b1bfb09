import { nearestOf } from "../lib/nearest.ts";
import { OperatorError } from "../model/operator-error.ts";
import {
  readCount,
  readDomainName,
  readDomains,
  readDuration,
  readFlag,
  readHeaderFields,
  readHttpUrl,
  readList,
  readListenAddress,
  readNatsUrls,
  readNetworks,
  readNetworksOrAnybody,
  readOneOf,
  readOptional,
  readOptionalHttpUrl,
  readResolvers,
  readRoles,
  readSecretsKey,
  readToken,
  readWorkers,
} from "./setting-readers.ts";

/** One setting: the variable, what it is for, and how its text is read. `undefined` from `read` means not allowed. */
export interface SettingRow<T> {
  readonly variable: `POSTHORN_${string}` | `OTEL_EXPORTER_OTLP_${"ENDPOINT" | "HEADERS"}`;
  /** As it would be written; "" is not set. */
  readonly default: string;
  /** What is allowed, in words. */
  readonly allowed: string;
  readonly meaning: string;
  readonly secret?: true;
  readonly read: (text: string) => T | undefined;
}

/** One row of the table. */
function row<T>(
  variable: SettingRow<T>["variable"],
  fallback: string,
  allowed: string,
  meaning: string,
  read: (text: string) => T | undefined,
  secret?: true,
): SettingRow<T> {
  return { variable, default: fallback, allowed, meaning, read, ...(secret && { secret }) };
}

const MB = 1024 * 1024;
const LISTEN = "host:port, [v6]:port, unix:/path or off";
const DURATION = "a duration such as 250ms, 10s, 5m, 24h or 7d";
const CIDRS = "addresses or CIDRs, joined by commas";
const FILE = "the path of a file";

/** Every setting (contract §9). The README's table and the flags of `serve` are made of these rows. */
export const SETTINGS = {
  natsUrl: row(
    "POSTHORN_NATS_URL",
    "nats://127.0.0.1:4222",
    "nats:// or tls:// addresses, joined by commas",
    "the NATS server",
    readNatsUrls,
  ),
  natsCreds: row("POSTHORN_NATS_CREDS", "", FILE, "credentials file", readOptional),
  natsNkey: row(
    "POSTHORN_NATS_NKEY",
    "",
    "an nkey seed, or the path of a file that holds one",
    "nkey seed",
    readOptional,
    true,
  ),
  natsUser: row("POSTHORN_NATS_USER", "", "a name", "user name", readOptional),
  natsPassword: row("POSTHORN_NATS_PASSWORD", "", "a password", "password", readOptional, true),
  natsToken: row("POSTHORN_NATS_TOKEN", "", "a token", "token", readOptional, true),
  natsCa: row("POSTHORN_NATS_CA", "", FILE, "CA certificates of the server", readOptional),
  natsCert: row("POSTHORN_NATS_CERT", "", FILE, "our client certificate", readOptional),
  natsKey: row("POSTHORN_NATS_KEY", "", FILE, "its private key", readOptional),
  natsDomain: row(
    "POSTHORN_NATS_DOMAIN",
    "",
    "a name without dots and blanks",
    "JetStream domain, where it is not the server's own",
    readDomainName,
  ),
  smtpListen: row("POSTHORN_SMTP_LISTEN", "127.0.0.1:2525", LISTEN, "where relays deliver by SMTP", readListenAddress),
  lmtpListen: row("POSTHORN_LMTP_LISTEN", "off", LISTEN, "where relays deliver by LMTP", readListenAddress),
  httpListen: row("POSTHORN_HTTP_LISTEN", "127.0.0.1:8080", LISTEN, "form and web hooks", readListenAddress),
  adminListen: row(
    "POSTHORN_ADMIN_LISTEN",
    "127.0.0.1:8081",
    LISTEN,
    "admin page and API, /livez, /readyz, /metrics",
    readListenAddress,
  ),
  adminToken: row(
    "POSTHORN_ADMIN_TOKEN",
    "",
    "at least 16 characters",
    "generated into the data directory when not set",
    readToken,
    true,
  ),
  adminUrl: row(
    "POSTHORN_ADMIN_URL",
    "",
    "an http:// or https:// address",
    "how administrators reach the admin page, when by a name other than localhost",
    readOptionalHttpUrl,
  ),
  oidcIssuer: row(
    "POSTHORN_OIDC_ISSUER",
    "",
    "an http:// or https:// address",
    "OpenID Connect provider for the admin page; needs POSTHORN_ADMIN_URL",
    readOptionalHttpUrl,
  ),
  oidcClientId: row("POSTHORN_OIDC_CLIENT_ID", "", "a name", "our client id at the provider", readOptional),
  oidcClientSecret: row("POSTHORN_OIDC_CLIENT_SECRET", "", "a secret", "our client secret there", readOptional, true),
  oidcClaim: row(
    "POSTHORN_OIDC_CLAIM",
    "groups",
    "the name of a claim",
    "claim whose values give somebody a role",
    (text) => text || undefined,
  ),
  oidcRoles: row(
    "POSTHORN_OIDC_ROLES",
    "viewer=posthorn-viewer,operator=posthorn-operator,administrator=posthorn-administrator",
    "role=value pairs joined by commas, the roles viewer, operator and administrator",
    "which value of the claim is which role",
    readRoles,
  ),
  mailDomain: row(
    "POSTHORN_MAIL_DOMAIN",
    "localhost",
    "domain names, joined by commas",
    "domains of the hooks' addresses",
    readDomains,
  ),
  publicUrl: row(
    "POSTHORN_PUBLIC_URL",
    "http://localhost:8080",
    "an http:// or https:// address",
    "how senders reach the HTTP port",
    readHttpUrl,
  ),
  dataDir: row(
    "POSTHORN_DATA_DIR",
    "./data",
    "a folder",
    "admin token, and the store of a nats-server of our own",
    (text) => text || undefined,
  ),
  maxMessageBytes: row(
    "POSTHORN_MAX_MESSAGE_BYTES",
    "26214400",
    "bytes, 1024 to 268435456",
    "largest mail",
    readCount(1_024, 256 * MB),
  ),
  maxBodyBytes: row(
    "POSTHORN_MAX_BODY_BYTES",
    "1048576",
    "bytes, 1 to 67108864",
    "largest HTTP body",
    readCount(1, 64 * MB),
  ),
  maxUploadBytes: row(
    "POSTHORN_MAX_UPLOAD_BYTES",
    "26214400",
    "bytes, 1 to 1073741824",
    "largest multipart post",
    readCount(1, 1_024 * MB),
  ),
  tlsCert: row("POSTHORN_TLS_CERT", "", FILE, "certificate chain of the mail port", readOptional),
  tlsKey: row("POSTHORN_TLS_KEY", "", FILE, "its private key", readOptional),
  tlsClientCa: row(
    "POSTHORN_TLS_CLIENT_CA",
    "",
    FILE,
    "relays with a client certificate from this CA count as logged in; others need none",
    readOptional,
  ),
  tlsRequired: row("POSTHORN_TLS_REQUIRED", "false", "true or false", "refuse mail in the clear", readFlag),
  trustedRelays: row(
    "POSTHORN_TRUSTED_RELAYS",
    "",
    CIDRS,
    "relays whose PROXY, XCLIENT, XFORWARD and Authentication-Results count",
    readNetworks,
  ),
  trustedProxies: row(
    "POSTHORN_TRUSTED_PROXIES",
    "",
    CIDRS,
    "proxies whose Forwarded and X-Forwarded-For count",
    readNetworks,
  ),
  allowedClients: row(
    "POSTHORN_ALLOWED_CLIENTS",
    "",
    CIDRS,
    "who may connect to the mail port; empty is anybody",
    readNetworksOrAnybody,
  ),
  authservIds: row(
    "POSTHORN_AUTHSERV_IDS",
    "",
    "names, joined by commas",
    "whose Authentication-Results count",
    readList,
  ),
  dnsServers: row(
    "POSTHORN_DNS_SERVERS",
    "",
    "addresses, joined by commas",
    "resolvers; empty is the system's",
    readResolvers,
  ),
  smtpsListen: row("POSTHORN_SMTPS_LISTEN", "off", LISTEN, "SMTP with TLS from the first byte", readListenAddress),
  smtpProxy: row(
    "POSTHORN_SMTP_PROXY",
    "off",
    "off or required",
    "PROXY header from trusted relays, everybody else closed",
    readOneOf("off", "required"),
  ),
  dedupeWindow: row(
    "POSTHORN_DEDUPE_WINDOW",
    "24h",
    DURATION,
    "how long a repeat is recognised by the stream",
    readDuration,
  ),
  eventsMaxAge: row("POSTHORN_EVENTS_MAX_AGE", "7d", DURATION, "how long events are kept", readDuration),
  replicas: row("POSTHORN_REPLICAS", "1", "1 to 5", "copies of each stream", readCount(1, 5)),
  archive: row("POSTHORN_ARCHIVE", "dead", "dead or all", "which raw mails are kept", readOneOf("dead", "all")),
  maxConnections: row(
    "POSTHORN_MAX_CONNECTIONS",
    "500",
    "1 to 100000",
    "mail connections at once",
    readCount(1, 100_000),
  ),
  clientConnections: row(
    "POSTHORN_CLIENT_CONNECTIONS",
    "50",
    "1 to 100000",
    "connections of one stranger's address at once, by mail and by HTTP each; its network (/24, /64) may have twice as many",
    readCount(1, 100_000),
  ),
  clientMailsPerMinute: row(
    "POSTHORN_CLIENT_MAILS_PER_MINUTE",
    "600",
    "1 to 1000000",
    "mails of one stranger's address in a minute; its network, and one sender's domain, may send twice as many",
    readCount(1, 1_000_000),
  ),
  processes: row(
    "POSTHORN_PROCESSES",
    "1",
    "1 to 1000",
    "processes that share the load; each allows its part of what is limited by the minute",
    readCount(1, 1_000),
  ),
  idleTimeout: row("POSTHORN_IDLE_TIMEOUT", "5m", DURATION, "silence that ends a mail connection", readDuration),
  transactionTimeout: row(
    "POSTHORN_TRANSACTION_TIMEOUT",
    "10m",
    DURATION,
    "longest time from MAIL to the final dot",
    readDuration,
  ),
  softBounce: row("POSTHORN_SOFT_BOUNCE", "false", "true or false", "every 5xx goes out as 4xx", readFlag),
  workers: row(
    "POSTHORN_WORKERS",
    "",
    "1 to 256; empty is the number of cores less one, but at least 1",
    "engine threads for ordinary messages; one more stands by",
    readWorkers,
  ),
  parseTimeout: row("POSTHORN_PARSE_TIMEOUT", "10s", DURATION, "CPU time that one mail may cost", readDuration),
  secretsKey: row(
    "POSTHORN_SECRETS_KEY",
    "",
    "32 bytes in base64 or hex",
    "encrypts signing secrets",
    readSecretsKey,
    true,
  ),
  captchaUrl: row(
    "POSTHORN_CAPTCHA_URL",
    "",
    "an http:// or https:// address",
    "verify address instead of the captcha vendor's",
    readOptionalHttpUrl,
  ),
  otlpEndpoint: row(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "",
    "an http:// or https:// address",
    "where traces go",
    readOptionalHttpUrl,
  ),
  otlpHeaders: row(
    "OTEL_EXPORTER_OTLP_HEADERS",
    "",
    "name=value pairs, percent-encoded, joined by commas",
    "header fields that go with traces, such as the collector's key",
    readHeaderFields,
    true,
  ),
  logLevel: row(
    "POSTHORN_LOG_LEVEL",
    "info",
    "debug, info, warn, error or silent",
    "least level that is logged",
    readOneOf("debug", "info", "warn", "error", "silent"),
  ),
} as const;

/** The settings as values, one member for each row. */
export type Settings = {
  readonly [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name] extends SettingRow<infer T> ? T : never;
};

/** The flag of a setting on `serve`: `POSTHORN_SMTP_LISTEN` is `--smtp-listen`. */
export function flagOf(variable: string): string {
  return `--${variable
    .replace(/^POSTHORN_/, "")
    .toLowerCase()
    .replaceAll("_", "-")}`;
}

/**
 * Reads every setting from flags (by member name), then the environment, then the defaults.
 *
 * Throws one `OperatorError` (exit code 78) that lists every wrong value with what is allowed.
 */
export function readSettings(
  env: NodeJS.ProcessEnv,
  flags: Readonly<Record<string, string | undefined>> = {},
): Settings {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  const written = new Map<string, string>();
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const text = textOf(name, setting, env, flags);
    values[name] = setting.read(text);
    written.set(setting.variable, "secret" in setting ? "…" : JSON.stringify(withoutCredentials(text)));
    if (values[name] === undefined) {
      problems.push(`${setting.variable} is ${written.get(setting.variable)}; allowed: ${setting.allowed}`);
    }
  }
  // The cast stands beside the check: rules over several settings look only at those that could be read.
  const settings = values as Settings;
  problems.push(...problemsBetween(settings, (variable) => `${variable} is ${written.get(variable)}`));
  if (problems.length > 0)
    throw new OperatorError(problems.join("; "), "Correct the setting and start again", { exitCode: 78 });
  return settings;
}

/** Addresses may hold a user and a password. */
const withoutCredentials = (text: string) => text.replace(/(^|\/\/|,)[^/,@\s]*@/g, "$1…@");

/** What one setting alone cannot get wrong; `said` names a variable with its value. */
function problemsBetween(settings: Partial<Settings>, said: (variable: string) => string): string[] {
  const { dedupeWindow, eventsMaxAge, tlsCert, tlsKey, tlsRequired, tlsClientCa, smtpsListen } = settings;
  const problems: string[] = [];
  // JetStream refuses a duplicate window that is longer than the age of the oldest message (10052).
  if (dedupeWindow !== undefined && eventsMaxAge !== undefined && dedupeWindow > eventsMaxAge)
    problems.push(
      `${said("POSTHORN_DEDUPE_WINDOW")}; allowed: at most as long as events are kept, and ${said("POSTHORN_EVENTS_MAX_AGE")}`,
    );
  if ((tlsCert?.value === undefined) !== (tlsKey?.value === undefined))
    problems.push(`${said("POSTHORN_TLS_CERT")} and ${said("POSTHORN_TLS_KEY")}; allowed: both or none`);
  const hasCertificate = tlsCert?.value !== undefined;
  if (tlsRequired?.on === true && !hasCertificate)
    problems.push(`${said("POSTHORN_TLS_REQUIRED")} without POSTHORN_TLS_CERT; allowed: true with a certificate`);
  if (smtpsListen !== undefined && smtpsListen.at !== "off" && !hasCertificate)
    problems.push(`${said("POSTHORN_SMTPS_LISTEN")} without POSTHORN_TLS_CERT; allowed: off, or with a certificate`);
  if (tlsClientCa?.value !== undefined && !hasCertificate)
    problems.push(
      `${said("POSTHORN_TLS_CLIENT_CA")} without POSTHORN_TLS_CERT; allowed: with a certificate of our own`,
    );
  // Nobody is trusted, so every connection would be closed.
  if (settings.smtpProxy === "required" && settings.trustedRelays?.rules.length === 0)
    problems.push(
      `${said("POSTHORN_SMTP_PROXY")} without POSTHORN_TRUSTED_RELAYS; allowed: off, or required with the addresses of the load balancers there`,
    );
  return [...problems, ...signInProblems(settings)];
}

/** OpenID Connect needs to know where it comes back to, and who we are there. */
function signInProblems({ oidcIssuer, oidcClientId, adminUrl }: Partial<Settings>): string[] {
  if (oidcIssuer?.value === undefined) return [];
  const missing = [
    adminUrl?.value === undefined && "POSTHORN_ADMIN_URL",
    oidcClientId?.value === undefined && "POSTHORN_OIDC_CLIENT_ID",
  ].filter((name) => name !== false);
  return missing.length === 0
    ? []
    : [`POSTHORN_OIDC_ISSUER is set without ${missing.join(" and ")}; allowed: all of them, or none`];
}

/** The settings that are not left at their defaults, as they are written, by variable; secrets are not shown. */
export function changedSettings(
  env: NodeJS.ProcessEnv,
  flags: Readonly<Record<string, string | undefined>> = {},
): Readonly<Record<string, string>> {
  const changed = Object.entries(SETTINGS).flatMap(([name, setting]): [string, string][] => {
    const text = textOf(name, setting, env, flags);
    return text === setting.default ? [] : [[setting.variable, "secret" in setting ? "…" : withoutCredentials(text)]];
  });
  return Object.fromEntries(changed);
}

/** A flag wins; an empty variable is what `NAME=` in a compose file means: not set. */
function textOf(
  name: string,
  setting: Pick<SettingRow<unknown>, "variable" | "default">,
  env: NodeJS.ProcessEnv,
  flags: Readonly<Record<string, string | undefined>>,
): string {
  return flags[name] ?? (env[setting.variable] || setting.default);
}

/** What Kubernetes sets in every pod beside a service called `posthorn` (kubernetes.io, "Service", environment variables). */
const OF_KUBERNETES =
  /^POSTHORN_(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;
/** `POSTHORN_SECRET_<APP>_…`: a hook's option names it. */
const OF_AN_APP = /^POSTHORN_SECRET_[A-Z0-9_]+_[A-Z0-9_]+$/;

/**
 * Variables that look like settings and are none, each with the setting it was probably meant to be.
 *
 * A misspelt name would otherwise leave its default in force without a word.
 */
export function unknownSettings(
  env: NodeJS.ProcessEnv,
): { readonly name: string; readonly nearest: string | undefined }[] {
  const known: readonly string[] = Object.values(SETTINGS).map(({ variable }) => variable);
  return Object.keys(env)
    .filter((name) => /^POSTHORN_/i.test(name) && !known.includes(name))
    .filter((name) => !OF_AN_APP.test(name) && !OF_KUBERNETES.test(name))
    .map((name) => ({ name, nearest: nearestOf(name, known) }));
}
