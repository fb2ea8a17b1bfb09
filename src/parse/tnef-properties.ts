/** MAPI properties by their number, each as its first value. */
export type MapiProperties = ReadonlyMap<number, MapiValue>;

export interface MapiValue {
  readonly type: number;
  readonly bytes: Buffer;
}

export const STRING_8 = 0x001e;
export const UNICODE = 0x001f;
const OBJECT = 0x000d;
const BINARY = 0x0102;
const SEVERAL = 0x1000;
const NAMED = 0x8000;
const SIZES: Readonly<Record<number, number>> = {
  0x0001: 0,
  0x0002: 4,
  0x0003: 4,
  0x0004: 4,
  0x0005: 8,
  0x0006: 8,
  0x0007: 8,
  0x000a: 4,
  0x000b: 4,
  0x0014: 8,
  0x0040: 8,
  0x0048: 16,
};

/**
 * Reads a list of MAPI properties as TNEF holds it. What is damaged ends the list: what came before it counts.
 *
 * Source: [MS-OXTNEF] §2.1.3.3 and §2.1.3.4.
 */
export function readProperties(bytes: Buffer): MapiProperties {
  const found = new Map<number, MapiValue>();
  let at = 4;
  const count = at <= bytes.length ? bytes.readUInt32LE(0) : 0;
  for (let i = 0; i < count && at + 4 <= bytes.length; i += 1) {
    const type = bytes.readUInt16LE(at);
    const id = bytes.readUInt16LE(at + 2);
    at += 4;
    if (id >= NAMED) {
      const named = endOfName(bytes, at);
      if (named === undefined) return found;
      at = named;
    }
    const values = readValues(bytes, at, type);
    if (values === undefined) return found;
    at = values.end;
    if (values.first !== undefined && !found.has(id)) found.set(id, { type: type & ~SEVERAL, bytes: values.first });
  }
  return found;
}

function endOfName(bytes: Buffer, at: number): number | undefined {
  if (at + 24 > bytes.length) return undefined;
  const isText = bytes.readUInt32LE(at + 16) === 1;
  return isText ? at + 24 + padded(bytes.readUInt32LE(at + 20)) : at + 24;
}

function readValues(bytes: Buffer, from: number, type: number): { first?: Buffer; end: number } | undefined {
  const base = type & ~SEVERAL;
  const isVariable = base === STRING_8 || base === UNICODE || base === OBJECT || base === BINARY;
  const size = SIZES[base];
  let at = from;
  let count = 1;
  if (isVariable || (type & SEVERAL) !== 0) {
    if (at + 4 > bytes.length) return undefined;
    count = bytes.readUInt32LE(at);
    at += 4;
  }
  if (!isVariable) {
    if (size === undefined || at + size * count > bytes.length) return undefined;
    return { first: bytes.subarray(at, at + size), end: at + size * count };
  }
  let first: Buffer | undefined;
  for (let i = 0; i < count; i += 1) {
    if (at + 4 > bytes.length) return undefined;
    const length = bytes.readUInt32LE(at);
    at += 4;
    if (at + length > bytes.length) return undefined;
    first ??= bytes.subarray(at, at + length);
    at += padded(length);
  }
  return first === undefined ? { end: at } : { first, end: at };
}

const padded = (length: number) => (length + 3) & ~3;
