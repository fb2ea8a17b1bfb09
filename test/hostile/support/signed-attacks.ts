/** Mails whose signatures were expensive for a reader; each is made in about any size. */
export const SIGNED_ATTACKS: Readonly<Record<string, (size: number) => string>> = {
  "blanks in one tag": (size) => signed(`x=a${" ".repeat(size)}`),
  "blanks in a field name": (size) => `X${" ".repeat(size)}: a\r\n${signed("x=1")}`,
  "folded rows": (size) => `X-Long: a\r\n${" a\r\n".repeat(size / 4)}${signed("x=1")}`,
  "one long line in the body": (size) => signed("x=1", "x ".repeat(size / 2)),
  "blanks at the ends of lines": (size) => signed("x=1", "x   \r\n".repeat(size / 6)),
  "empty lines at the end": (size) => signed("x=1", `x${"\r\n".repeat(size / 2)}`),
  "h= names one field again and again": (size) =>
    `${"X-A: b\r\n".repeat(size / 16)}${signed(`h=${"x-a:".repeat(size / 8)}from`)}`,
  "a hundred signatures": (size) => signed("x=1", "y".repeat(size)).replace(/^/, DKIM("x=1").repeat(100)),
  "ten signatures with l=": (size) =>
    `${Array.from({ length: 9 }, (_, index) => DKIM(`l=${index + 1}`)).join("")}${signed("l=10", "y ".repeat(size / 2))}`,
  "tags without an end": (size) => signed("a=b;".repeat(size / 4)),
  "a seal for each instance": (size) =>
    `${Array.from({ length: 60 }, (_, index) => `ARC-Seal: i=${index + 1}; a=rsa-sha256; cv=pass; d=a.example; s=s; b=${"A".repeat(size / 100)}\r\n`).join("")}${signed("x=1")}`,
};

const DKIM = (more: string) =>
  `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=evil.example; s=s; h=from:subject; bh=YQ==; b=YQ==; ${more}\r\n`;

const signed = (more: string, body = "{}") => `${DKIM(more)}From: a@evil.example\r\nSubject: x\r\n\r\n${body}\r\n`;
