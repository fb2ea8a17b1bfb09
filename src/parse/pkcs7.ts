/** What an S/MIME body is: signed and so readable, or encrypted. */
export type Pkcs7 = { readonly kind: "signed"; readonly content: Buffer } | { readonly kind: "encrypted" };

interface Element {
  readonly tag: number;
  readonly start: number;
  /** `undefined` for the indefinite length of streamed BER: the end is marked by two zero octets. */
  readonly end: number | undefined;
}

const SEQUENCE = 0x30;
const OID = 0x06;
const EXPLICIT_0 = 0xa0;
const OCTETS = 0x04;
const OCTETS_IN_PIECES = 0x24;
/** 1.2.840.113549.1.7.x */
const PKCS7_ARC = Buffer.from([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07]);
/** 1.2.840.113549.1.9.16.1.23, AuthEnvelopedData (RFC 5083). */
const AUTH_ENVELOPED = Buffer.from([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17]);
const SIGNED_DATA = 2;
const ENVELOPED_DATA = 3;
const ENCRYPTED_DATA = 6;

/**
 * Opens the body of an `application/pkcs7-mime` part. The signature is not looked at: the content is what counts here.
 *
 * A walk over the outermost elements only, definite and indefinite lengths; `undefined` for anything else (certificates,
 * compressed data, damage). Source: RFC 5652 §3, §5.1, §5.2, §6.1; X.690 §8.1.
 */
export function readPkcs7(bytes: Buffer): Pkcs7 | undefined {
  const contentInfo = elementAt(bytes, 0, SEQUENCE);
  const type = elementAt(bytes, contentInfo?.start, OID);
  if (type?.end === undefined) return undefined;
  const oid = bytes.subarray(type.start, type.end);
  if (oid.equals(AUTH_ENVELOPED)) return { kind: "encrypted" };
  const kind = oid.length === 9 && oid.subarray(0, 8).equals(PKCS7_ARC) ? oid[8] : undefined;
  if (kind === ENVELOPED_DATA || kind === ENCRYPTED_DATA) return { kind: "encrypted" };
  if (kind !== SIGNED_DATA) return undefined;
  const explicit = elementAt(bytes, type.end, EXPLICIT_0);
  const signed = elementAt(bytes, explicit?.start, SEQUENCE);
  // version, digestAlgorithms, then encapContentInfo: its type and its content.
  const encapsulated = elementAt(bytes, endOf(bytes, endOf(bytes, signed?.start)), SEQUENCE);
  const content = elementAt(bytes, endOf(bytes, encapsulated?.start), EXPLICIT_0);
  const octets = content === undefined ? undefined : octetsAt(bytes, content.start);
  return octets === undefined ? undefined : { kind: "signed", content: octets };
}

function elementAt(bytes: Buffer, at: number | undefined, tag?: number): Element | undefined {
  if (at === undefined || at + 2 > bytes.length) return undefined;
  const found = bytes[at] ?? 0;
  if ((tag !== undefined && found !== tag) || (found & 0x1f) === 0x1f) return undefined;
  const first = bytes[at + 1] ?? 0;
  if (first === 0x80) return { tag: found, start: at + 2, end: undefined };
  if (first < 0x80) return { tag: found, start: at + 2, end: Math.min(bytes.length, at + 2 + first) };
  const count = first & 0x7f;
  const start = at + 2 + count;
  if (count > 4 || start > bytes.length) return undefined;
  // A mail that was cut ends before its lengths do.
  return { tag: found, start, end: Math.min(bytes.length, start + bytes.readUIntBE(at + 2, count)) };
}

/** Where the element at `at` ends, whatever is nested in it. */
function endOf(bytes: Buffer, at: number | undefined): number | undefined {
  if (at === undefined) return undefined;
  let open = 0;
  let position = at;
  while (position < bytes.length) {
    const element = elementAt(bytes, position);
    if (element === undefined) return undefined;
    const isEnd = element.tag === 0 && open > 0;
    if (isEnd) open -= 1;
    else if (element.end === undefined) open += 1;
    position = element.end ?? element.start;
    if (open === 0) return position;
  }
  return position;
}

/** An OCTET STRING, whole or in pieces (streaming signers write it in pieces). */
function octetsAt(bytes: Buffer, at: number): Buffer | undefined {
  const element = elementAt(bytes, at);
  if (element === undefined) return undefined;
  if (element.tag === OCTETS && element.end !== undefined) return bytes.subarray(element.start, element.end);
  if (element.tag !== OCTETS_IN_PIECES) return undefined;
  const end = element.end ?? bytes.length;
  // One buffer: of pieces of no length there may be millions.
  const content = Buffer.allocUnsafeSlow(end - element.start);
  let length = 0;
  let position = element.start;
  while (position < end) {
    const piece = elementAt(bytes, position);
    if (piece === undefined || (piece.tag !== OCTETS && piece.tag !== OCTETS_IN_PIECES)) break;
    if (piece.tag === OCTETS && piece.end !== undefined) length += bytes.copy(content, length, piece.start, piece.end);
    position = piece.tag === OCTETS ? (piece.end ?? end) : piece.start;
  }
  return content.subarray(0, length);
}
