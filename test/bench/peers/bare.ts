import { SMTPServer } from "smtp-server";

// The door alone: takes every mail and throws it away. Prints its port.
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["AUTH", "STARTTLS"],
  disableReverseLookup: true,
  logger: false,
  lmtp: process.argv[2] === "lmtp",
  onData: (stream, _session, callback) => {
    stream.on("end", () => callback(null));
    stream.resume();
  },
});
server.listen(0, "127.0.0.1", () => {
  const bound = server.server.address();
  process.stdout.write(`${JSON.stringify({ port: typeof bound === "object" ? bound?.port : 0 })}\n`);
});
