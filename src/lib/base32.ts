const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * Bytes as lower-case Crockford base32 without padding: 16 bytes become 26 characters.
 *
 * Source: Douglas Crockford, "Base 32" (crockford.com/base32.html).
 */
export function toBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(value >>> bits) & 31];
    }
    value &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET[(value << (5 - bits)) & 31];
}
