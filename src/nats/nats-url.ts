import { OperatorError } from "../model/operator-error.ts";

/** The servers that `POSTHORN_NATS_URL` names, and the credentials that stand in it. */
export interface NatsUrls {
  /** `host:port`, IPv6 in brackets. */
  readonly servers: readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** `tls://`: never in the clear, even where the server allows it. */
  readonly tls: boolean;
}

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);
const SCHEMES: ReadonlySet<string> = new Set(["nats:", "tls:"]);

/**
 * Reads one URL or several, joined by commas; `host` alone is `nats://host:4222`.
 *
 * The client (nats.js 3.4.0) looks at host and port only: `user:password@`, `token@` and `tls://` would be ignored in
 * silence. Throws `OperatorError`, exit code 78, for anything else; the error never repeats a password.
 */
export function parseNatsUrls(text: string): NatsUrls {
  const urls = text.split(",").map((part) => parseOne(part.trim()));
  const named = urls.find(({ username }) => username !== "");
  const user = decodeURIComponent(named?.username ?? "");
  const password = decodeURIComponent(named?.password ?? "");
  return {
    servers: urls.map(({ host }) => (/:\d+$/.test(host) ? host : `${host}:4222`)),
    tls: urls.some(({ protocol }) => protocol === "tls:"),
    ...(user !== "" && (password === "" ? { token: user } : { user, password })),
  };
}

/** `host:port` where a server of our own may listen: the one address that `urls` name, when it is loopback. */
export function loopbackAddress(urls: string): string | undefined {
  const [server = "", ...others] = parseNatsUrls(urls).servers;
  const [, host = "", port = ""] = /^(.+):(\d+)$/.exec(server) ?? [];
  if (others.length > 0 || !LOOPBACK.has(host)) return undefined;
  return `${host === "localhost" ? "127.0.0.1" : host}:${port}`;
}

/** The URLs as they may stand in logs and errors: without credentials. */
export function redactedUrls(text: string): string {
  return text.replace(/(^|\/\/|,)[^/,@]*@/g, "$1…@");
}

function parseOne(text: string): URL {
  const url = URL.parse(text.includes("://") ? text : `nats://${text}`);
  if (url === null || !SCHEMES.has(url.protocol) || url.hostname === "") {
    throw new OperatorError(
      `POSTHORN_NATS_URL holds ${JSON.stringify(redactedUrls(text))}, which is no address of a NATS server`,
      "write nats://host:4222 or tls://host:4222, several joined by commas",
      { exitCode: 78 },
    );
  }
  return url;
}
