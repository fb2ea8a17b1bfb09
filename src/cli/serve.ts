import { readdir } from "node:fs/promises";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { Command, Option } from "commander";

import type { Settings } from "../config/settings.ts";
import { SETTINGS, changedSettings, flagOf, readSettings } from "../config/settings.ts";
import { natsSettingsOf, ownServerCredentials } from "../daemon/nats-settings.ts";
import type { Daemon } from "../daemon/start.ts";
import { VERSION, startDaemon } from "../daemon/start.ts";
import { OperatorError } from "../model/operator-error.ts";
import { answersNats } from "../nats/connection.ts";
import { lockDataDirectory } from "../nats/data-lock.ts";
import type { LocalServer } from "../nats/local-server.ts";
import type { Log } from "../telemetry/log.ts";
import { createLog } from "../telemetry/log.ts";
import { warnOfUnknownSettings } from "./context.ts";
import { countHeldBuffers } from "./held-buffers.ts";

const PROBE_MS = 1_000;
const KEEP_CODE_AFTER_MS = 5_000;
/** One stop arrives several times: the process group has heard the signal, and npm and the launcher hand it on. */
const SECOND_SIGNAL_AFTER_MS = 1_000;
/** A start that was told to stop comes to its end first, if it does so soon: then mail under way is not cut off. */
const UNFINISHED_START_MS = 5_000;

interface ServeFlags {
  readonly apps?: string;
  readonly localNats?: boolean;
  readonly banner?: boolean;
  readonly [flag: string]: string | boolean | undefined;
}

/** `posthorn serve`: the daemon, until SIGTERM or Ctrl-C. */
export function serveCommand(): Command {
  const serve = new Command("serve")
    .description("run the daemon")
    .option("--apps <dir>", "install the app definitions in this folder when no app is installed yet")
    .option("--local-nats", "start a nats-server in the data directory when none answers")
    .option("--banner", "print each hook's address or URL with a line to paste")
    .addHelpText(
      "after",
      "\nEvery setting is a flag and an environment variable; see the README.\n\nExamples:\n  posthorn serve\n  posthorn serve --local-nats --apps fixtures/apps --smtp-listen 127.0.0.1:2526",
    );
  for (const setting of Object.values(SETTINGS)) {
    serve.addOption(
      new Option(
        `${flagOf(setting.variable)} <value>`,
        `${setting.meaning} (${setting.variable}${setting.default === "" ? "" : `, default ${setting.default}`})`,
      ),
    );
  }
  return serve.action(async (flags: ServeFlags) => {
    const given = Object.fromEntries(
      Object.entries(SETTINGS).map(([name, { variable }]) => [name, flags[camelCase(flagOf(variable))]]),
    );
    const texts = given as Record<string, string | undefined>;
    const settings = readSettings(process.env, texts);
    const log = createLog(settings.logLevel);
    log.info("Starting Posthorn", {
      version: VERSION,
      node: process.version,
      settings: changedSettings(process.env, texts),
    });
    await run(settings, flags, log);
  });
}

async function run(settings: Settings, flags: ServeFlags, log: Log): Promise<void> {
  countHeldBuffers(process.versions.v8);
  warnOfUnknownSettings(log);
  await using opened = new AsyncDisposableStack();
  const stopping = stopSignal(log);
  endOnFault(log);
  const starting = start(settings, flags, opened, log);
  const localServer = await Promise.race([starting, stopping.then(() => sleep(UNFINISHED_START_MS))]);
  const lost = await Promise.race([stopping, localServer?.ended ?? stopping]);
  if (lost?.isOrderly === false) process.exitCode = 1;
  log.info("Stopping; a second signal ends at once");
  await opened.disposeAsync();
  log.info("Stopped");
  process.exit(process.exitCode ?? 0);
}

/** Everything up to the first mail; `opened` ends it. Returns the server of our own when one had to be started. */
async function start(
  settings: Settings,
  flags: ServeFlags,
  opened: AsyncDisposableStack,
  log: Log,
): Promise<LocalServer | undefined> {
  const localServer = flags.localNats === true ? await localServerIn(settings, opened, log) : undefined;
  const daemon = await startDaemon(settings, { log, env: process.env, serverSyncsAlways: localServer !== undefined });
  opened.defer(() => daemon.stop());
  if (flags.apps !== undefined) await installApps(daemon, flags.apps, settings, log);
  if (flags.banner === true) (await import("./banner.ts")).printBanner(daemon, settings);
  log.info("Posthorn serves");
  keepCompiledCode();
  return localServer;
}

/** A server of our own in the data directory, unless one answers at the address; `opened` ends what it opens. */
async function localServerIn(
  settings: Settings,
  opened: AsyncDisposableStack,
  log: Log,
): Promise<LocalServer | undefined> {
  opened.use(await lockDataDirectory(settings.dataDir));
  const natsSettings = natsSettingsOf(settings);
  if (await answersNats(natsSettings, PROBE_MS)) return undefined;
  const { startLocalServer } = await import("../nats/local-server.ts");
  const credentials = await ownServerCredentials(settings);
  const { dataDir } = settings;
  return opened.use(await startLocalServer({ settings: natsSettings, credentials, dataDir, env: process.env, log }));
}

/** Node would keep it at an orderly end only, and the next start may follow a crash. Written once the first mail is through. */
function keepCompiledCode(): void {
  setTimeout(flushCompileCache, KEEP_CODE_AFTER_MS).unref();
}

/** A bug that nobody caught: the relay keeps its mail, a limping daemon might not. The supervisor starts a new one. */
function endOnFault(log: Log): void {
  process.on("uncaughtException", (error) => {
    log.error("A fault of ours ends the process; nothing unacknowledged was answered 250", { error });
    process.exit(1);
  });
}

/**
 * Resolves at the first SIGTERM or SIGINT; one that comes a second later or more ends the process. Nothing unacknowledged
 * was ever answered 250.
 */
function stopSignal(log: Log): Promise<undefined> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    const onSignal = (signal: string) => {
      const now = performance.now();
      askedAt ??= now;
      if (now - askedAt < SECOND_SIGNAL_AFTER_MS) return resolve(undefined);
      log.warn("Ended at once", { signal });
      process.exit(1);
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
}

async function installApps(daemon: Daemon, folder: string, settings: Settings, log: Log): Promise<void> {
  const { snapshot, registry } = daemon.storage;
  if (snapshot.apps().length > 0) return;
  const files = await readdir(folder).catch((error: unknown) => {
    throw new OperatorError(`cannot read the folder ${folder}`, "give the folder of app definitions to --apps", {
      cause: error,
    });
  });
  const { readDefinition } = await import("./definition-files.ts");
  for (const file of files.filter((name) => name.endsWith(".json") && !name.endsWith(".schema.json")).sort()) {
    const isKvAllowed = settings.secretsKey.value !== undefined;
    const { definition, warnings } = await readDefinition(join(folder, file), { isKvAllowed });
    for (const warning of warnings) log.warn(warning, { file });
    const { app, hooks } = await registry.install(definition);
    log.info("Installed an app", { app: app.app, hooks: hooks.length });
  }
}

function camelCase(flag: string): string {
  return flag.replace(/^--/, "").replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
