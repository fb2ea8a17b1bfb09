import fc from "fast-check";
import iconv from "iconv-lite";

import { anyJson, anyJsonObject } from "./any-json.ts";

/** A JSON text in a mail, and what was done to it on the way. */
export interface PlacedJson {
  readonly json: string;
  readonly mail: Buffer;
  /** In words, for a counterexample. */
  readonly how: string;
}

/** How a place writes a JSON text down: its media type, a file name, the body around it. */
interface Place {
  readonly name: string;
  readonly type: string;
  readonly filename?: string;
  /** Only objects and arrays count there. */
  readonly isProse: boolean;
  body(json: string): string;
}

const escapedHtml = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
/** A script's text must not hold its own end. */
const forScript = (json: string) => (/<\/script|<!--/i.test(json) ? json.replaceAll("<", "\\u003c") : json);
const oneLine = (json: string) => json.replaceAll("\n", " ");

const PLACES: readonly Place[] = [
  { name: "json part", type: "application/json", isProse: false, body: (json) => json },
  { name: "json-ld part", type: "application/ld+json", isProse: false, body: (json) => `\n ${json}\n` },
  { name: "file", type: "application/octet-stream", filename: "a.json", isProse: false, body: (json) => json },
  { name: "ndjson", type: "application/x-ndjson", isProse: false, body: (json) => `${oneLine(json)}\n` },
  {
    name: "script",
    type: "text/html",
    isProse: false,
    body: (json) => `<p>Hi {you}</p><script type="application/json">${forScript(json)}</script>`,
  },
  {
    name: "ld script in the head",
    type: "text/html",
    isProse: false,
    body: (json) => `<head><script type='application/ld+json; a=b'>\n${forScript(json)}\n</script></head>`,
  },
  { name: "pre", type: "text/html", isProse: true, body: (json) => `<p>See</p><pre>\n${escapedHtml(json)}</pre>` },
  {
    name: "text of HTML that keeps its blanks",
    type: "text/html",
    isProse: true,
    body: (json) => `<p>Hi</p><p style="white-space: pre-wrap">${escapedHtml(json)}</p>`,
  },
  { name: "whole text", type: "text/plain", isProse: true, body: (json) => `${json}\n` },
  { name: "prose", type: "text/plain", isProse: true, body: (json) => `Hi {you} [1],\n\n${json}\n\n-- \nBye\n` },
  { name: "fence", type: "text/plain", isProse: true, body: (json) => `Hi\n\`\`\`json\n${json}\n\`\`\`\n` },
  { name: "quote", type: "text/plain", isProse: true, body: (json) => `Hi\n\n> ${json.replaceAll("\n", "\n> ")}\n` },
  {
    name: "flowed text",
    type: "text/plain; format=flowed",
    isProse: true,
    body: (json) => `Hi \nthere\n\n${oneLine(json)}\n`,
  },
];

const UNICODE = ["utf-8", "utf-16", "utf-16le", "utf-16be", "utf-7"] as const;
/** Charsets that carry ASCII as it is; the rest of a JSON text is written as `\u0000`. */
const LEGACY = `us-ascii iso-8859-1 iso-8859-2 iso-8859-5 iso-8859-9 iso-8859-15 windows-1250 windows-1251 windows-1252
  koi8-r koi8-u macintosh gb2312 gb18030 big5 shift_jis euc-jp euc-kr`.split(/\s+/);
const ENCODINGS = ["base64", "quoted-printable", "8bit"] as const;
const WRAPPERS = ["alone", "mixed", "alternative in mixed", "enclosed mail", "enclosed mail in base64"] as const;

const asciiOnly = (json: string) =>
  json.replace(/[^\t\n -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Any JSON text in any place of a mail, in any charset and transfer encoding that can carry it there. */
export const anyPlacedJson: fc.Arbitrary<PlacedJson> = fc
  .record({
    any: anyJson,
    object: anyJsonObject,
    place: fc.constantFrom(...PLACES),
    charset: fc.oneof(fc.constantFrom(...UNICODE), fc.constantFrom(...LEGACY)),
    encoding: fc.constantFrom(...ENCODINGS),
    wrapper: fc.constantFrom(...WRAPPERS),
    lineEnd: fc.constantFrom("\r\n", "\n"),
  })
  .map(({ any, object, place, charset, encoding: wished, wrapper, lineEnd }) => {
    const written = place.isProse ? object : any;
    const json = (UNICODE as readonly string[]).includes(charset) ? written : asciiOnly(written);
    // UTF-16 has line ends of its own and zeros: it travels in base64 (RFC 2781 §3.3).
    const encoding = charset.startsWith("utf-16") ? "base64" : wished;
    const text = place.body(json).replaceAll("\n", lineEnd);
    const bytes = iconv.encode(text, charset, { addBOM: charset === "utf-16" });
    const part = partOf(place, charset, encoding, bytes, lineEnd);
    return { json, mail: wrapped(part, wrapper, lineEnd), how: `${place.name}, ${charset}, ${encoding}, ${wrapper}` };
  });

function partOf({ type, filename }: Place, charset: string, encoding: string, bytes: Buffer, lineEnd: string): Buffer {
  const head = [
    `Content-Type: ${type}; charset=${charset}`,
    `Content-Transfer-Encoding: ${encoding}`,
    ...(filename === undefined ? [] : [`Content-Disposition: attachment; filename="${filename}"`]),
  ];
  return Buffer.concat([Buffer.from([...head, "", ""].join(lineEnd)), encoded(bytes, encoding, lineEnd)]);
}

function encoded(bytes: Buffer, encoding: string, lineEnd: string): Buffer {
  if (encoding === "base64") return Buffer.from(bytes.toString("base64").replace(/.{76}/g, `$&${lineEnd}`));
  if (encoding === "8bit") return bytes;
  const lines = bytes
    .toString("latin1")
    .split(lineEnd)
    .map((line) => {
      const units = line.replace(/[^ -<>-~]|[ \t]$/g, (byte) => `=${hex(byte)}`).match(/=[0-9A-F]{2}|[^]/g) ?? [];
      // Every 20 units a soft break: lines stay below 76 characters.
      return units.map((unit, index) => (index % 20 === 19 ? `${unit}=${lineEnd}` : unit)).join("");
    });
  return Buffer.from(lines.join(lineEnd), "latin1");
}

function hex(byte: string): string {
  return byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
}

function wrapped(part: Buffer, wrapper: (typeof WRAPPERS)[number], lineEnd: string): Buffer {
  const head = (type: string) => Buffer.from(["Subject: x", "MIME-Version: 1.0", type].join(lineEnd));
  const lines = (...all: string[]) => Buffer.from(all.map((line) => `${line}${lineEnd}`).join(""));
  const multipart = (type: string, boundary: string, inner: Buffer) =>
    Buffer.concat([
      lines(
        `Content-Type: multipart/${type}; boundary="${boundary}"`,
        "",
        `--${boundary}`,
        "",
        "Hello",
        `--${boundary}`,
      ),
      inner,
      lines("", `--${boundary}--`),
    ]);
  const mail = Buffer.concat([head(""), part]);
  switch (wrapper) {
    case "alone":
      return mail;
    case "mixed":
      return Buffer.concat([head(""), multipart("mixed", "=_a", part)]);
    case "alternative in mixed":
      return Buffer.concat([head(""), multipart("mixed", "=_a", multipart("alternative", "=_b", part))]);
    case "enclosed mail":
      return Buffer.concat([
        head(""),
        multipart("mixed", "=_a", Buffer.concat([lines("Content-Type: message/rfc822", ""), mail])),
      ]);
    case "enclosed mail in base64": {
      const inner = encoded(mail, "base64", lineEnd);
      const around = lines("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "");
      return Buffer.concat([head(""), multipart("mixed", "=_a", Buffer.concat([around, inner]))]);
    }
  }
}
