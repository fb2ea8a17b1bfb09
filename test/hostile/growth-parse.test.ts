import { READ_LIMITS } from "../../src/engine/budgets.ts";
import { parseAddresses } from "../../src/parse/addresses.ts";
import { automaticMarkOf } from "../../src/parse/automatic.ts";
import { Base64Stream } from "../../src/parse/base64-stream.ts";
import { parseDisposition } from "../../src/parse/body-disposition.ts";
import { parseUrlencoded } from "../../src/parse/body-fields.ts";
import { parseBodyType } from "../../src/parse/body-kind.ts";
import { MultipartParser, boundaryOf } from "../../src/parse/body-multipart.ts";
import { treeOfFields } from "../../src/parse/body-tree.ts";
import { readXmlBody } from "../../src/parse/body-xml.ts";
import { decodeText } from "../../src/parse/charset.ts";
import { isPgpMessage, withoutClearSignature } from "../../src/parse/clear-signed.ts";
import { contentTypeOf } from "../../src/parse/content-type.ts";
import { decodeWords } from "../../src/parse/encoded-words.ts";
import { unflow } from "../../src/parse/flowed.ts";
import { guessBoundary } from "../../src/parse/guess-boundary.ts";
import { readHeaders } from "../../src/parse/headers.ts";
import { kindOfInput } from "../../src/parse/loose-input.ts";
import { parseMailDate } from "../../src/parse/mail-date.ts";
import { parseMail } from "../../src/parse/mail.ts";
import { mediaTypeOfName } from "../../src/parse/media-type-of-name.ts";
import { readStructured, withoutComments } from "../../src/parse/parameters.ts";
import { readPkcs7 } from "../../src/parse/pkcs7.ts";
import { rejoin } from "../../src/parse/rejoin.ts";
import { htmlOfRtf } from "../../src/parse/rtf.ts";
import { readTnef } from "../../src/parse/tnef.ts";
import { decodeTransfer } from "../../src/parse/transfer-encoding.ts";
import { trimAll } from "../../src/parse/trim.ts";
import { decodeUuencode, findUuencoded } from "../../src/parse/uuencode.ts";
import type { Subject } from "../support/growth.ts";
import { testGrowth } from "../support/growth.ts";

const NO_LIMIT = Number.POSITIVE_INFINITY;
const MIXED = 'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n';
const DECODED_AS = ["utf-8", "utf-7", "iso-2022-jp", "hz-gb-2312", "windows-1252", "shift_jis", "utf-16", "no-such"];
const field = (name: string) => (text: string) => `${name}: ${text}\r\n\r\n`;
const alone = (text: string) => text;

function fed(boundary: string, body: Buffer): void {
  const parser = new MultipartParser(boundary);
  for (let at = 0; at < body.length; at += 64 * 1024)
    for (const piece of parser.push(body.subarray(at, at + 64 * 1024)))
      if (piece.kind === "part") piece.part.name.at(0);
  parser.end();
}

const SUBJECTS: readonly Subject[] = [
  {
    name: "a mail",
    run: (text) => parseMail(Buffer.from(text), READ_LIMITS.mime),
    around: [
      alone,
      (text) => `Content-Type: text/html\r\n\r\n${text}`,
      (text) => `${MIXED}\r\n${text}\r\n--b\r\n${text}`,
      (text) => `${MIXED}Content-Disposition: attachment; filename="a.txt"\r\n\r\n${text}`,
      (text) => `Content-Transfer-Encoding: quoted-printable\r\n\r\n${text}`,
      (text) => `Content-Type: text/plain; format=flowed; charset=utf-7\r\n\r\n${text}`,
    ],
  },
  {
    name: "a mail's header",
    run: (text) => parseMail(Buffer.from(text), { ...READ_LIMITS.mime, headerBytes: NO_LIMIT }),
    around: [
      ...["From", "To", "Subject", "Date", "References", "Content-Type", "Content-Transfer-Encoding"].map(field),
      (text) => `Content-Type: multipart/mixed; boundary="${text}"\r\n\r\n`,
      (text) => `Content-Disposition: attachment; filename*=utf-8''${text}\r\n\r\n`,
      (text) => `X: ${text}`,
    ],
  },
  { name: "header fields", run: (text) => readHeaders(Buffer.from(text), 0, NO_LIMIT), around: [alone, field("a")] },
  {
    name: "a value with parameters",
    run: readStructured,
    around: [
      alone,
      (text) => `text/plain; name=${text}`,
      (text) => `text/plain; name="${text}`,
      (text) => `text/plain; name*0*=utf-8''${text}`,
      (text) => `text/plain (${text}`,
    ],
  },
  { name: "comments", run: withoutComments },
  { name: "addresses", run: parseAddresses, around: [alone, (text) => `"a ${text}" <b@c`, (text) => `a <${text}`] },
  {
    name: "a date",
    run: parseMailDate,
    around: [alone, (text) => `Fri, 1 Mar 2024 ${text}`, (text) => `Fri ${text} 1`],
  },
  { name: "encoded words", run: decodeWords, around: [alone, (text) => `=?utf-8?Q?${text}?=`, (text) => `=?${text}`] },
  { name: "Auto-Submitted", run: (text) => automaticMarkOf([row("auto-submitted", text), row("precedence", text)]) },
  { name: "a media type", run: (text) => contentTypeOf([row("content-type", text)], "text/plain", Buffer.from(text)) },
  { name: "charsets", run: (text) => DECODED_AS.map((label) => decodeText(Buffer.from(text), label, true)) },
  { name: "a charset's name", run: (text) => decodeText(Buffer.from("é"), text, true) },
  {
    name: "a charset in HTML",
    run: (text) => decodeText(Buffer.from(text), undefined, true),
    around: [(text) => `<meta ${text}`],
  },
  { name: "flowed text", run: (text) => unflow(text, true) },
  { name: "text that a relay cut", run: (text) => rejoin(Buffer.from(text)) },
  {
    name: "a clear signature",
    run: withoutClearSignature,
    around: [alone, (text) => `-----BEGIN PGP SIGNED MESSAGE-----\n${text}`],
  },
  { name: "a PGP message", run: isPgpMessage },
  { name: "a boundary that nobody named", run: (text) => guessBoundary(Buffer.from(text)) },
  { name: "input of any kind", run: (text) => kindOfInput(Buffer.from(text)) },
  { name: "a file's name", run: mediaTypeOfName },
  { name: "blanks at ends", run: (text) => trimAll(text, " \t\"'"), around: [alone, (text) => `${text}x`] },
  ...["base64", "quoted-printable", "x-uuencode", "7bit"].map((encoding) => ({
    name: `transfer encoding ${encoding}`,
    run: (text: string) => decodeTransfer(Buffer.from(text), encoding),
  })),
  {
    name: "uuencoded files",
    run: (text) => findUuencoded(Buffer.from(text)),
    around: [alone, (text) => `begin 644 a\n${text}`],
  },
  { name: "uuencode", run: (text) => decodeUuencode(Buffer.from(text)) },
  {
    name: "RTF",
    run: (text) => htmlOfRtf(Buffer.from(text)),
    around: [alone, (text) => `{\\rtf1\\fromhtml1 {\\*\\htmltag ${text}`],
  },
  { name: "TNEF", run: (text) => readTnef(Buffer.from(`\x78\x9f\x3e\x22\0\0${text}`, "latin1"), 50) },
  { name: "PKCS #7", run: (text) => readPkcs7(Buffer.from(`0\x84\x7f\xff\xff\xff${text}`, "latin1")) },
  { name: "a form", run: (text) => parseUrlencoded(Buffer.from(text), NO_LIMIT) },
  {
    name: "the tree of a form",
    run: (text) =>
      treeOfFields(
        text.split("&").map((part) => [part, part]),
        { depth: NO_LIMIT },
      ),
    around: [alone, (text) => text.replaceAll(/.{8}/gs, "$&&"), (text) => `a${text}`],
  },
  {
    name: "Content-Disposition",
    run: parseDisposition,
    around: [(text) => `form-data; name=${text}`, (text) => `form-data; name="${text}`],
  },
  {
    name: "the boundary of a form",
    run: boundaryOf,
    around: [alone, (text) => `multipart/form-data; boundary="${text}`],
  },
  {
    name: "a multipart form",
    run: (text) => fed("b", Buffer.from(text)),
    around: [
      (text) => `--b\r\n${text}`,
      (text) => `--b\r\nContent-Disposition: form-data; name=a\r\n\r\n${text}`,
      (text) => `--b\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n${text}`,
      // A header field of each part may be as long as the limit on them allows.
      (text) =>
        text.replaceAll(
          /.{7000}/gs,
          (piece) =>
            `--b\r\nContent-Disposition: form-data; name=a\r\nX: ${piece.replaceAll(/[\r\n]/g, " ")}x\r\n\r\n\r\n`,
        ),
    ],
  },
  { name: "base64 in chunks", run: (text) => new Base64Stream().push(Buffer.from(text)) },
  {
    name: "XML",
    run: (text) => readXmlBody(Buffer.from(text), "", { depth: 512 }),
    around: [alone, (text) => `<a>${text}`, (text) => `<a b="${text}`, (text) => `<?xml ${text}`],
  },
  { name: "the type of a body", run: parseBodyType, around: [alone, (text) => `a/b; charset=${text}`] },
];

function row(name: string, value: string) {
  return { name, writtenName: name, value, start: 0, end: 0 };
}

testGrowth(SUBJECTS);
