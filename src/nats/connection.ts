import { readFile } from "node:fs/promises";

import type { Authenticator, ConnectionOptions, NatsConnection } from "@nats-io/transport-node";
import {
  connect,
  credsAuthenticator,
  errors,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";

import { OperatorError } from "../model/operator-error.ts";
import type { Log } from "../telemetry/log.ts";

/** How to reach NATS and who we are there; each file is a path. */
export interface NatsSettings {
  /** One URL or several, joined by commas. */
  readonly url: string;
  readonly credsFile?: string;
  /** An nkey seed, or a file that holds one. */
  readonly nkey?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
// A peer that is stopped, not gone, is noticed after three of these.
const PING_INTERVAL_MS = 5_000;
const RECONNECT_PAUSE_MS = 250;

/** The connection, and whether it is up right now: publishes while it is down are dropped by the client in silence. */
export interface Nats {
  readonly connection: NatsConnection;
  isConnected(): boolean;
}

/**
 * Connects to NATS and stays connected: after the first time it reconnects for ever.
 *
 * Throws `OperatorError` when the first connection cannot be made.
 */
export async function connectNats(settings: NatsSettings, log: Log): Promise<Nats> {
  const connection = await connect(await optionsOf(settings)).catch((error: unknown) => {
    throw connectError(settings.url, error);
  });
  let connected = true;
  void watchStatus(connection, log, (up) => (connected = up));
  return { connection, isConnected: () => connected && !connection.isClosed() };
}

/** Whether something that speaks NATS answers at `url` within `timeoutMs`. */
export async function answersNats(settings: NatsSettings, timeoutMs: number): Promise<boolean> {
  try {
    const connection = await connect({ ...(await optionsOf(settings)), timeout: timeoutMs, reconnect: false });
    await connection.close();
    return true;
  } catch (error) {
    // A server that refuses our credentials answers too; connecting will say so.
    return error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError;
  }
}

async function optionsOf(settings: NatsSettings): Promise<ConnectionOptions> {
  const [ca, cert, key] = await Promise.all(
    [settings.caFile, settings.certFile, settings.keyFile].map((file) =>
      file === undefined ? undefined : readText(file),
    ),
  );
  const tls = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
  return {
    servers: settings.url.split(",").map((url) => url.trim()),
    name: "posthorn",
    timeout: CONNECT_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_PAUSE_MS,
    reconnectJitter: RECONNECT_PAUSE_MS,
    pingInterval: PING_INTERVAL_MS,
    noAsyncTraces: true,
    ...(Object.keys(tls).length > 0 && { tls }),
    authenticator: await authenticatorsOf(settings),
  };
}

async function authenticatorsOf(settings: NatsSettings): Promise<Authenticator[]> {
  const authenticators: Authenticator[] = [];
  const { credsFile, nkey, user, password, token } = settings;
  if (credsFile !== undefined) authenticators.push(credsAuthenticator(Buffer.from(await readText(credsFile))));
  if (nkey !== undefined)
    authenticators.push(
      nkeyAuthenticator(Buffer.from(/^SU[A-Z2-7]{56}$/.test(nkey) ? nkey : (await readText(nkey)).trim())),
    );
  if (user !== undefined) authenticators.push(usernamePasswordAuthenticator(user, password ?? ""));
  if (token !== undefined) authenticators.push(tokenAuthenticator(token));
  return authenticators;
}

async function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new OperatorError(`cannot read ${file}`, "check the path and its permissions", {
      cause: error,
      exitCode: 78,
    });
  });
}

function connectError(url: string, error: unknown): OperatorError {
  if (error instanceof errors.AuthorizationError) {
    return new OperatorError(
      `NATS at ${url} refuses our credentials`,
      "check POSTHORN_NATS_CREDS, …_NKEY, …_USER and …_PASSWORD or …_TOKEN",
      { cause: error },
    );
  }
  return new OperatorError(
    `no NATS server answers at ${url}`,
    "start one, or set POSTHORN_NATS_URL; `npm start` starts one by itself",
    { cause: error },
  );
}

async function watchStatus(connection: NatsConnection, log: Log, onChange: (up: boolean) => void): Promise<void> {
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
      case "error":
        log.error("NATS refused something", { error: status.error });
        break;
      default:
    }
  }
}
