import { isMainThread } from "node:worker_threads";

// Loaded before the program: measures for how long, of CPU time, the main thread never comes to rest, and writes the longest
// stretch to stderr at SIGUSR2, which begins anew. CPU time, so that what else runs on the machine counts for nobody.
const EVERY_MS = 2;

if (isMainThread) {
  let longestMs = 0;
  let before = process.threadCpuUsage();
  setInterval(() => {
    const { user, system } = process.threadCpuUsage(before);
    before = process.threadCpuUsage();
    longestMs = Math.max(longestMs, (user + system) / 1_000);
  }, EVERY_MS).unref();
  process.on("SIGUSR2", () => {
    process.stderr.write(`longest stretch ${longestMs.toFixed(1)} ms\n`);
    longestMs = 0;
  });
}
