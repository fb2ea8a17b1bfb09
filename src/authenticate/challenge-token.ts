/**
 * The tokens over which Zoom and X let a receiver compute an HMAC to show that it has the secret: base64 in either
 * alphabet, some dozens of characters in practice. Neither a body in JSON that is an object nor what other schemes put
 * before a body can be one.
 *
 * Sources: Zoom, "Webhooks: Validate your webhook endpoint"; X, "Account Activity API: Challenge-Response Checks".
 */
const TOKEN = /^[A-Za-z0-9+/_-]{1,128}={0,2}$/;
const MAX_TOKEN_BYTES = 130;

/** Whether a text may be answered with its HMAC. */
export function isChallengeToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Whether what a signature was made over could have been such a token, so that its answer would be the signature. */
export function couldBeChallengeToken(pieces: readonly (string | Uint8Array)[]): boolean {
  const size = pieces.reduce(
    (sum, piece) => sum + (typeof piece === "string" ? Buffer.byteLength(piece) : piece.length),
    0,
  );
  if (size > MAX_TOKEN_BYTES) return false;
  return TOKEN.test(pieces.map((piece) => Buffer.from(piece as Uint8Array).toString("latin1")).join(""));
}
