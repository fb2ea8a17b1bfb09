const BEGIN_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----";
const BEGIN_SIGNATURE = /^-----BEGIN PGP SIGNATURE-----/m;
const BEGIN_MESSAGE = /^\s*-----BEGIN PGP MESSAGE-----/;

/**
 * The text that stands in an inline PGP signature, its dash escapes undone; any other text as it is. What stands around the
 * signed text stays out: it is not what was signed.
 *
 * Source: RFC 9580 §7.
 */
export function withoutClearSignature(text: string): string {
  const begin = text.indexOf(BEGIN_SIGNED);
  if (begin < 0 || (begin > 0 && !/[\r\n]/.test(text[begin - 1] ?? ""))) return text;
  // Armor headers ("Hash: SHA256") end at an empty line.
  const rest = text.slice(begin + BEGIN_SIGNED.length);
  const blank = /(?:\r\n|\r(?!\n)|\n)[ \t]*(?:\r\n?|\n)/.exec(rest);
  if (blank === null) return text;
  const signed = rest.slice(blank.index + blank[0].length);
  const end = BEGIN_SIGNATURE.exec(signed)?.index;
  return end === undefined ? text : signed.slice(0, end).replace(/^- /gm, "");
}

/** Whether a text is nothing but an encrypted PGP message. */
export function isPgpMessage(start: string): boolean {
  return BEGIN_MESSAGE.test(start);
}
