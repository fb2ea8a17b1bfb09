import type { Settings } from "../config/settings.ts";
import type { NatsSettings } from "../nats/connection.ts";

/** What of the settings says how to reach NATS. */
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
  };
}
