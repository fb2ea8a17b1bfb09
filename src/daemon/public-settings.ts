import type { Settings } from "../config/settings.ts";
import { SETTINGS } from "../config/settings.ts";
import type { Addresses } from "../registry/hook-row.ts";
import type { PublishedSettings } from "../registry/published-settings.ts";
import { keys } from "../registry/records.ts";
import type { Log } from "../telemetry/log.ts";
import type { Storage } from "./storage.ts";

/** Where senders reach hooks, by these settings. */
export function addressesOf({ mailDomain, publicUrl }: Settings): Addresses {
  return {
    mailDomains: mailDomain,
    mailDomainsAreDefault: mailDomain.join(",") === SETTINGS.mailDomain.default,
    publicUrl,
    publicUrlIsDefault: publicUrl === SETTINGS.publicUrl.default,
  };
}

/** The settings of a command, with the daemon's addresses: those decide what arrives. Its own count where the daemon has none. */
export function withDaemonsAddresses(settings: Settings, published: PublishedSettings | undefined): Settings {
  return {
    ...settings,
    mailDomain: published?.mailDomains ?? settings.mailDomain,
    publicUrl: published?.publicUrl ?? settings.publicUrl,
  };
}

/** Writes into the registry what commands need to know of the daemon's settings. Never throws: the daemon serves without it too. */
export async function publishSettings(
  { snapshot, secrets }: Pick<Storage, "snapshot" | "secrets">,
  settings: Settings,
  { env, log }: { readonly env: NodeJS.ProcessEnv; readonly log: Log },
): Promise<void> {
  const { mailDomains, mailDomainsAreDefault, publicUrl, publicUrlIsDefault } = addressesOf(settings);
  const published: PublishedSettings = {
    ...(!mailDomainsAreDefault && { mailDomains }),
    ...(!publicUrlIsDefault && { publicUrl }),
    secretVariables: secretVariablesIn(env),
    secretsKeyId: secrets.keyId,
  };
  const text = JSON.stringify(published);
  if (text === JSON.stringify(snapshot.published)) return;
  try {
    await snapshot.kv.put(keys.daemonSettings, text);
  } catch (error) {
    log.warn("Commands cannot learn the addresses of hooks from the registry", { error });
  }
}

function secretVariablesIn(env: NodeJS.ProcessEnv): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith("POSTHORN_SECRET_") && env[name] !== "")
    .sort();
}
