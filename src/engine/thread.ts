import { flushCompileCache } from "node:module";
import { parentPort, workerData } from "node:worker_threads";

import { DnsLookups } from "../authenticate/dns-lookups.ts";
import type { DmarcReading } from "../authenticate/dmarc.ts";
import { authenticateMail } from "../authenticate/mail.ts";
import { stackOf } from "../lib/stack-of.ts";
import { Remembered } from "../lib/remembered.ts";
import { DNS_DEADLINE_MS, DNS_LIMITS, REMEMBERED_VERDICTS } from "./budgets.ts";
import { EngineLoop } from "./engine-loop.ts";
import type { FromThread, ThreadSettings, ToThread } from "./messages.ts";
import { threadNumber } from "./thread-cpu.ts";

// The thread side of the engine: batches of whole mails in, finished plans out. The main side kills it when it is late.
const port = parentPort;
if (port === null) throw new Error("thread.ts is started by the engine");

const KEEP_CODE_AFTER_MS = 2_000;
const settings = workerData as ThreadSettings;
const say = (message: FromThread, transfer: readonly ArrayBuffer[] = []) => port.postMessage(message, [...transfer]);

// Each thread asks for itself: what one learned is gone with it, and costs a question.
const rules = {
  dns: new DnsLookups({ servers: settings.dnsServers, ...DNS_LIMITS }),
  authservIds: settings.authservIds,
  policies: new Remembered<DmarcReading>(REMEMBERED_VERDICTS),
  onFault: (error: unknown) =>
    say({
      kind: "fault",
      sentence: "A mail could not be authenticated",
      error: stackOf(error),
    }),
};
const loop = new EngineLoop(settings, say, ({ bytes, envelope, peer }, header) =>
  authenticateMail({ bytes, header, envelope, peer }, rules, Date.now() + DNS_DEADLINE_MS),
);
port.on("message", (message: ToThread) => loop.take(message));
say({ kind: "ready", thread: threadNumber() });
// Node would keep the compiled code at an orderly end only; without it the next start makes it again in each thread.
setTimeout(flushCompileCache, KEEP_CODE_AFTER_MS).unref();
