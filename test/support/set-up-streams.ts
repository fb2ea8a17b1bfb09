import { readSettings } from "../../src/config/settings.ts";
import { openStorage } from "../../src/daemon/storage.ts";
import type { NatsServer } from "./nats-server.ts";
import { silentLog } from "./silent-log.ts";

/** Creates every stream and bucket, as the start of the daemon does; commands find them then. */
export async function setUpStreams(nats: NatsServer, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const settings = readSettings({ POSTHORN_NATS_URL: nats.url, ...env });
  await (await openStorage(settings, silentLog))[Symbol.asyncDispose]();
}
