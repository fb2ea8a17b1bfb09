import { randomBytes } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { BlockList, Socket } from "node:net";

import { ambiguityOf } from "../../lib/http-framing.ts";
import type { Listening } from "../../lib/listen-http.ts";
import { createHttpServer, listenHttp } from "../../lib/listen-http.ts";
import type { Call } from "./call.ts";
import { isClosing, noteClosing, refuse, retryAfterOf } from "./call.ts";
import type { ConnectionLimits } from "./connections.ts";
import { Connections } from "./connections.ts";
import { answerOf, problemJson } from "./problem.ts";
import type { HandleOptions } from "./handle.ts";
import { handleHookCall } from "./handle.ts";
import { remoteAddressOf } from "./remote-address.ts";
import type { HttpDoorServices, Refusal } from "./services.ts";
import { parseTarget } from "./target.ts";

export interface HttpDoorOptions extends HandleOptions, ConnectionLimits {
  readonly trustedProxies: BlockList;
  readonly maxHeaderBytes: number;
  /** Until the header fields of a request stand there, and until the whole request does. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveMs: number;
}

const CHECK_TIMEOUTS_EVERY_MS = 1_000;
/** Connections that were refused and have still to hear it; more are closed unheard. */
const MAX_REFUSED = 100;
const REFUSED_MS = 1_000;

/**
 * The HTTP door: Node's own server keeps the connections and their limits. It has one kind of path, and bodies are read by
 * us, because ours are counted, unpacked and kept as they came for signatures: a framework would only stand between.
 */
export class HttpDoor {
  readonly #server: Server;
  readonly #services: HttpDoorServices;
  readonly #options: HttpDoorOptions;
  readonly #connections: Connections;
  readonly #requestPrefix = randomBytes(6).toString("hex");
  #refused = 0;
  #listening: Listening | undefined;
  #requests = 0;
  #isClosing = false;

  constructor(options: HttpDoorOptions, services: HttpDoorServices) {
    this.#options = options;
    this.#services = services;
    this.#connections = new Connections(options);
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request;
      this.#connections.begin(socket);
      response.once("close", () => this.#connections.end(socket));
      this.#handle(this.#callOf(request, response));
    };
    this.#server = createHttpServer(
      {
        maxHeaderSize: options.maxHeaderBytes,
        headersTimeout: options.headersTimeoutMs,
        requestTimeout: options.requestTimeoutMs,
        keepAliveTimeout: options.keepAliveMs,
        connectionsCheckingInterval: CHECK_TIMEOUTS_EVERY_MS,
        // A second Content-Length, obs-fold, bare CR and their kin are refused by llhttp in its strict mode.
        insecureHTTPParser: false,
        // Looked at below, where the answer is one of ours.
        requireHostHeader: false,
      },
      handle,
    );
    // Each is an open file, and the mail door needs some too; those beyond the limit only hear that they are.
    this.#server.maxConnections = options.maxConnections + MAX_REFUSED;
    this.#server.on("connection", (socket: Socket) => {
      if (!this.#connections.add(socket)) this.#refuseConnection(socket);
    });
    // With a listener of our own the body is asked for when the header fields were looked at, not before.
    this.#server.on("checkContinue", handle).on("checkExpectation", handle);
    this.#server.on("clientError", (error, socket) => answerBrokenRequest(error, socket as Socket, this.#services));
  }

  /** Opens the listener; `port` is 0 for a socket in the file system. Throws what `listen` throws. */
  async listen(
    at: { readonly host: string; readonly port: number } | { readonly path: string },
  ): Promise<{ readonly port: number }> {
    this.#listening = await listenHttp(this.#server, at);
    return this.#listening;
  }

  /** No new connections; requests in flight reach their answer, for `graceMs` at most. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await this.#listening?.close();
    clearTimeout(timer);
  }

  #refuseConnection(socket: Socket): void {
    noteClosing(socket);
    if (this.#refused >= MAX_REFUSED) return void socket.destroy();
    this.#refused += 1;
    const timer = setTimeout(() => socket.destroy(), REFUSED_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      this.#refused -= 1;
    });
    endWithProblem(socket, { kind: "tryLater", cause: "too-many-connections" }, this.#services);
  }

  #handle(call: Call): void {
    if (this.#isUnfit(call)) return;
    const target = parseTarget(call.request.url ?? "");
    if (target === undefined) return this.#refuse(call, { kind: "refused", cause: "no-such-hook" });
    if (target === "malformed") return this.#refuse(call, { kind: "refused", cause: "malformed" });
    handleHookCall(call, target, this.#services, this.#options).catch((error: unknown) => this.#fault(call, error));
  }

  #callOf(request: IncomingMessage, response: ServerResponse): Call {
    this.#requests += 1;
    const url = request.url ?? "";
    const mark = url.indexOf("?");
    const startedAt = performance.now();
    const call: Call = {
      request,
      response,
      requestId: `${this.#requestPrefix}-${this.#requests.toString(36)}`,
      remoteAddress: remoteAddressOf(request.socket.remoteAddress ?? "", request.headers, this.#options.trustedProxies),
      method: request.method ?? "",
      query: mark < 0 ? "" : url.slice(mark + 1),
      extra: {},
      hook: undefined,
      language: undefined,
      isLast: () => this.#isClosing,
      size: 0,
    };
    response.once("finish", () => {
      if (call.hook !== undefined) this.#services.onAnswered(call.hook.eventName, performance.now() - startedAt);
    });
    return call;
  }

  /** Answers what no request may lack, or ask for (RFC 9112 §3.2, RFC 9110 §10.1.1); true when it did. */
  #isUnfit(call: Call): boolean {
    if (isClosing(call.request.socket)) return true;
    if (this.#isClosing) {
      this.#refuse(call, { kind: "tryLater", cause: "shutting-down" });
      return true;
    }
    const { headers, httpVersion } = call.request;
    const isHostMissing = headers.host === undefined && httpVersion === "1.1";
    const detail = isHostMissing ? "The Host header is missing" : ambiguityOf(call.request);
    if (detail !== undefined) {
      // Where it ends is doubtful too: nothing behind it is a request of anybody.
      call.extra["connection"] = "close";
      this.#refuse(call, { kind: "refused", cause: "malformed", detail });
      noteClosing(call.request.socket);
      return true;
    }
    if (headers.expect === undefined || headers.expect.toLowerCase() === "100-continue") return false;
    this.#refuse(call, { kind: "refused", cause: "expectation" });
    return true;
  }

  #fault(call: Call, error: unknown): void {
    this.#services.onFault("A request could not be answered", { requestId: call.requestId, error });
    this.#refuse(call, { kind: "tryLater", cause: "our-fault", error });
  }

  #refuse(call: Call, refusal: Refusal): void {
    refuse(call, refusal, this.#services.onRefusal);
  }
}

/** What never became a request: llhttp could not read it, or it did not end in time. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket, services: HttpDoorServices): void {
  // Its last answer is on its way; what comes behind it may be anything.
  if (isClosing(socket)) return;
  if (error.code === "ECONNRESET" || !socket.writable || socket.destroyed) return void socket.destroy();
  const refusal =
    error.code === "HPE_HEADER_OVERFLOW"
      ? ({ kind: "refused", cause: "headers-too-large" } as const)
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ({ kind: "tryLater", cause: "idle" } as const)
        : ({ kind: "refused", cause: "malformed" } as const);
  endWithProblem(socket, refusal, services);
}

/** The last answer on a connection, written past Node's own responses. */
function endWithProblem(socket: Socket, refusal: Refusal, services: HttpDoorServices): void {
  const answer = answerOf(refusal);
  const requestId = randomBytes(8).toString("hex");
  services.onRefusal({
    requestId,
    remoteAddress: (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, ""),
    hookEventName: undefined,
    status: answer.status,
    cause: refusal.cause,
    size: 0,
  });
  const body = problemJson(answer, { requestId });
  const reason = STATUS_TEXTS[answer.status] ?? "Error";
  const retryAfter = refusal.kind === "tryLater" ? `Retry-After: ${retryAfterOf(refusal.cause)}\r\n` : "";
  socket.end(
    `HTTP/1.1 ${answer.status} ${reason}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n${retryAfter}` +
      `Cache-Control: no-store\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  431: "Request Header Fields Too Large",
  503: "Service Unavailable",
};
