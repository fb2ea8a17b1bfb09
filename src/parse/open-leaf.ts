import type { Leaf } from "./leaf.ts";
import { filenameOf, looseLeaf } from "./leaf.ts";
import { mediaTypeOfName } from "./media-type-of-name.ts";
import { readPkcs7 } from "./pkcs7.ts";
import { readTnef } from "./tnef.ts";
import { decodeTransfer } from "./transfer-encoding.ts";
import { findUuencoded } from "./uuencode.ts";

/** What a leaf turned out to be: leaves (mostly itself), or a MIME entity that was wrapped in it. */
export type OpenedLeaf =
  | { readonly kind: "leaves"; readonly leaves: readonly Leaf[]; readonly note?: string }
  | { readonly kind: "entity"; readonly bytes: Buffer; readonly note?: string };

const TNEF = /^application\/(?:vnd\.)?ms-tnef$/;
const PKCS7 = /^application\/(?:x-)?pkcs7-mime$/;
const BEGIN = Buffer.from("begin ");

/**
 * Opens what holds parts without being MIME: `winmail.dat`, S/MIME bodies, uuencoded files in a text.
 *
 * A `winmail.dat` and a signed body give way to what is in them; a text stays, without the lines of its files. Pieces are
 * numbered below the leaf they stood in ("2.1").
 */
export function openLeaf(leaf: Leaf, depthLeft: number): OpenedLeaf {
  const { value } = leaf.contentType;
  const filename = filenameOf(leaf)?.toLowerCase() ?? "";
  if (TNEF.test(value) || filename === "winmail.dat") return openTnef(leaf, depthLeft);
  if (PKCS7.test(value) || (value === "application/octet-stream" && filename.endsWith(".p7m"))) return openPkcs7(leaf);
  if (value === "text/plain" && leaf.disposition.value !== "attachment" && leaf.encoded.includes(BEGIN))
    return openUuencoded(leaf);
  return { kind: "leaves", leaves: [leaf] };
}

function openTnef(leaf: Leaf, depthLeft: number): OpenedLeaf {
  const pieces = readTnef(decodeTransfer(leaf.encoded, leaf.transferEncoding), depthLeft);
  if (pieces === undefined || pieces.length === 0) return { kind: "leaves", leaves: [leaf] };
  const leaves = pieces.map((piece, index) =>
    looseLeaf(leaf, {
      ...piece,
      part: `${leaf.part}.${index + 1}`,
      mediaType: piece.mediaType ?? mediaTypeOfName(piece.filename),
      container: leaf.contentType.value,
    }),
  );
  return { kind: "leaves", leaves, note: `part ${leaf.part} (winmail.dat) was opened` };
}

function openPkcs7(leaf: Leaf): OpenedLeaf {
  const opened = readPkcs7(decodeTransfer(leaf.encoded, leaf.transferEncoding));
  if (opened?.kind === "signed" && opened.content.length > 0)
    return { kind: "entity", bytes: opened.content, note: `part ${leaf.part} (S/MIME, signed) was opened` };
  const said = leaf.contentType.parameters.get("smime-type")?.toLowerCase() ?? "";
  const encrypted = opened?.kind === "encrypted" || said.endsWith("enveloped-data");
  return { kind: "leaves", leaves: [encrypted ? { ...leaf, encrypted } : leaf] };
}

function openUuencoded(leaf: Leaf): OpenedLeaf {
  const text = decodeTransfer(leaf.encoded, leaf.transferEncoding);
  const files = findUuencoded(text);
  if (files.length === 0) return { kind: "leaves", leaves: [leaf] };
  const rest: Buffer[] = [];
  let at = 0;
  for (const { start, end } of files) {
    rest.push(text.subarray(at, start));
    at = end;
  }
  rest.push(text.subarray(at));
  const leaves = files.map(({ filename, bytes }, index) =>
    looseLeaf(leaf, {
      part: `${leaf.part}.${index + 1}`,
      mediaType: mediaTypeOfName(filename),
      charset: null,
      filename,
      bytes,
      container: leaf.contentType.value,
      forwarded: leaf.forwarded,
    }),
  );
  const plain: Leaf = { ...leaf, encoded: Buffer.concat(rest), transferEncoding: "" };
  return { kind: "leaves", leaves: [plain, ...leaves], note: `part ${leaf.part} holds uuencoded files` };
}
