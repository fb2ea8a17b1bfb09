const head = (type: string) =>
  `From: evil@example.org\r\nSubject: hostile\r\nMIME-Version: 1.0\r\nContent-Type: ${type}\r\n`;
const html = (body: string) => `${head("text/html; charset=utf-8")}\r\n${body}\r\n`;
const json = (body: string) => `${head("application/json")}\r\n${body}\r\n`;
const text = (body: string, type = "text/plain") => `${head(type)}\r\n${body}\r\n`;
const lines = (body: string) => body.replace(/.{900}/g, "$&\r\n");

/** Mails that are cheap to send and were expensive for some reader. Each is built when asked for: one has 25 MB. */
export const HOSTILE_MAILS: Readonly<Record<string, () => string>> = {
  "100,000 nested divs": () => html(lines("<div>".repeat(100_000))),
  "50,000 parts": () => text("--b\r\n\r\nx\r\n".repeat(50_000), 'multipart/mixed; boundary="b"'),
  "a header of 1 MB": () => `Subject: ${"x".repeat(1_000_000)}\r\n${json("{}")}`,
  "one line of 25 MB": () => text("x".repeat(25_000_000)),
  "2 MB of format=flowed": () => text("> quoted and flowed \r\n".repeat(100_000), "text/plain; format=flowed"),
  "JSON of depth 100,000": () => json("[".repeat(100_000) + "]".repeat(100_000)),
  "10,000 scripts": () => html('<script type="application/ld+json">{"@type":"A"}</script>\r\n'.repeat(10_000)),
  "base64 that looks like a zip": () =>
    `${head("application/zip")}Content-Transfer-Encoding: base64\r\n\r\n${`UEsDBBQAAAAIAA${"A".repeat(62)}\r\n`.repeat(50_000)}`,
  "200 nested message/rfc822": () => `${head("message/rfc822")}\r\n`.repeat(200) + json("{}"),
  "a remote @context": () => json('{"@context":"http://169.254.169.254/latest","@type":"Order"}'),
  "keys of prototypes": () => json('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  "NUL everywhere": () => text('\0{"a"\0:1}\0'.repeat(10_000)),
  "a million open braces in prose": () => text(lines("{[".repeat(500_000))),
};
