import { connect } from "node:net";

import fc from "fast-check";
import { expect, test } from "vitest";

import { recordedLog } from "../support/recorded-log.ts";
import { ADDRESS, openCountingDoor } from "./support/counting-door.ts";

// Any sequence of commands, cut anywhere, dropped anywhere, over SMTP and LMTP: as many replies as the protocol wants, with
// the codes it wants, and no 250 for a mail that was not delivered. What is behind the door is a stand-in that counts.

const SESSIONS = 100_000;
const AT_ONCE = 50;
/** The mail as it arrives: its dots unstuffed. */
const MAIL = "Subject: fuzz\r\n\r\n.\r\na\r\nQUIT\r\n";

type Command = "hello" | "mail" | "rcpt" | "unknown" | "data" | "rset" | "noop" | "garbage";
interface Session {
  readonly commands: readonly Command[];
  readonly cuts: readonly number[];
  /** The client goes away after this share of its bytes; 1 is a whole session that ends with QUIT. */
  readonly dropAt: number;
}

const session: fc.Arbitrary<Session> = fc.record({
  commands: fc
    .array(
      fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom<Command>("mail", "rcpt", "data") },
        { weight: 1, arbitrary: fc.constantFrom<Command>("hello", "unknown", "rset", "noop", "garbage") },
      ),
      { maxLength: 12 },
    )
    .map((commands): Command[] => ["hello", ...commands]),
  cuts: fc.array(fc.nat(1_000), { maxLength: 3 }),
  dropAt: fc.oneof(
    { weight: 4, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
  ),
});

/** What goes over the wire, and the codes that come back; "id" is a 250 that names what was delivered. */
function scriptOf({ commands }: Session, lmtp: boolean): { readonly wire: string; readonly expected: string[] } {
  let wire = "";
  const expected: string[] = [];
  let hasMail = false;
  let recipients = 0;
  const say = (line: string, ...codes: string[]) => {
    wire += `${line}\r\n`;
    expected.push(...codes);
  };
  const reset = () => {
    hasMail = false;
    recipients = 0;
  };
  for (const command of commands) {
    switch (command) {
      case "hello":
        reset();
        say(lmtp ? "LHLO fuzz.example" : "EHLO fuzz.example", "250");
        break;
      case "mail":
        say("MAIL FROM:<a@example.org>", hasMail ? "503" : "250");
        hasMail = true;
        break;
      case "rcpt":
        say(`RCPT TO:<${ADDRESS}>`, hasMail ? "250" : "503");
        if (hasMail) recipients += 1;
        break;
      case "unknown":
        say("RCPT TO:<nobody@hooks.example>", hasMail ? "550" : "503");
        break;
      case "data":
        if (recipients === 0) say("DATA", "503");
        else {
          say("DATA", "354");
          // Dots to be unstuffed, and a line that looks like a command.
          say(
            "Subject: fuzz\r\n\r\n..\r\n.a\r\nQUIT\r\n.",
            ...(lmtp ? Array.from({ length: recipients }, () => "id") : ["id"]),
          );
          reset();
        }
        break;
      case "rset":
        reset();
        say("RSET", "250");
        break;
      case "noop":
        say("NOOP", "250");
        break;
      case "garbage":
        say("FROBNICATE now", "500");
        break;
    }
  }
  say("QUIT", "221");
  return { wire, expected };
}

for (const lmtp of [false, true]) {
  test(`${SESSIONS / 2} ${lmtp ? "LMTP" : "SMTP"} sessions of any commands, cuts and drops`, async () => {
    const log = recordedLog();
    const { door, delivered } = openCountingDoor({ lmtp, log });
    const { port } = await door.listen({ host: "127.0.0.1", port: 0 });
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(session, { minLength: AT_ONCE, maxLength: AT_ONCE }), (sessions) =>
          Promise.all(sessions.map((one) => converse(one, lmtp, port, delivered))).then(() => undefined),
        ),
        { numRuns: SESSIONS / 2 / AT_ONCE },
      );
    } finally {
      await door.close(0);
    }
    expect(log.lines.filter(({ level }) => level === "error")).toEqual([]);
  });
}

async function converse(
  one: Session,
  lmtp: boolean,
  port: number,
  delivered: ReadonlyMap<string, string>,
): Promise<void> {
  const { wire, expected } = scriptOf(one, lmtp);
  const heard = await exchange(port, Buffer.from(wire), one);
  const replies = heard.filter((line) => line[3] === " ");
  const [greeting, ...rest] = replies;
  if (one.dropAt === 1) {
    expect(greeting).toMatch(/^220 /);
    expect(rest.map((line) => (/^250 2\.0\.0 [0-9a-z]{26}$/.test(line) ? "id" : line.slice(0, 3)))).toEqual(expected);
  }
  for (const line of rest) {
    const id = /^250 2\.0\.0 ([0-9a-z]{26})$/.exec(line)?.[1];
    if (id !== undefined) expect(delivered.get(id)).toBe(MAIL);
  }
}

/** Says the wire in pieces, and hears every line until the connection ends. */
function exchange(port: number, wire: Buffer, { cuts, dropAt }: Session): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let heard = "";
    let isGreeted = false;
    const timer = setTimeout(() => reject(new Error(`no end; heard ${JSON.stringify(heard)}`)), 60_000);
    socket.setEncoding("latin1").on("data", (text: string) => {
      heard += text;
      if (isGreeted || !heard.includes("\r\n")) return;
      isGreeted = true;
      const ends = [...new Set(cuts.map((cut) => cut % wire.length))].sort((a, b) => a - b);
      const last = Math.floor(wire.length * dropAt);
      say([...ends.filter((end) => end < last), last]);
    });
    const say = ([end, ...ends]: number[], from = 0) => {
      if (end === undefined) {
        if (dropAt < 1) socket.destroy();
        return;
      }
      socket.write(wire.subarray(from, end));
      setImmediate(() => say(ends, end));
    };
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(heard.split("\r\n").filter((line) => line !== ""));
    });
  });
}
