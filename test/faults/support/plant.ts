import { writeSync } from "node:fs";
import { isMainThread, parentPort } from "node:worker_threads";

// Loaded into the daemon, and into each of its threads, before their own code: faults that nothing outside can cause.
// POSTHORN_TEST_PLANT names what SIGUSR2 does: `jump:<ms>,<ms>,…` moves the wall clock (once a signal), `reject` leaves a
// rejection unhandled; with `no-threads` no thread can start. In a thread, a mail that says so ends it or eats its memory.

const DIE = "DIE-IN-THE-WORKER";
const EAT = "EAT-ALL-MEMORY";
const plant = process.env["POSTHORN_TEST_PLANT"] ?? "";

if (!isMainThread) {
  if (plant === "no-threads") throw new Error("planted");
  // Before the thread's own listener, which is added when its code is loaded.
  parentPort?.on("message", (request: { readonly bytes?: Uint8Array }) => {
    const text = Buffer.from(request.bytes ?? []).toString("latin1");
    if (text.includes(DIE)) process.exit(1);
    if (text.includes(EAT)) eatMemory();
  });
} else if (plant.startsWith("jump:")) {
  const jumps = plant.slice("jump:".length).split(",").map(Number);
  const RealDate = Date;
  let offsetMs = 0;
  globalThis.Date = class extends RealDate {
    constructor(...given: [] | [number | string | Date]) {
      if (given.length === 0) super(RealDate.now() + offsetMs);
      else super(...given);
    }
    static override now(): number {
      return RealDate.now() + offsetMs;
    }
  } as DateConstructor;
  onSignal(() => (offsetMs += jumps.shift() ?? 0));
} else if (plant === "reject") {
  onSignal(() => {
    // oxlint-disable-next-line typescript/no-floating-promises -- nobody looks after it: that is the fault
    Promise.reject(new Error("planted"));
  });
}

function onSignal(act: () => void): void {
  process.on("SIGUSR2", () => {
    act();
    writeSync(2, "Planted\n");
  });
}

function eatMemory(): never {
  const eaten: unknown[] = [];
  const text = `[${"0.5,".repeat(1_000_000)}0.5]`;
  for (;;) eaten.push(JSON.parse(text));
}
