import type { LimitName } from "../model/item.ts";
import type { RawField } from "./headers.ts";
import { fieldOf, readHeaders } from "./headers.ts";
import type { StructuredValue } from "./parameters.ts";
import { readStructured } from "./parameters.ts";
import { decodeTransfer } from "./transfer-encoding.ts";

/** Limits that are checked while the tree grows, before anything is built from it. */
export interface MimeLimits {
  readonly parts: number;
  readonly mimeDepth: number;
  readonly headerBytes: number;
  /** How deep `message/rfc822` is entered; below, it stays an attachment. */
  readonly rfc822Depth: number;
  /** Bytes of UTF-8 that `summary.text` and `summary.html` carry at most. */
  readonly textBytes: number;
}

/** A leaf of the MIME tree, its transfer encoding still on. */
export interface Leaf {
  readonly part: string;
  readonly fields: readonly RawField[];
  readonly contentType: StructuredValue;
  readonly disposition: StructuredValue;
  readonly transferEncoding: string;
  readonly encoded: Buffer;
  readonly forwarded: boolean;
  /** The media type of the multipart around it, "" at the root. */
  readonly container: string;
}

export interface MimeTree {
  readonly fields: readonly RawField[];
  readonly bodyStart: number;
  readonly leaves: readonly Leaf[];
  readonly limit?: { readonly limit: LimitName; readonly detail: string };
}

interface Node {
  readonly bytes: Buffer;
  readonly part: string;
  readonly depth: number;
  readonly rfc822Depth: number;
  readonly forwarded: boolean;
  readonly container: string;
}

const LF = 0x0a;
const CR = 0x0d;
const DASH = 0x2d;
const MAX_BOUNDARY_LENGTH = 1_000;

/**
 * The leaves of a mail in document order, found with a stack of our own: depth is a number here, not the engine's stack.
 *
 * Source: RFC 2045, RFC 2046 §5; numbers as IMAP gives them (RFC 3501 §6.4.5).
 */
export function readTree(bytes: Buffer, limits: MimeLimits): MimeTree {
  const leaves: Leaf[] = [];
  const top = readHeaders(bytes);
  const over = (limit: LimitName, detail: string): MimeTree => ({
    fields: top.fields,
    bodyStart: top.bodyStart,
    leaves,
    limit: { limit, detail },
  });
  const stack: Node[] = [{ bytes, part: "", depth: 0, rfc822Depth: 0, forwarded: false, container: "" }];
  let parts = 0;
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    parts += 1;
    if (parts > limits.parts) return over("parts", `more than ${limits.parts} parts`);
    if (node.depth > limits.mimeDepth) return over("mime-depth", `parts are nested deeper than ${limits.mimeDepth}`);
    const { fields, bodyStart } = node.part === "" ? top : readHeaders(node.bytes);
    if (bodyStart > limits.headerBytes)
      return over("header-bytes", `a header block of ${bodyStart} bytes, more than ${limits.headerBytes}`);
    const children = childrenOf(node, fields, bodyStart, limits, leaves);
    for (const child of children.toReversed()) stack.push(child);
  }
  return { fields: top.fields, bodyStart: top.bodyStart, leaves };
}

/** The parts inside a node, or none, and then the node itself is a leaf. */
function childrenOf(
  node: Node,
  fields: readonly RawField[],
  bodyStart: number,
  limits: MimeLimits,
  leaves: Leaf[],
): Node[] {
  const declared = fieldOf(fields, "content-type");
  const contentType = readStructured(
    declared ?? (node.container === "multipart/digest" ? "message/rfc822" : undefined),
  );
  const body = node.bytes.subarray(bodyStart);
  const boundary = contentType.parameters.get("boundary");
  if (
    contentType.value.startsWith("multipart/") &&
    boundary !== undefined &&
    boundary !== "" &&
    boundary.length <= MAX_BOUNDARY_LENGTH
  ) {
    const bodies = splitParts(body, boundary, limits.parts + 1);
    if (bodies.length > 0) {
      return bodies.map((bytes, index) => ({
        ...node,
        bytes,
        part: childNumber(node.part, index),
        depth: node.depth + 1,
        container: contentType.value,
      }));
    }
  }
  const transferEncoding = (fieldOf(fields, "content-transfer-encoding") ?? "")
    .replace(/\(.*?\)/g, "")
    .trim()
    .toLowerCase();
  if (
    (contentType.value === "message/rfc822" || contentType.value === "message/global") &&
    node.rfc822Depth < limits.rfc822Depth
  ) {
    const inner = decodeTransfer(body, transferEncoding);
    return [
      {
        bytes: inner,
        part: node.part === "" ? "1" : node.part,
        depth: node.depth + 1,
        rfc822Depth: node.rfc822Depth + 1,
        forwarded: true,
        container: contentType.value,
      },
    ];
  }
  leaves.push({
    part: leafNumber(node),
    fields,
    contentType: contentType.value === "" ? { value: "text/plain", parameters: contentType.parameters } : contentType,
    disposition: readStructured(fieldOf(fields, "content-disposition")),
    transferEncoding,
    encoded: body,
    forwarded: node.forwarded,
    container: node.container,
  });
  return [];
}

const childNumber = (parent: string, index: number) => (parent === "" ? `${index + 1}` : `${parent}.${index + 1}`);

/** A mail, or an enclosed mail, that is no multipart has one part, number 1. */
function leafNumber(node: Node): string {
  if (node.part === "") return "1";
  return node.container.startsWith("message/") ? `${node.part}.1` : node.part;
}

/**
 * The bodies between delimiter lines. A missing last delimiter ends with the body; what stands before the first and
 * behind the last is passed over. At most `max` are cut.
 */
function splitParts(body: Buffer, boundary: string, max: number): Buffer[] {
  const delimiter = Buffer.from(`--${boundary}`, "utf8");
  const parts: Buffer[] = [];
  let partStart = -1;
  for (let at = body.indexOf(delimiter); at >= 0; at = body.indexOf(delimiter, at + delimiter.length)) {
    if (at > 0 && body[at - 1] !== LF && body[at - 1] !== CR) continue;
    const line = delimiterLine(body, at + delimiter.length);
    if (line === undefined) continue;
    if (partStart >= 0) parts.push(body.subarray(partStart, Math.max(partStart, beforeLineEnd(body, at))));
    partStart = line.isLast ? -1 : line.end;
    if (line.isLast || parts.length >= max) return parts;
  }
  if (partStart >= 0) parts.push(body.subarray(partStart));
  return parts;
}

/** The rest of a delimiter line: only `--` and blanks may stand there, else it is a longer boundary's. */
function delimiterLine(body: Buffer, from: number): { isLast: boolean; end: number } | undefined {
  const isLast = body[from] === DASH && body[from + 1] === DASH;
  let at = isLast ? from + 2 : from;
  while (body[at] === 0x20 || body[at] === 0x09) at += 1;
  if (at >= body.length) return { isLast, end: body.length };
  if (body[at] === CR && body[at + 1] === LF) return { isLast, end: at + 2 };
  if (body[at] === LF || body[at] === CR) return { isLast, end: at + 1 };
  return undefined;
}

function beforeLineEnd(body: Buffer, at: number): number {
  if (at > 1 && body[at - 1] === LF && body[at - 2] === CR) return at - 2;
  return at > 0 ? at - 1 : 0;
}
