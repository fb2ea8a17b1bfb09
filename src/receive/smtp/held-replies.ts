import type { Socket } from "node:net";

/**
 * Replies to what a relay pipelines as one group, MAIL, RCPT and DATA, in one write (RFC 2920 §3.2): until DATA's answer,
 * or until the event loop has run what came with this read.
 */
export class HeldReplies {
  #socket: Socket | undefined;

  hold(socket: Socket): void {
    if (this.#socket !== undefined) return;
    this.#socket = socket;
    socket.cork();
    setImmediate(() => this.release());
  }

  release(): void {
    this.#socket?.uncork();
    this.#socket = undefined;
  }
}
