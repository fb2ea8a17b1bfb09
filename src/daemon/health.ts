import type { Settings } from "../config/settings.ts";
import { durabilityInWords } from "../nats/durability.ts";
import { STREAMS } from "../nats/provision.ts";
import type { Storage } from "./storage.ts";

/** One thing that was looked at, and what it means. */
export interface HealthCheck {
  readonly name: string;
  /** False keeps `/readyz` at 503: nothing can be taken while it lasts. */
  readonly ok: boolean;
  /** Works, and somebody should look at it. */
  readonly warning?: true;
  readonly detail: string;
}

const ALMOST_FULL = 0.9;

/** Looks at NATS, the streams and the registry. Never throws: what cannot be looked at is a failed check. */
export async function checkHealth(storage: Storage, settings: Settings): Promise<HealthCheck[]> {
  const { nats, snapshot, jsm } = storage;
  const checks: HealthCheck[] = [
    {
      name: "nats",
      ok: nats.isConnected(),
      detail: nats.isConnected()
        ? `connected to ${nats.connection.getServer()}, nats-server ${nats.connection.info?.version ?? "?"}`
        : "away; mail hears 451 until it is back",
    },
    {
      name: "registry",
      ok: snapshot.isLoaded,
      detail: snapshot.isLoaded
        ? `${snapshot.hooks().length} hooks of ${snapshot.apps().length} apps`
        : "not loaded yet",
    },
  ];
  if (!nats.isConnected()) return checks;
  for (const stream of [STREAMS.events, STREAMS.deadLetters]) {
    try {
      const info = await jsm.streams.info(stream);
      const { bytes, messages } = info.state;
      const limit = info.config.max_bytes;
      const full = limit > 0 ? bytes / limit : 0;
      checks.push({
        name: `stream ${stream}`,
        ok: true,
        ...(full >= ALMOST_FULL && { warning: true }),
        detail: `${messages} messages, ${limit > 0 ? `${Math.round(full * 100)} % of ${limit} bytes` : `${bytes} bytes, no limit of its own`}`,
      });
      if (stream === STREAMS.events)
        checks.push({ name: "durability", ok: true, detail: durabilityInWords(info, storage.serverSyncsAlways) });
    } catch (error) {
      checks.push({
        name: `stream ${stream}`,
        ok: false,
        detail: `cannot be read: ${error instanceof Error ? error.message : String(error)}; mail hears 451 4.3.5`,
      });
    }
  }
  if (settings.mailDomain.includes("localhost"))
    checks.push({
      name: "mail domain",
      ok: true,
      warning: true,
      detail: "localhost: set POSTHORN_MAIL_DOMAIN before relays on other machines deliver here",
    });
  return checks;
}
