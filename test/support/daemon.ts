import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readSettings } from "../../src/config/settings.ts";
import type { Daemon } from "../../src/daemon/start.ts";
import { startDaemon } from "../../src/daemon/start.ts";
import type { Hook } from "../../src/model/hook.ts";
import { readAppDefinition } from "../../src/registry/app-definition.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { silentLog } from "./silent-log.ts";
import type { NatsServer } from "./nats-server.ts";
import type { Relay } from "./relay.ts";
import { connectRelay } from "./relay.ts";

/** A daemon in this process, on free ports, against a real nats-server. */
export class TestDaemon {
  readonly daemon: Daemon;
  readonly #folder: string;

  constructor(daemon: Daemon, folder: string) {
    this.daemon = daemon;
    this.#folder = folder;
  }

  /** Installs one app with these hooks and returns them as the registry has them. */
  async install(hooks: readonly Record<string, unknown>[], app = "shop"): Promise<Hook[]> {
    const reading = readAppDefinition(JSON.stringify({ app, version: "1.0.0", title: "Shop", hooks }), "test.json", {
      isKvAllowed: this.daemon.storage.secrets.hasKey,
    });
    if (reading.kind === "invalid") throw new Error(JSON.stringify(reading.problems));
    const { hooks: made } = await this.daemon.storage.registry.install(reading.definition);
    return [...made];
  }

  /** One email hook under its address. */
  async emailHook(
    options: Record<string, unknown> = {},
    eventName = "kustomer.app.shop.order",
  ): Promise<Hook & { readonly address: string }> {
    const [hook] = await this.install([{ eventName, displayEventName: "Order", type: "email", "x-posthorn": options }]);
    if (hook === undefined) throw new Error("no hook was installed");
    return { ...hook, address: `${hook.hookId}@localhost` };
  }

  connectRelay(
    door: "smtp" | "lmtp" = "smtp",
    options: { readonly patienceMs?: number; readonly greet?: boolean } = {},
  ): Promise<Relay> {
    const address = this.daemon.mail.doors.find(({ name }) => name === door)?.address;
    if (address === undefined) throw new Error(`no ${door} door is open`);
    return connectRelay(
      { host: "127.0.0.1", port: Number(address.split(":").at(-1)) },
      { lmtp: door === "lmtp", ...options },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Starts a daemon against `nats`; `env` holds settings that differ from the defaults. */
export async function startTestDaemon(
  nats: NatsServer,
  env: Readonly<Record<string, string>> = {},
  options: { readonly deliverMs?: number; readonly log?: Log } = {},
): Promise<TestDaemon> {
  const folder = await mkdtemp(join(tmpdir(), "posthorn-data-"));
  const all = {
    POSTHORN_NATS_URL: nats.url,
    POSTHORN_DATA_DIR: folder,
    POSTHORN_SMTP_LISTEN: "127.0.0.1:0",
    POSTHORN_LMTP_LISTEN: "127.0.0.1:0",
    POSTHORN_HTTP_LISTEN: "127.0.0.1:0",
    POSTHORN_ADMIN_LISTEN: "127.0.0.1:0",
    // Nobody answers there: a test that is not about DNS shall not depend on the machine's.
    POSTHORN_DNS_SERVERS: "127.0.0.1:1",
    ...env,
  };
  return new TestDaemon(
    await startDaemon(readSettings(all), { log: silentLog, env: { ...process.env, ...all }, ...options }),
    folder,
  );
}

export interface Stored {
  readonly subject: string;
  readonly sequence: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Everything that stands in a stream, oldest first. */
export async function storedIn(daemon: TestDaemon, stream: string): Promise<Stored[]> {
  const { jsm } = daemon.daemon.storage;
  const { state } = await jsm.streams.info(stream);
  const found: Stored[] = [];
  for (let sequence = state.first_seq; sequence <= state.last_seq && state.messages > 0; sequence += 1) {
    const message = await jsm.streams.getMessage(stream, { seq: sequence });
    if (message === null) continue;
    const headers = Object.fromEntries([...message.header].map(([name, values]) => [name, values[0] ?? ""]));
    found.push({ subject: message.subject, sequence, text: message.string(), headers });
  }
  return found;
}
