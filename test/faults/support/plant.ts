import { writeSync } from "node:fs";
import { registerHooks } from "node:module";
import { isMainThread, parentPort } from "node:worker_threads";

// Loaded into the daemon, and into each of its threads, before their own code: faults that nothing outside can cause.
// With `reject` in POSTHORN_TEST_PLANT, SIGUSR2 leaves a rejection unhandled; with `no-threads` no thread can start, with
// `no-late-code` neither the main thread nor any other can load the HTML parser at its first use. In a thread, a mail that says so ends it or eats its memory.

/** What a thread is sent, as far as the planted fault looks at it. */
interface Batch {
  readonly block?: ArrayBuffer;
  readonly works?: readonly {
    readonly request: { readonly unread?: unknown };
    readonly bytes?: Uint8Array;
    readonly inBlock?: readonly [offset: number, length: number];
  }[];
}

const DIE = "DIE-IN-THE-WORKER";
const EAT = "EAT-ALL-MEMORY";
const plant = process.env["POSTHORN_TEST_PLANT"] ?? "";

if (plant === "no-late-code") {
  registerHooks({
    resolve: (specifier, context, next) => {
      if (specifier === "parse5") throw new Error("planted");
      return next(specifier, context);
    },
  });
}
if (!isMainThread) {
  if (plant === "no-threads") throw new Error("planted");
  // Before the thread's own listener, which is added when its code is loaded.
  parentPort?.on("message", ({ works = [], block }: Batch) => {
    for (const { request, bytes, inBlock } of works) {
      // What becomes a dead letter without being read is no danger.
      if (request.unread !== undefined) continue;
      const text = textOf(bytes, block, inBlock);
      if (text.includes(DIE)) process.exit(1);
      if (text.includes(EAT)) eatMemory();
    }
  });
} else if (plant === "reject") {
  process.on("SIGUSR2", () => {
    // oxlint-disable-next-line typescript/no-floating-promises -- nobody looks after it: that is the fault
    Promise.reject(new Error("planted"));
    writeSync(2, "Planted\n");
  });
}

function textOf(
  bytes: Uint8Array | undefined,
  block: ArrayBuffer | undefined,
  inBlock: readonly [offset: number, length: number] | undefined,
): string {
  if (bytes !== undefined) return Buffer.from(bytes).toString("latin1");
  return block === undefined || inBlock === undefined ? "" : Buffer.from(block, ...inBlock).toString("latin1");
}

function eatMemory(): never {
  const eaten: unknown[] = [];
  const text = `[${"0.5,".repeat(1_000_000)}0.5]`;
  for (;;) eaten.push(JSON.parse(text));
}
