import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { simpleParser } from "mailparser";
import type { SMTPServerDataStream, SMTPServerSession } from "smtp-server";
import { SMTPServer } from "smtp-server";

import { EVENT_NAME, eventOf } from "./obvious-event.ts";

// What one would write in an afternoon: smtp-server, simpleParser, cheerio, and 250 after JetStream's ack.
const nats = await connect({ servers: process.argv[2] ?? "", noAsyncTraces: true });
const js = jetstream(nats);
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["AUTH", "STARTTLS"],
  disableReverseLookup: true,
  logger: false,
  onData: (stream, session, callback) => {
    const done = take(stream, session).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    );
    // oxlint-disable-next-line promise/no-callback-in-promise -- the library's way to be told
    done.then(callback, () => process.exit(1));
  },
});
server.listen(0, "127.0.0.1", () => {
  const bound = server.server.address();
  process.stdout.write(`${JSON.stringify({ port: typeof bound === "object" ? bound?.port : 0 })}\n`);
});

async function take(stream: SMTPServerDataStream, { envelope }: SMTPServerSession): Promise<void> {
  const mail = await simpleParser(stream, { skipTextToHtml: true, skipTextLinks: true, skipImageLinks: true });
  const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
  const to = envelope.rcptTo.map(({ address }) => address);
  const { id, text } = eventOf(mail, from, to);
  await js.publish(EVENT_NAME, text, { msgID: id, expect: { streamName: "POSTHORN_EVENTS" } });
}
