export type AddressVerb = "MAIL FROM" | "RCPT TO";

/** MAIL or RCPT as it was written. */
export interface AddressCommand {
  /** As written, without a source route and without quotes that say nothing; "" is the null sender. */
  readonly address: string;
  /** Parameters by upper-case name; `true` for one without a value. */
  readonly parameters: ReadonlyMap<string, string | true>;
  /** A parameter that stands there twice. */
  readonly duplicate: string | undefined;
}

/** "A local-part of 64 octets" is a least, not a most (RFC 5321 §4.5.3.1); forwarders' rewritten senders are longer. */
const MAX_PATH_OCTETS = 500;
// Controls end up in logs; the zero-width ones make two addresses look like one.
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200b\u2060\ufeff]/;
const PATH =
  /^<(?:@[^\s<>:]+:)?(?<local>"(?:[^"\\]|\\.)*"|[^\s<>"@()[\]\\,;:]+)@(?<domain>\[[0-9A-Za-z.:]+\]|[^\s<>"@()[\]\\,;:]+)>/;
const DOT_ATOM = /^[^\s<>"@()[\]\\,;:.]+(?:\.[^\s<>"@()[\]\\,;:.]+)*$/;

/**
 * Reads `MAIL FROM:<path>` or `RCPT TO:<path>` and the parameters behind it; `undefined` when it is none.
 *
 * More is taken than the grammar has (dots at the ends of a local part, underscores in names), because real senders write
 * it and we send nothing back to them; less never. smtp-server 3.21.6 refuses quoted local parts with blanks or `@`.
 *
 * Source: RFC 5321 §4.1.2, §4.1.1.2, §4.1.1.3, appendix C; RFC 6531 §3.3.
 */
export function readAddressCommand(verb: AddressVerb, line: string): AddressCommand | undefined {
  const colon = line.indexOf(":");
  if (colon < 0 || line.slice(0, colon).trim().replace(/\s+/g, " ").toUpperCase() !== verb) return undefined;
  // A blank behind the colon is wrong, and everybody takes it.
  const rest = line.slice(colon + 1).trim();
  if (UNSAFE.test(rest)) return undefined;
  if (verb === "MAIL FROM" && /^<>(?:\s|$)/.test(rest)) return withParameters("", rest.slice(2));
  // "RCPT TO:<Postmaster>", with no domain, MUST be taken (§4.1.1.3).
  const [bare] = verb === "RCPT TO" ? (/^<postmaster>(?=\s|$)/i.exec(rest) ?? []) : [];
  if (bare !== undefined) return withParameters(bare.slice(1, -1), rest.slice(bare.length));
  const found = PATH.exec(rest);
  const { local = "", domain = "" } = found?.groups ?? {};
  if (found === null || Buffer.byteLength(found[0]) > MAX_PATH_OCTETS) return undefined;
  const behind = rest.slice(found[0].length);
  if (behind !== "" && !/^\s/.test(behind)) return undefined;
  return withParameters(`${withoutNeedlessQuotes(local)}@${domain}`, behind);
}

/**
 * Whether a command has a parameter that is not in `known`: one of an extension that we did not announce, such as DSN's,
 * because we send no reports (RFC 5321 §4.1.1.11).
 */
export function hasForeignParameter(read: AddressCommand | undefined, known: ReadonlySet<string>): boolean {
  for (const name of read?.parameters.keys() ?? []) if (!known.has(name)) return true;
  return false;
}

/** `"joe"` and `joe` are the same mailbox (§4.1.2: quotes that are not needed SHOULD not be written). */
function withoutNeedlessQuotes(local: string): string {
  if (!local.startsWith('"')) return local;
  const inner = local.slice(1, -1).replace(/\\(.)/g, "$1");
  return DOT_ATOM.test(inner) ? inner : local;
}

function withParameters(address: string, text: string): AddressCommand | undefined {
  const parameters = new Map<string, string | true>();
  let duplicate: string | undefined;
  for (const written of text.trim().split(/\s+/)) {
    if (written === "") continue;
    const [, name = "", value] = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=(.*))?$/.exec(written) ?? [];
    if (name === "" || value === "") return undefined;
    const key = name.toUpperCase();
    if (parameters.has(key)) duplicate = key;
    parameters.set(key, value ?? true);
  }
  return { address, parameters, duplicate };
}
