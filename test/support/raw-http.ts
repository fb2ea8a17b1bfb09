import { connect } from "node:net";

/** One response as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends bytes to `address` and reads what comes back until the other side closes, or `answers` responses stand there. */
export async function converse(address: string, bytes: string | readonly string[], answers = 1): Promise<RawAnswer[]> {
  const [host = "", port = ""] = address.split(":");
  const socket = connect({ host, port: Number(port) });
  socket.setEncoding("latin1");
  let text = "";
  try {
    for (const piece of typeof bytes === "string" ? [bytes] : bytes) socket.write(piece, "latin1");
    for await (const chunk of socket) {
      text += String(chunk);
      if (answersIn(text).length >= answers) break;
    }
  } catch (error) {
    // A reset behind the answer: what came before it counts.
    if (answersIn(text).length === 0) throw error;
  } finally {
    socket.destroy();
  }
  return answersIn(text);
}

/** A request with a body, its length filled in. */
export function requestText(method: string, path: string, headers: readonly string[], body = ""): string {
  const length = body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body, "latin1")}`];
  return [`${method} ${path} HTTP/1.1`, "Host: localhost", ...headers, ...length, "", body].join("\r\n");
}

function answersIn(text: string): RawAnswer[] {
  const found: RawAnswer[] = [];
  for (let at = 0; ;) {
    const end = text.indexOf("\r\n\r\n", at);
    if (end < 0) return found;
    const [first = "", ...lines] = text.slice(at, end).split("\r\n");
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
    );
    const status = Number(first.split(" ")[1]);
    const length = Number(headers["content-length"] ?? 0);
    if (text.length < end + 4 + length) return found;
    at = end + 4 + length;
    if (status !== 100) found.push({ status, headers, body: text.slice(end + 4, at) });
  }
}
