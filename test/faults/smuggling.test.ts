import { BlockList, connect } from "node:net";

import { expect, test } from "vitest";

import { silentLog } from "../support/silent-log.ts";
import { ADDRESS, openCountingDoor } from "./support/counting-door.ts";

// "SMTP Smuggling", SEC Consult, 2023: what looks like the end of a mail to one reader and not to the other one.

const LOOK_ALIKES: Readonly<Record<string, string>> = {
  "LF.LF": "\n.\n",
  "LF.CRLF": "\n.\r\n",
  "CRLF.LF": "\r\n.\n",
  "CR.CR": "\r.\r",
  "CR.CRLF": "\r.\r\n",
  "CRLF.CR": "\r\n.\r",
  "CRLF.CRCRLF": "\r\n.\r\r\n",
  "CRLF NUL.CRLF": "\r\n\0.\r\n",
  "CRLF.NUL CRLF": "\r\n.\0\r\n",
  "CRLF..CRLF": "\r\n..\r\n",
  "LF..LF": "\n..\n",
  "CRLF ..CRLF": "\r\n ..\r\n",
  "CRLF.CRLF in UTF-16": "\r\0\n\0.\0\r\0\n\0",
};
const AT_ONCE = 40;

const everybody = new BlockList();
everybody.addSubnet("127.0.0.0", 8);

for (const [who, trustedRelays] of [
  ["a stranger", new BlockList()],
  ["a trusted relay", everybody],
] as const) {
  test(`from ${who}: no look-alike of the end of data, cut at any byte, makes a second mail`, async () => {
    const { door, delivered } = openCountingDoor({ lmtp: false, log: silentLog, trustedRelays });
    const { port } = await door.listen({ host: "127.0.0.1", port: 0 });
    let conversations = 0;
    try {
      for (const [name, lookAlike] of Object.entries(LOOK_ALIKES)) {
        const second = `MAIL FROM:<evil@example.org>\r\nRCPT TO:<${ADDRESS}>\r\nDATA\r\nSubject: second\r\n\r\nsecond\r\n.\r\n`;
        const wire = Buffer.from(`Subject: first\r\n\r\nfirst${lookAlike}${second}`, "latin1");
        const cuts = Array.from({ length: wire.length - 1 }, (_, index) => index + 1);
        while (cuts.length > 0) {
          delivered.clear();
          const some = cuts.splice(0, AT_ONCE);
          conversations += some.length;
          const heard = await Promise.all(some.map((cut) => sendCut(port, wire, cut)));
          const mails = [...delivered.values()];
          expect(
            mails.filter((mail) => mail.startsWith("Subject: second")),
            name,
          ).toEqual([]);
          // One conversation had one mail, with the rest of the wire inside, or it ended with 550 and close.
          for (const replies of heard) expect(replies, name).toMatch(/^(250 2\.0\.0 |550 5\.5\.2 )/);
          expect(mails.length, name).toBe(heard.filter((replies) => replies.startsWith("250")).length);
          for (const mail of mails) expect(mail, name).toContain("Subject: second");
        }
      }
    } finally {
      await door.close(0);
    }
    process.stdout.write(`faults | smuggling from ${who}: ${conversations} conversations, 0 second mails\n`);
  });
}

test("nothing is announced that has another end of data: no CHUNKING, no BINARYMIME, and BDAT is no command", async () => {
  const { door } = openCountingDoor({ lmtp: false, log: silentLog });
  const { port } = await door.listen({ host: "127.0.0.1", port: 0 });
  const socket = connect(port, "127.0.0.1");
  let heard = "";
  socket.setEncoding("latin1").on("data", (text: string) => (heard += text));
  await expect.poll(() => heard).toContain("220 ");
  socket.write("EHLO x\r\nBDAT 10 LAST\r\nQUIT\r\n");
  await new Promise((resolve) => socket.once("close", resolve));
  expect(heard).not.toMatch(/CHUNKING|BINARYMIME/);
  expect(heard).toMatch(/\r\n50[02] /);
  await door.close(0);
});

/** Everything behind DATA in two pieces, and a real end; answers the reply to the mail. */
function sendCut(port: number, wire: Buffer, cut: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let heard = "";
    let step = 0;
    const steps = [
      () => socket.write(`EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<${ADDRESS}>\r\nDATA\r\n`),
      () => {
        socket.write(wire.subarray(0, cut));
        setImmediate(() => socket.write(Buffer.concat([wire.subarray(cut), Buffer.from("\r\n.\r\nQUIT\r\n")])));
      },
    ];
    socket.setNoDelay(true);
    socket.setEncoding("latin1").on("data", (text: string) => {
      heard += text;
      if (step === 0 && heard.startsWith("220 ") && heard.endsWith("\r\n")) steps[step++]?.();
      else if (step === 1 && heard.includes("\r\n354 ")) steps[step++]?.();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(/\r\n354 [^\r]*\r\n(.*)/s.exec(heard)?.[1] ?? heard));
  });
}
