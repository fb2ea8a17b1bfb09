import type { DaemonProcess } from "../support/daemon-process.ts";
import type { NatsServer } from "../support/nats-server.ts";
import type { Relay } from "../support/relay.ts";
import { connectRelay } from "../support/relay.ts";
import type { TcpProxy } from "../support/tcp-proxy.ts";
import type { Chance } from "./random.ts";

/** What faults have to play with. */
export interface Victims {
  /** The replica that is killed; the other one never is, so that its memory can be watched. */
  readonly mortal: DaemonProcess;
  readonly mortalName: string;
  readonly mortalSmtpPort: number;
  readonly nats: NatsServer;
  /** Between both replicas and NATS. */
  readonly proxy: TcpProxy;
  readonly mailAddress: string;
}

/** When everything stood again, and at which door the next 250 ends the fault: undefined is any. */
interface Healed {
  readonly at: number;
  readonly door: string | undefined;
}

type Fault = (victims: Victims, chance: Chance) => Promise<Healed>;

const START_TRIES = 5;

/** Every kind of fault by its name; each returns when the cause is gone. */
export const FAULTS = {
  "daemon killed": async ({ mortal, mortalName }, chance) => {
    await mortal.stop("SIGKILL");
    await pause(chance.between(0, 500));
    await startAgain(mortal);
    return healed(`${mortalName} smtp`);
  },
  "daemon stopped": async ({ mortal, mortalName }) => {
    await mortal.stop("SIGTERM");
    await startAgain(mortal);
    return healed(`${mortalName} smtp`);
  },
  "nats killed": async ({ nats }, chance) => {
    await nats.kill();
    await pause(chance.between(50, 1_500));
    await nats.start();
    return healed();
  },
  "nats paused": async ({ nats }, chance) => {
    nats.pause();
    await pause(chance.between(200, 6_000));
    nats.resume();
    return healed();
  },
  "nats and daemon killed": async ({ mortal, mortalName, nats }, chance) => {
    await Promise.all([nats.kill(), pause(chance.between(0, 50)).then(() => mortal.stop("SIGKILL"))]);
    await nats.start();
    await startAgain(mortal);
    return healed(`${mortalName} smtp`);
  },
  "acks lost": async ({ proxy }, chance) => {
    proxy.holdReplies();
    await pause(chance.between(20, 400));
    proxy.cut();
    return healed();
  },
  "nats slow": async ({ proxy }, chance) => {
    proxy.delayMs = chance.between(5, 60);
    await pause(chance.between(500, 3_000));
    proxy.delayMs = 0;
    return healed();
  },
  "hostile mail": async ({ mortalSmtpPort, mailAddress }, chance) => {
    using relay = await connectRelay({ host: "127.0.0.1", port: mortalSmtpPort }, { patienceMs: 60_000 });
    await sendHostile(relay, mailAddress, chance);
    return healed();
  },
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;

async function sendHostile(relay: Relay, to: string, chance: Chance): Promise<void> {
  const size = Math.ceil(chance.between(1_000, 50_000));
  const mail = chance.pick([
    `Content-Type: text/html\r\n\r\n${"<div>\r\n".repeat(size)}`,
    `Content-Type: application/json\r\n\r\n${"[\r\n".repeat(size)}`,
    `Content-Type: text/html\r\n\r\n${'<script type="application/ld+json">{</script>\r\n'.repeat(size / 10)}`,
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\n\r\nx\r\n".repeat(size)}--b--\r\n`,
  ]);
  const reply = await relay.send({ to, mail });
  if (!/^(?:250|4)/.test(reply)) throw new Error(`a hostile mail was answered with ${reply}`);
}

/** A start that fails because NATS has only just come back is tried again, as a supervisor would. */
async function startAgain(daemon: DaemonProcess): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await daemon.start();
    } catch (error) {
      if (tried === START_TRIES) throw error;
      await pause(300);
    }
  }
}

const healed = (door?: string): Healed => ({ at: performance.now(), door });

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
