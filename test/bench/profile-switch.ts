import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";

// Loaded into the daemon by profile.ts: SIGUSR2 starts the CPU profile, the next one ends it and writes PROFILE_FILE.
const INTERVAL_US = 500;
let session: Session | undefined;
process.on("SIGUSR2", () => {
  turn().catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
  });
});

async function turn(): Promise<void> {
  if (session === undefined) {
    session = new Session();
    session.connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: INTERVAL_US });
    await session.post("Profiler.start");
    return;
  }
  const { profile } = await session.post("Profiler.stop");
  writeFileSync(process.env["PROFILE_FILE"] ?? "posthorn.cpuprofile", JSON.stringify(profile));
  session.disconnect();
  session = undefined;
}
