import { randomBytes } from "node:crypto";

import { makeRoom } from "../lib/make-room.ts";
import { Tasks } from "../lib/tasks.ts";
import { within } from "../lib/within.ts";
import type { Log } from "../telemetry/log.ts";

/** Something done to many things, one after the other, while its page shows how far it is. */
export interface Job {
  readonly jobId: string;
  readonly title: string;
  /** Undefined while it is still being counted. */
  total: number | undefined;
  done: number;
  /** How often each outcome came. */
  readonly outcomes: Map<string, number>;
  /** The first that did not go as hoped. */
  readonly troubles: { readonly what: string; readonly why: string }[];
  isEnded: boolean;
}

/** What came of one of the many. */
export interface Step {
  readonly outcome: string;
  /** What it was and why it did not go as hoped. */
  readonly trouble?: { readonly what: string; readonly why: string };
}

const KEPT_JOBS = 50;
const KEPT_TROUBLES = 50;

/** Bulk work of administrators, on this replica; at shutdown it stops after the one it is at. */
export class Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #tasks: Tasks;
  readonly #stopping = new AbortController();

  constructor(log: Log) {
    this.#tasks = new Tasks((name, error) => log.error("Bulk work of an administrator failed", { name, error }));
  }

  find(jobId: string): Job | undefined {
    return this.#jobs.get(jobId);
  }

  /** Begins; `total` is what is known now, `each` is done to every one of `things`, in order. */
  start<T>(
    title: string,
    things: AsyncIterable<T> | Iterable<T>,
    total: number | undefined,
    each: (thing: T) => Promise<Step>,
  ): Job {
    makeRoom(this.#jobs, KEPT_JOBS);
    const jobId = randomBytes(9).toString("base64url");
    const job: Job = { jobId, title, total, done: 0, outcomes: new Map(), troubles: [], isEnded: false };
    this.#jobs.set(jobId, job);
    this.#tasks.run(title, async () => {
      try {
        for await (const thing of things) {
          if (this.#stopping.signal.aborted) break;
          const { outcome, trouble } = await each(thing);
          job.done += 1;
          job.outcomes.set(outcome, (job.outcomes.get(outcome) ?? 0) + 1);
          if (trouble !== undefined && job.troubles.length < KEPT_TROUBLES) job.troubles.push(trouble);
        }
      } finally {
        job.isEnded = true;
      }
    });
    return job;
  }

  /** Stops after the one it is at; one that takes longer than `graceMs` is left to fail, and stays a dead letter. */
  async close(graceMs: number): Promise<void> {
    this.#stopping.abort();
    await within(this.#tasks.settled(), graceMs);
  }
}
