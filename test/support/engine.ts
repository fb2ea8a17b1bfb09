import { READ_LIMITS } from "../../src/engine/budgets.ts";
import type { EngineSettings } from "../../src/engine/engine.ts";
import { Engine } from "../../src/engine/engine.ts";

/** An engine of one thread with the contract's limits, but for what the test says otherwise. */
export function createTestEngine(settings: Partial<EngineSettings> = {}): Engine {
  return new Engine({
    workers: 1,
    parseTimeoutMs: 10_000,
    maxWaiting: 100,
    limits: READ_LIMITS,
    dnsServers: ["127.0.0.1:9"],
    authservIds: [],
    objectBucket: "posthorn_objects",
    onRestart: () => undefined,
    onFault: () => undefined,
    ...settings,
  });
}
