import type { HealthCheck } from "./health.ts";

/** Web hooks' signatures carry a time, which their schemes take for five minutes at most. */
const TOO_FAR_MS = 5_000;

/** What the server's clock showed, and our own before and after the question, all in milliseconds since 1970. */
interface ClockReading {
  readonly server: number | undefined;
  readonly before: number;
  readonly after: number;
}

/** How far our clock is from the server's; events carry ours, and what the stream forgets goes by the server's. */
export function clockCheck({ server, before, after }: ClockReading): HealthCheck {
  const name = "clock";
  if (server === undefined)
    return { name, ok: true, detail: "the server does not tell its time; nats-server 2.10 or newer does" };
  // Anything between is as good as the answer's way here and back: no more is known.
  const off = server < before ? server - before : server > after ? server - after : 0;
  const seconds = `${(Math.abs(off) / 1_000).toFixed(1)} s`;
  if (Math.abs(off) < TOO_FAR_MS)
    return {
      name,
      ok: true,
      detail: `within ${off === 0 ? `${Math.max(1, after - before)} ms` : seconds} of the NATS server's`,
    };
  return {
    name,
    ok: true,
    warning: true,
    detail: `ours is ${seconds} ${off > 0 ? "behind" : "ahead of"} the NATS server's: times in events, expiry of keys and signatures with a time are wrong on one side. Synchronise both machines (timedatectl set-ntp true)`,
  };
}
