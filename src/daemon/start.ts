import { createRequire } from "node:module";

import type { Settings } from "../config/settings.ts";
import { SlidingMinute } from "../lib/sliding-minute.ts";
import { recreateMissing } from "../nats/provision.ts";
import { EVENT_STREAM } from "../publish/publish-event.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import type { AdminDoor } from "./admin-door.ts";
import { openAdminDoor } from "./admin-door.ts";
import { createEngine, createPulse, mailStages, publishGate, publishOn } from "./delivery.ts";
import type { HttpHooks } from "./http-door.ts";
import { openHttpDoor } from "./http-door.ts";
import type { MailDoors } from "./mail-doors.ts";
import { openMailDoors } from "./mail-doors.ts";
import { openRefusals } from "./refused.ts";
import { streamSettingsOf } from "./nats-settings.ts";
import type { Storage } from "./storage.ts";
import { openStorage } from "./storage.ts";
import { daysUntilFull } from "./store-outlook.ts";
import { saySettings } from "./say-settings.ts";
import { mustOpenSecrets } from "./hook-secrets.ts";
import { Readiness } from "./readiness.ts";
import { openTracing } from "./traced.ts";
import { openUnfinished } from "./unfinished.ts";

/** A daemon that serves. */
export interface Daemon {
  readonly storage: Storage;
  readonly mail: MailDoors;
  readonly http: HttpHooks;
  readonly admin: AdminDoor;
  readonly metrics: Metrics;
  /** Start-up backwards: doors first, NATS last. Resolves when everything has ended, within about ten seconds. */
  stop(): Promise<void>;
}

export const { version: VERSION } = createRequire(import.meta.url)("../../package.json") as {
  readonly version: string;
};
/** How long one mail may take from its final dot to its reply; Postfix waits 600 s there. */
const DELIVER_MS = 20_000;
/** A thread that takes longer is waited for by the mails. */
const ENGINE_START_MS = 5_000;
const STREAM_CHECK_MS = 2_000;
const MAIL_GRACE_MS = 7_000;
const HTTP_GRACE_MS = 2_000;

/**
 * Wires every room and opens the doors, in the order in which they need each other: storage, workers, mail, HTTP, admin.
 *
 * Throws `OperatorError` for what the operator has to mend; what was opened by then is closed again.
 */
export async function startDaemon(
  settings: Settings,
  options: {
    readonly log: Log;
    readonly env: NodeJS.ProcessEnv;
    readonly serverSyncsAlways?: boolean;
    readonly deliverMs?: number;
  },
): Promise<Daemon> {
  const { log, env } = options;
  await using opened = new AsyncDisposableStack();
  const ends: { metrics?: Metrics; mail?: MailDoors; http?: HttpHooks } = {};
  const engine = opened.use(createEngine(settings, log, () => ends.metrics?.countPoolRestart()));
  // Its threads load their code while NATS is asked for the registry; a mail that came before would wait for both.
  const started = engine.started(ENGINE_START_MS);
  const storage = opened.use(
    await openStorage(settings, log, { by: "daemon", serverSyncsAlways: options.serverSyncsAlways }),
  );
  mustOpenSecrets(storage);
  await started;
  const gate = publishGate();
  const metrics = createMetrics({
    version: VERSION,
    now: Date.now,
    daysUntilFull: daysUntilFull(storage),
    certificateEndsAt: () => ends.mail?.certificateEndsAt(),
    connections: () => ends.mail?.admission.connections ?? 0,
    bytesInFlight: () => ({
      mail: ends.mail?.admission.bytes.used ?? 0,
      http: ends.http?.bytesInFlight() ?? 0,
    }),
    queueDepth: () => ({ worker: engine.waiting, publish: gate.waiting }),
    natsConnected: () => storage.nats.isConnected(),
    registryLoaded: () => storage.snapshot.isLoaded,
  });
  ends.metrics = metrics;
  const { tracer } = opened.use(openTracing(settings, metrics, log)) ?? {};
  storage.failures.listen(({ stream, cause }) => metrics.countStoreFailure(stream, cause));
  const readiness = new Readiness(storage, Date.now);
  opened.use(watchStreams(storage, settings, readiness, log));
  opened.use(saySettings(storage, settings, { env, log }));
  const rates = new SlidingMinute();
  const refusals = opened.use(openRefusals(storage, log, metrics));
  const pulse = opened.use(createPulse(storage));
  const { outcomes } = opened.use(await openUnfinished(storage, log));
  const publish = outcomes.wrap(publishOn(storage, metrics, pulse, gate));
  const stages = mailStages({
    storage,
    settings,
    publish,
    isStored: (eventId) => outcomes.isStored(EVENT_STREAM, eventId),
    engine,
    log,
    metrics,
    env,
  });
  // Before the other doors, so that it closes after them: /readyz says 503 while mail in flight reaches its ack.
  let isServing = false;
  const admin = await openAdminDoor({
    settings,
    storage,
    stages,
    engine,
    log,
    metrics,
    env,
    readiness,
    isServing: () => isServing,
    httpAddress: () => ends.http?.address,
    smtpAddress: () => ends.mail?.doors.find(({ name }) => name === "smtp")?.address,
  });
  opened.defer(() => admin.close());
  const mail = await openMailDoors({
    settings,
    storage,
    stages,
    log,
    metrics,
    tracer,
    rates,
    pulse,
    deliverMs: options.deliverMs ?? DELIVER_MS,
    onRefusal: refusals.note,
    rememberStored: (eventId) => outcomes.rememberAcked(eventId),
  });
  ends.mail = mail;
  const closing: (() => Promise<void>)[] = [() => mail.close(MAIL_GRACE_MS)];
  // Both doors at once: their grace periods together would be longer than a supervisor waits.
  opened.defer(async () => void (await Promise.all(closing.map((close) => close()))));
  const { admission } = mail;
  const http = await openHttpDoor({
    settings,
    storage,
    stages,
    engine,
    rates,
    env,
    log,
    metrics,
    tracer,
    admission,
    pulse,
    rememberStored: (eventId) => outcomes.rememberAcked(eventId),
    onRefusal: refusals.noteRequest,
  });
  ends.http = http;
  closing.push(() => http.close(HTTP_GRACE_MS));
  const owned = opened.move();
  isServing = true;
  const stop = () => {
    isServing = false;
    return owned.disposeAsync();
  };
  return { storage, mail, http, admin, metrics, stop };
}

/** A stream that somebody deleted is created again within seconds; until then mail gets 451 4.3.5. */
function watchStreams(storage: Storage, settings: Settings, readiness: Readiness, log: Log): Disposable {
  const check = async () => {
    if (!storage.nats.isConnected()) return;
    const exact = () => storage.snapshot.hooks().map(({ eventName }) => eventName);
    await recreateMissing(
      storage.nats.connection,
      streamSettingsOf(settings),
      exact,
      (look) => readiness.note(look),
      log,
    );
  };
  const timer = setInterval(() => {
    check().catch((error: unknown) => log.warn("The streams could not be checked", { error }));
  }, STREAM_CHECK_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
