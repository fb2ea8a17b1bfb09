import type { ExtractCallOptions } from "../../src/library.ts";

type Kind = NonNullable<ExtractCallOptions["as"]>;

/** Inputs that cost the naive reader time that grows faster than they do; each is made in any size. */
export interface Family {
  readonly name: string;
  readonly as: Kind;
  /** It is a mail's header that grows. */
  readonly inHeader: boolean;
  make(size: number): string;
}

const repeat = (unit: string) => (size: number) => unit.repeat(Math.ceil(size / unit.length));
const around = (before: string, unit: string, after: string) => (size: number) => before + repeat(unit)(size) + after;
/** A unit that is another one each time. */
const numbered = (before: string, unit: (index: number) => string, after: string) => (size: number) => {
  const pieces = [before];
  for (let index = 0, length = 0; length < size; index += 1) {
    const piece = unit(index);
    pieces.push(piece);
    length += piece.length;
  }
  return [...pieces, after].join("");
};

const HTML = "Content-Type: text/html\r\n\r\n";
const MIXED = 'Content-Type: multipart/mixed; boundary="b"\r\n\r\n';
const FLOWED = "Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n";

const BY_KIND: Readonly<Record<Kind | "header", Readonly<Record<string, (size: number) => string>>>> = {
  text: {
    "braces in prose": repeat("{ "),
    "lines that open": repeat("{\n"),
    "lines like JSON": repeat('{"a":\n'),
    "damaged objects": repeat('{"a": {"b": nope}}\n'),
    "quotes that never close": repeat('{"'),
    "quote marks in one line": repeat("> "),
    "quoted lines of two depths": repeat("> {\n>> {\n"),
    fences: repeat("```\n{\n"),
    "no-break spaces": around('{"a":', "\u00a0", "x"),
    "forward marks": around('{"a":1}\n', "----- a -----\n", ""),
    "heads of forwarded mails": around('{"a":1}\n', "From: x\n> From:\n", ""),
    "one item again and again": repeat('{"a":1}\n'),
  },
  json: {
    nesting: repeat("["),
    commas: around("[", ",", "]"),
    blanks: around("[1,", " ", "x]"),
    "missing commas": around("[", "{}", "]"),
    "several values": repeat("{}"),
    "comments that never close": repeat("/*"),
    "HTML comment ends": around("1", "--> ", "x"),
    semicolons: around("1", "; ", "x"),
    "entities ": repeat("&quot;"),
    backslashes: around('"', "\\", ""),
    "one name again and again": around("{", '"a":1,', '"a":1}'),
    "many names": numbered("{", (index) => `"${index}":1,`, '"a":1}'),
    "contexts in contexts": around('{"@context":', '{"@context":', "1"),
  },
  ndjson: { "damaged lines": repeat("{nope}\n"), "lines that a relay cut": repeat(`${"x".repeat(997)}\n `) },
  html: {
    "braces in HTML": around("<p>", "{ ", ""),
    "pre blocks": repeat("<pre>{</pre>"),
    scripts: repeat('<script type="application/json">{}</script>'),
    "damaged scripts": repeat('<script type="application/json">{nope}</script>'),
    "scripts that never close": repeat('<script type="application/json">'),
    "comments in HTML that never close": repeat("<!--"),
    "comments in scripts": around("<script>", "<!-- <script> ", "</script>"),
    "tags that never close": repeat("<a "),
    "attributes without a quote": repeat('<a b="'),
    "one attribute after another": around("<a ", "b ", "><p>{"),
    "nested elements": around('{"a":1}', "<div>", ""),
    "formatting that every paragraph repeats": around("", "<b><p>", '{"a":1}'),
    "nested tables": around('<p itemscope>{"a":1}', "<table><tr><td>", ""),
    "nested items": repeat('<p itemscope itemprop="a">'),
    "items that name each other": numbered(
      "",
      (index) => `<p id=i${index} itemscope itemprop=a itemref="i${index + 1} i${index + 2}">`,
      "",
    ),
    "one item named again and again": around('<p id=a itemprop=b>x</p><p itemscope itemref="', "a ", '">'),
    "quotes in quotes": repeat("<blockquote>"),
    "lines between dashes in HTML": around('<script type="application/json">1</script>', "<p>----- a -----<", ""),
    "Outlook's heads": around('<script type="application/json">1</script>', "<div border-top:solid", ""),
    references: around("<pre>{", "&quot;", ""),
  },
  header: {
    "blanks in a transfer encoding": around("Content-Transfer-Encoding: 7bit", " ", "x\r\n\r\nx"),
    "quotes in a charset": around('Content-Type: text/plain; charset="a', "'", 'x"\r\n\r\nx'),
    "blanks in a subject": around("Subject: a", " ", "b\r\n\r\n"),
    "blanks in a name": around("From: a", " ", "b <a@b.example>\r\n\r\n"),
    "base64 words that go on and on": around("Subject: =?utf-8?B?A?= ", "=?utf-8?B?AAAA?= ", "\r\n\r\n"),
    "header fields": repeat("a: b\r\n"),
    "one long fold": around("a: b", "\r\n c", ""),
    "lines that are no field": around("a: b\r\n", "x\r\n y\r\n", ""),
    "a CR alone": repeat("a:\r"),
    "encoded words": around("Subject: ", "=?utf-8?Q?a?= ", "\r\n\r\n"),
    "encoded words that never end": around("Subject: ", "=?utf-8?Q?", "\r\n\r\n"),
    "comments in addresses": around("From: ", "(", "\r\n\r\n"),
    "addresses that never close": around("To: ", '"<', "\r\n\r\n"),
    addresses: around("To: ", "a@b, ", "\r\n\r\n"),
    groups: around("To: ", "a:", "\r\n\r\n"),
    references: around("References: ", "<", "\r\n\r\n"),
    parameters: numbered("Content-Type: text/plain", (index) => `; a*${index}=b`, "\r\n\r\n"),
    "parameters without a semicolon": around("Content-Type: text/plain", " a", "\r\n\r\n"),
    "blanks in a parameter": around("Content-Type: text/plain; name=a", " ", "b\r\n\r\n"),
    "comments in a media type": around("Content-Type: text/plain", "(", "\r\n\r\n"),
  },
  mail: {
    "parts in one": around(MIXED, "--b\r\n\r\nx\r\n", ""),
    "multiparts in multiparts": numbered(
      "",
      (index) => `Content-Type: multipart/mixed; boundary=b${index}\r\n\r\n--b${index}\r\n`,
      "",
    ),
    "mails in mails": repeat("Content-Type: message/rfc822\r\n\r\n"),
    "boundaries that nearly match": around(MIXED, "\r\n--bx", ""),
    "boundaries with blanks": around(MIXED, `\r\n--b${" ".repeat(60)}x`, ""),
    "a boundary that nobody names": around("Content-Type: multipart/mixed\r\n\r\n", "--a\r\n\r\n", ""),
    "lines of hyphens": around(MIXED, "\n--", ""),
    "flowed lines": around(FLOWED, "a \r\n", ""),
    "flowed lines of two depths": around(FLOWED, "> a \r\n>> a \r\n", ""),
    "soft line breaks": around("Content-Transfer-Encoding: quoted-printable\r\n\r\n", "=\r\n", ""),
    "blanks in quoted-printable": around("Content-Transfer-Encoding: quoted-printable\r\n\r\n", "= ", ""),
    "base64 in pieces": around("Content-Transfer-Encoding: base64\r\n\r\n", "YQ==\r\n", ""),
    "uuencoded files": around("\r\n", "begin 644 a\r\n!8```\r\nend\r\n", ""),
    "uuencode that is none": around("\r\n", "begin 644 a\r", ""),
    "PGP armour": around("\r\n", "-----BEGIN PGP SIGNED MESSAGE-----\r\n", ""),
    "shift characters of UTF-7": around("Content-Type: text/plain; charset=utf-7\r\n\r\n", "+A-", ""),
    "shift characters of ISO-2022-JP": around("Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n", "\u001b$B", ""),
    "shift characters of HZ": around("Content-Type: text/plain; charset=hz-gb-2312\r\n\r\n", "~{", ""),
    "an HTML mail that never closes": around(HTML, "<!-- <", ""),
    "declarations of a charset": around(HTML, "<meta charset", ""),
  },
};

export const FAMILIES: readonly Family[] = Object.entries(BY_KIND).flatMap(([kind, families]) =>
  Object.entries(families).map(([name, make]) => {
    const inHeader = kind === "header";
    return { name: name.trim(), as: inHeader ? "mail" : (kind as Kind), inHeader, make };
  }),
);
