import { resolve } from "node:path";

import { keptSecret, readSecret } from "../config/kept-secret.ts";
import type { Settings } from "../config/settings.ts";
import { OperatorError } from "../model/operator-error.ts";
import type { NatsSettings } from "../nats/connection.ts";
import type { OwnCredentials } from "../nats/local-server.ts";
import { loopbackAddress, parseNatsUrls } from "../nats/nats-url.ts";
import type { ProvisionSettings } from "../nats/provision.ts";

const OWN_USER = "posthorn";
const PASSWORD_FILE = "nats-password";

/**
 * What of the settings says how to reach NATS. Where they name no credentials, and the server is one that could be our
 * own, its password in the data directory counts, for the daemon and for each command (contract §8).
 *
 * Throws `OperatorError` when that file is open to other users.
 */
export function natsSettingsOf(settings: Settings): NatsSettings {
  const given = {
    credsFile: settings.natsCreds.value,
    nkey: settings.natsNkey.value,
    user: settings.natsUser.value,
    password: settings.natsPassword.value,
    token: settings.natsToken.value,
    caFile: settings.natsCa.value,
    certFile: settings.natsCert.value,
    keyFile: settings.natsKey.value,
  };
  return {
    url: settings.natsUrl,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(mayBeOwn(settings) && ownCredentialsOf(settings)),
  };
}

/**
 * Who may use the server of our own that is about to start: those whom the settings name, else the user `posthorn` with a
 * password that is generated once. Throws `OperatorError` for credentials that our server would not know.
 */
export async function ownServerCredentials(settings: Settings): Promise<OwnCredentials> {
  const { user = settings.natsUser.value, password = settings.natsPassword.value } = parseNatsUrls(settings.natsUrl);
  if (user !== undefined && password !== undefined) return { user, password };
  if (!mayBeOwn(settings))
    throw new OperatorError(
      "no NATS server answers, and a server of our own would not know the credentials that are set",
      "start your server, or unset POSTHORN_NATS_CREDS, …_NKEY, …_USER and …_TOKEN",
    );
  const { secret } = await keptSecret(settings.dataDir, {
    name: PASSWORD_FILE,
    what: "the password of the nats-server",
    hint: "set POSTHORN_DATA_DIR to a folder that can be written",
  });
  return { user: OWN_USER, password: secret };
}

/** Nobody else's server is told our password: it listens on loopback, and no other credentials are set. */
function mayBeOwn({ natsUrl, natsCreds, natsNkey, natsUser, natsToken }: Settings): boolean {
  const { user, token } = parseNatsUrls(natsUrl);
  const set = [natsCreds.value, natsNkey.value, natsUser.value, natsToken.value, user, token];
  return loopbackAddress(natsUrl) !== undefined && set.every((value) => value === undefined);
}

function ownCredentialsOf({ dataDir }: Settings): Partial<NatsSettings> {
  const ownPasswordFile = resolve(dataDir, PASSWORD_FILE);
  try {
    const password = readSecret(ownPasswordFile);
    return password === undefined ? { ownPasswordFile } : { ownPasswordFile, user: OWN_USER, password };
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    // Not ours to read: a server that asks for it says so, another one does not.
    return { ownPasswordFile };
  }
}

/** What of the settings says how streams are made, and where. */
export function streamSettingsOf(settings: Settings): ProvisionSettings {
  const { dedupeWindow: dedupeWindowMs, eventsMaxAge: eventsMaxAgeMs, replicas, natsDomain } = settings;
  return { dedupeWindowMs, eventsMaxAgeMs, replicas, domain: natsDomain.value };
}
