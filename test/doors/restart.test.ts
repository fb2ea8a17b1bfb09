import { expect, test } from "vitest";

import { readSettings } from "../../src/config/settings.ts";
import { openStorage } from "../../src/daemon/storage.ts";
import { readAppDefinition } from "../../src/registry/app-definition.ts";
import { startDaemonProcess } from "../support/daemon-process.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { freePort } from "../support/free-port.ts";
import type { Relay } from "../support/relay.ts";
import { connectRelay } from "../support/relay.ts";
import { silentLog } from "../support/silent-log.ts";

const MAILS = 1_000;
const CONNECTIONS = 8;
const RESTARTS = 2;

test(
  "1,000 mails over two restarts: each that got 250 is stored once, and relays had to try again",
  { timeout: 120_000 },
  async () => {
    await using nats = await startNatsServer();
    const port = await freePort();
    await using daemon = await startDaemonProcess(nats.url, {
      POSTHORN_SMTP_LISTEN: `127.0.0.1:${port}`,
      POSTHORN_LOG_LEVEL: "info",
    });
    await using storage = await openStorage(readSettings({ POSTHORN_NATS_URL: nats.url }), silentLog);
    const reading = readAppDefinition(
      JSON.stringify({ app: "shop", hooks: [{ eventName: "kustomer.app.shop.order", type: "email" }] }),
      "t.json",
    );
    if (reading.kind === "invalid") throw new Error("the definition is invalid");
    const { hooks } = await storage.registry.install(reading.definition);
    const address = `${hooks[0]?.hookId}@localhost`;

    const queue = Array.from({ length: MAILS }, (_, index) => index);
    const accepted = new Map<number, string>();
    let triedAgain = 0;
    const deliver = async () => {
      let relay: Relay | undefined;
      for (let mail = queue.shift(); mail !== undefined; mail = queue.shift()) {
        try {
          relay ??= await connectRelay({ host: "127.0.0.1", port });
          const reply = await relay.send({ to: address, mail: orderMail(mail) });
          const [, eventId] = /^250 2\.0\.0 (\S{26})$/.exec(reply) ?? [];
          if (eventId === undefined) throw new Error(reply);
          accepted.set(mail, eventId);
        } catch {
          // As a relay does: the mail goes back into the queue, and the connection is made anew.
          triedAgain += 1;
          queue.push(mail);
          relay?.[Symbol.dispose]();
          relay = undefined;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
      relay?.[Symbol.dispose]();
    };
    const restart = async () => {
      for (let i = 1; i <= RESTARTS; i += 1) {
        while (accepted.size < (MAILS * i) / (RESTARTS + 1)) await new Promise((resolve) => setTimeout(resolve, 5));
        expect(await daemon.stop("SIGTERM")).toBe(0);
        await daemon.start();
      }
    };
    await Promise.all([restart(), ...Array.from({ length: CONNECTIONS }, deliver)]);

    expect(accepted.size).toBe(MAILS);
    const { state } = await storage.jsm.streams.info("POSTHORN_EVENTS");
    expect(state.messages).toBe(MAILS);
    expect(new Set(accepted.values()).size).toBe(MAILS);
    expect(triedAgain).toBeGreaterThanOrEqual(50);
    process.stdout.write(
      `restart test: ${MAILS} mails, ${RESTARTS} restarts, ${triedAgain} tries that a relay had to repeat\n`,
    );
  },
);

function orderMail(number: number): string {
  return `From: shop@example.org\r\nMessage-ID: <${number}@example.org>\r\nContent-Type: application/json\r\n\r\n{"order":${number}}\r\n`;
}
