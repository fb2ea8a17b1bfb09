import { READ_LIMITS } from "../../src/daemon/delivery.ts";
import type { PoolSettings } from "../../src/worker/pool.ts";
import { WorkerPool } from "../../src/worker/pool.ts";

/** A pool of one thread with the contract's limits, but for what the test says otherwise. */
export function createPool(settings: Partial<PoolSettings> = {}): WorkerPool {
  return new WorkerPool({
    workers: 1,
    parseTimeoutMs: 10_000,
    maxWaiting: 100,
    limits: READ_LIMITS,
    heapMb: 256,
    onRestart: () => undefined,
    ...settings,
  });
}
