/**
 * A new trace: version 00, random ids, sampled flag off.
 *
 * Source: W3C Trace Context, §3.2.
 */
export function newTraceparent(random: Uint8Array): string {
  const hex = Buffer.from(random.buffer, random.byteOffset, random.byteLength).toString("hex");
  return `00-${hex.slice(0, 32)}-${hex.slice(32, 48)}-00`;
}

/** The traceparent that a sender brought, when it is one. */
export function parseTraceparent(text: string | undefined): string | undefined {
  return text !== undefined && /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(text)
    ? text
    : undefined;
}
