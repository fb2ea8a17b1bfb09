import { createSocket } from "node:dgram";
import type { RemoteInfo, Socket } from "node:dgram";
import { once } from "node:events";

/** What the server answers for one name: records by type, or how it fails. */
export interface Zone {
  readonly [name: string]: {
    readonly TXT?: readonly (string | readonly string[])[];
    readonly A?: readonly string[];
    readonly AAAA?: readonly string[];
    readonly MX?: readonly { readonly priority: number; readonly exchange: string }[];
    readonly PTR?: readonly string[];
    readonly CNAME?: readonly string[];
    /** What questions for other types than those above hear; `silence` lets the question wait for ever. */
    readonly fails?: "servfail" | "silence";
  };
}

const TYPES = { A: 1, CNAME: 5, PTR: 12, MX: 15, TXT: 16, AAAA: 28 } as const;
const NO_ERROR = 0;
const SERVFAIL = 2;
const NXDOMAIN = 3;

/** A little authoritative name server on loopback that speaks DNS over UDP (RFC 1035 §4). */
export class DnsServer {
  readonly #socket: Socket;
  readonly #zone = new Map<string, Zone[string]>();
  /** Every question that came in, as `TXT example.org`, in order. */
  readonly questions: string[] = [];
  /** As POSTHORN_DNS_SERVERS wants it. */
  readonly address: string;

  constructor(socket: Socket, zone: Zone) {
    this.#socket = socket;
    this.add(zone);
    this.address = `127.0.0.1:${socket.address().port}`;
    socket.on("message", (query, from) => this.#answer(query, from));
  }

  /** Adds names, or replaces what they had. */
  add(zone: Zone): void {
    for (const [name, records] of Object.entries(zone)) this.#zone.set(name.toLowerCase(), records);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, "close");
    this.#socket.close();
    await closed;
  }

  #answer(query: Buffer, from: RemoteInfo): void {
    const { name, type, end } = readQuestion(query);
    const typeName = Object.entries(TYPES).find(([, number]) => number === type)?.[0] ?? String(type);
    this.questions.push(`${typeName} ${name}`);
    const answers: Buffer[] = [];
    let owner = name;
    let entry = this.#zone.get(owner.toLowerCase());
    for (let alias = entry?.CNAME?.[0]; alias !== undefined && answers.length < 8; alias = entry?.CNAME?.[0]) {
      answers.push(record(owner, TYPES.CNAME, nameBytes(alias)));
      owner = alias;
      entry = this.#zone.get(owner.toLowerCase());
    }
    const records = entry === undefined ? [] : recordsOf(entry, typeName);
    if (records.length === 0 && entry?.fails === "silence") return;
    answers.push(...records.map((data) => record(owner, type, data)));
    const fails = records.length === 0 && entry?.fails === "servfail";
    const code = entry === undefined ? NXDOMAIN : fails ? SERVFAIL : NO_ERROR;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    // A response, authoritative, recursion wished and available; one question.
    header.writeUInt16BE(0x8580 | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answers.length, 6);
    this.#socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), from.port, from.address);
  }
}

/** Starts a name server for `zone` on a free port. */
export async function startDnsServer(zone: Zone): Promise<DnsServer> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return new DnsServer(socket, zone);
}

function record(owner: string, type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(60, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([nameBytes(owner), head, data]);
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function recordsOf(entry: Zone[string], type: string): Buffer[] {
  switch (type) {
    case "TXT":
      return (entry.TXT ?? []).map((text) => Buffer.concat([text].flat().flatMap(characterStrings)));
    case "A":
      return (entry.A ?? []).map((address) => Buffer.from(address.split(".").map(Number)));
    case "AAAA":
      return (entry.AAAA ?? []).map(ipv6Bytes);
    case "MX":
      return (entry.MX ?? []).map(({ priority, exchange }) => {
        const head = Buffer.alloc(2);
        head.writeUInt16BE(priority);
        return Buffer.concat([head, nameBytes(exchange)]);
      });
    case "PTR":
      return (entry.PTR ?? []).map(nameBytes);
    default:
      return [];
  }
}

/** A TXT record is a row of strings of at most 255 bytes (RFC 1035 §3.3.14). */
function characterStrings(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const pieces: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += 255) {
    const piece = bytes.subarray(at, at + 255);
    pieces.push(Buffer.from([piece.length]), piece);
  }
  return pieces;
}

function nameBytes(name: string): Buffer {
  const labels = name.split(".").filter((label) => label !== "");
  return Buffer.concat([
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}

function ipv6Bytes(address: string): Buffer {
  const [head = "", tail] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const front = groups(head);
  const back = groups(tail ?? "");
  const middle = Array.from({ length: tail === undefined ? 0 : 8 - front.length - back.length }, () => 0);
  return Buffer.from([...front, ...middle, ...back].flatMap((group) => [group >> 8, group & 0xff]));
}
