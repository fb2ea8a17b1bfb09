import type { ConnectionOptions, NatsConnection } from "@nats-io/transport-node";
import { connect, errors } from "@nats-io/transport-node";

import { OperatorError } from "../model/operator-error.ts";
import type { Log } from "../telemetry/log.ts";
import { connectError, isRefusal } from "./connect-error.ts";
import type { NatsCredentials } from "./credentials.ts";
import { OWN_PERMISSIONS, neededFor } from "./needed-permissions.ts";
import { authenticatorsOf, readOrSay } from "./credentials.ts";
import { INBOX_PREFIX } from "./inbox.ts";
import { parseNatsUrls, redactedUrls } from "./nats-url.ts";

/** How to reach NATS and who we are there; each file is a path. */
export interface NatsSettings extends NatsCredentials {
  /** One URL or several, joined by commas; credentials may stand in it. */
  readonly url: string;
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Where a server that we started keeps its password; named when the server refuses us. */
  readonly ownPasswordFile?: string | undefined;
}

const CONNECT_TIMEOUT_MS = 5_000;
// A peer that is stopped, not gone, is noticed after three of these.
const PING_INTERVAL_MS = 5_000;
const RECONNECT_PAUSE_MS = 250;
const FIRST_CONNECT_PAUSE_MS = 500;
/** Denied subjects that are remembered, so that each is named once in the log. */
const MAX_REMEMBERED_DENIALS = 100;

/** The connection, and whether it is up right now: publishes while it is down are dropped by the client in silence. */
export interface Nats {
  readonly connection: NatsConnection;
  isConnected(): boolean;
  /** For how long it has been down, in milliseconds; 0 while it is up. */
  awayMs(): number;
}

/**
 * Connects to NATS and stays connected: after the first time it reconnects for ever.
 *
 * The first connection is tried again for `keepTryingMs` (0: once). Throws `OperatorError` when it cannot be made.
 */
export async function connectNats(
  settings: NatsSettings,
  log: Log,
  { keepTryingMs = 0 }: { readonly keepTryingMs?: number } = {},
): Promise<Nats> {
  const options = optionsOf(settings);
  const deadline = Date.now() + keepTryingMs;
  let connection = await tryConnect(settings, options);
  while (connection instanceof OperatorError) {
    if (Date.now() >= deadline) throw connection;
    log.warn("NATS cannot be reached yet; trying again", { error: connection.message });
    await new Promise((wake) => setTimeout(wake, FIRST_CONNECT_PAUSE_MS));
    connection = await tryConnect(settings, options);
  }
  let awaySince: number | undefined;
  const onChange = (up: boolean) => {
    if (up) awaySince = undefined;
    else awaySince ??= performance.now();
  };
  watchStatus(connection, log, onChange).catch((error: unknown) => {
    log.error("The state of the NATS connection can no longer be seen", { error });
  });
  const nats = connection;
  return {
    connection: nats,
    isConnected: () => awaySince === undefined && !nats.isClosed(),
    awayMs: () => (awaySince === undefined ? 0 : performance.now() - awaySince),
  };
}

/** Whether something that speaks NATS answers at the settings' address within `timeoutMs`. */
export async function answersNats(settings: NatsSettings, timeoutMs: number): Promise<boolean> {
  const options = optionsOf(settings);
  try {
    const connection = await connect({ ...options, timeout: timeoutMs, reconnect: false });
    await connection.close();
    return true;
  } catch (error) {
    // A server that refuses our credentials answers too; connecting will say so.
    return isRefusal(error);
  }
}

async function tryConnect(settings: NatsSettings, options: ConnectionOptions): Promise<NatsConnection | OperatorError> {
  try {
    return await connect(options);
  } catch (error) {
    const { url, ownPasswordFile } = settings;
    return connectError({ urls: redactedUrls(url), wantsTls: options.tls !== undefined, ownPasswordFile }, error);
  }
}

function optionsOf(settings: NatsSettings): ConnectionOptions {
  const urls = parseNatsUrls(settings.url);
  const tls = {
    ...(settings.caFile !== undefined && { ca: readOrSay(settings.caFile).toString("utf8") }),
    ...(settings.certFile !== undefined && { cert: readOrSay(settings.certFile).toString("utf8") }),
    ...(settings.keyFile !== undefined && { key: readOrSay(settings.keyFile).toString("utf8") }),
  };
  return {
    servers: [...urls.servers],
    name: "posthorn",
    inboxPrefix: INBOX_PREFIX,
    timeout: CONNECT_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_PAUSE_MS,
    reconnectJitter: RECONNECT_PAUSE_MS,
    // Without it the second refusal in a row closes the connection for good, and rights come back (nats.js 3.4.0).
    ignoreAuthErrorAbort: true,
    pingInterval: PING_INTERVAL_MS,
    noAsyncTraces: true,
    ...((urls.tls || Object.keys(tls).length > 0) && { tls }),
    authenticator: authenticatorsOf({
      user: urls.user,
      password: urls.password,
      token: urls.token,
      ...given(settings),
    }),
  };
}

/** Settings that are set; they outrank what stands in the URL. */
function given({ credsFile, nkey, user, password, token }: NatsSettings): NatsCredentials {
  return {
    ...(credsFile !== undefined && { credsFile }),
    ...(nkey !== undefined && { nkey }),
    ...(user !== undefined && { user, password }),
    ...(token !== undefined && { token }),
  };
}

async function watchStatus(connection: NatsConnection, log: Log, onChange: (up: boolean) => void): Promise<void> {
  const denied = new Set<string>();
  for await (const status of connection.status()) {
    switch (status.type) {
      case "disconnect":
        onChange(false);
        log.warn("NATS is away; mail is answered with 451 until it is back", { server: status.server });
        break;
      case "reconnect":
        onChange(true);
        log.info("NATS is back", { server: status.server });
        break;
      case "staleConnection":
        onChange(false);
        log.warn("NATS does not answer pings; the connection is made anew");
        break;
      case "ldm":
        log.warn("The NATS server is about to stop; another one is looked for", { server: status.server });
        break;
      case "slowConsumer":
        log.warn("NATS sends faster than we read", { pending: status.pending });
        break;
      case "error":
        logError(status.error, denied, log);
        break;
      case "close":
        onChange(false);
        break;
      case "reconnecting":
      case "update":
      case "forceReconnect":
      case "ping":
        break;
    }
  }
}

/** A denied subscription shows here only; a denied publish at its caller too, each time. */
function logError(error: Error, denied: Set<string>, log: Log): void {
  if (!(error instanceof errors.PermissionViolationError)) {
    log.error("NATS refused something", { error: error.message });
    return;
  }
  // Asked for `doctor` only, and Posthorn runs without it.
  if (error.subject === OWN_PERMISSIONS) return;
  const key = `${error.operation} ${error.subject}`;
  if (denied.has(key) || denied.size >= MAX_REMEMBERED_DENIALS) return;
  denied.add(key);
  const needed = neededFor(error);
  log.error("NATS permission missing; `posthorn permissions` prints all that are needed", {
    operation: error.operation,
    natsSubject: error.subject,
    ...(needed !== undefined && { toAllow: needed.subject }),
  });
}
