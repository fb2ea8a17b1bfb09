import type { Settings } from "../config/settings.ts";
import { planDifferences } from "../nats/plan-differences.ts";
import type { Log } from "../telemetry/log.ts";
import { warnOfMissingPermissions } from "./health-permissions.ts";
import { missingHere } from "./hook-secrets.ts";
import { streamSettingsOf } from "./nats-settings.ts";
import { publishSettings } from "./public-settings.ts";
import type { Storage } from "./storage.ts";

const SECRETS_EVERY_MS = 5_000;
const PUBLISH_EVERY_MS = 60_000;

/**
 * Says in the log what of the settings is not as it should be: streams that are otherwise than they say, permissions that are
 * missing, secrets that hooks name and nobody has set; the last ones also of hooks that are installed later. Writes for
 * commands what they need to know. None of it keeps the start waiting.
 */
export function saySettings(
  storage: Storage,
  settings: Settings,
  { env, log }: { readonly env: NodeJS.ProcessEnv; readonly log: Log },
): Disposable {
  const said = new Set<string>();
  const saySecrets = () => {
    const missing = missingHere(storage, env).map(({ eventName, problem }) => ({ hook: eventName, problem }));
    const keys = new Set(missing.map((one) => JSON.stringify(one)));
    for (const one of missing) {
      const key = JSON.stringify(one);
      if (said.has(key)) continue;
      said.add(key);
      log.warn("Hook secret missing; its senders are told to try again", one);
    }
    // What was set and is taken away again is said again.
    for (const key of said) if (!keys.has(key)) said.delete(key);
  };
  const publish = () => {
    publishSettings(storage, settings, { env, log }).catch((error: unknown) =>
      log.warn("Commands cannot learn the addresses of hooks from the registry", { error }),
    );
  };
  const look = async () => {
    await warnOfMissingPermissions(storage, settings, log);
    const configs = storage.streams.map(({ config }) => config);
    for (const { stream, what, command } of planDifferences(configs, streamSettingsOf(settings)))
      log.warn("A stream differs from the settings", { stream, what, command });
  };
  saySecrets();
  publish();
  look().catch((error: unknown) => log.debug("The permissions of our NATS user could not be asked for", { error }));
  const timers = [
    setInterval(saySecrets, SECRETS_EVERY_MS),
    // Somebody made the registry anew.
    setInterval(() => storage.snapshot.published === undefined && publish(), PUBLISH_EVERY_MS),
  ];
  return { [Symbol.dispose]: () => timers.forEach(clearInterval) };
}
