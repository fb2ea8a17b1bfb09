import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";

/** Half a millisecond of this thread. */
const BYTES_IN_A_TURN = 256 * 1024;

/** SHA-256 in hex. Others have their turn while big bytes are hashed. */
export async function hashInTurns(bytes: Uint8Array): Promise<string> {
  const hash = createHash("sha256");
  for (let at = 0; at < bytes.length; at += BYTES_IN_A_TURN) {
    if (at > 0) await nextTurn();
    hash.update(bytes.subarray(at, at + BYTES_IN_A_TURN));
  }
  return hash.digest("hex");
}
