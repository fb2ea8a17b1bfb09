import type { MailAddress } from "../model/mail.ts";
import { decodeWords } from "./encoded-words.ts";
import { commentEnd } from "./parameters.ts";

/**
 * Reads an address list: names, comments, quoted strings, groups and routes. Never throws; what is no address is left out.
 *
 * One pass over the characters, comments nested by a counter. International domains stay as written.
 * Source: RFC 5322 §3.4, §4.4; a list that stands in encoded words as a whole is written by mailers all the same.
 */
export function parseAddresses(value: string | undefined): readonly MailAddress[] {
  if (value === undefined || value === "") return [];
  const addresses = readList(value);
  if (addresses.length > 0 || !value.includes("=?")) return addresses;
  return readList(decodeWords(value));
}

interface Mailbox {
  readonly name: string;
  readonly address: string;
  readonly comment: string;
  readonly isAngled: boolean;
}

function readList(value: string): readonly MailAddress[] {
  const addresses: MailAddress[] = [];
  for (const { name, address, comment, isAngled } of mailboxes(value)) {
    const bare = name.includes("@") ? name.trim() : "";
    // "Cron <root>" names a local user; a word alone is no address.
    const written = withoutRoute(address.trim()) || (isAngled && bare === "" ? "" : bare);
    if (written === "") continue;
    const shown = address.trim() === "" ? comment : name.trim() || comment;
    addresses.push({
      name: decodeWords(shown).trim(),
      address: decodeWords(written.startsWith('"') ? written : written.replace(/\s+/g, "")),
    });
  }
  return addresses;
}

/** `<@a.example,@b.example:joe@c.example>`: only the last counts (RFC 5322 §4.4). */
function withoutRoute(address: string): string {
  return address.startsWith("@") ? address.slice(address.indexOf(":") + 1) : address;
}

function* mailboxes(value: string): Generator<Mailbox> {
  let name: string[] = [];
  let address: string[] = [];
  let comment = "";
  let inAngle = false;
  let isAngled = false;
  let hasAt = false;
  const taken = (): Mailbox => {
    const box = { name: name.join(""), address: address.join(""), comment, isAngled };
    name = [];
    address = [];
    comment = "";
    isAngled = false;
    hasAt = false;
    return box;
  };
  for (let i = 0; i < value.length; i += 1) {
    const character = value[i] ?? "";
    if (character === '"') {
      const end = quotedEnd(value, i + 1);
      if (inAngle) address.push(value.slice(i, end + 1));
      // A quoted local part: "john doe"@example.org.
      else if (value[end + 1] === "@") name.push(value.slice(i, end + 1));
      else name.push(value.slice(i + 1, end).replace(/\\(.)/g, "$1"));
      i = end;
    } else if (character === "(") {
      const end = commentEnd(value, i + 1);
      comment ||= value.slice(i + 1, value[end - 1] === ")" ? end - 1 : end);
      i = end - 1;
    } else if (character === "<") {
      // A comma that is missing between two of them.
      if (isAngled) yield taken();
      inAngle = true;
      isAngled = true;
    } else if (character === ">") inAngle = false;
    else if ((character === "," || character === ";") && !(inAngle && address[0] === "@")) {
      inAngle = false;
      yield taken();
    } else if (character === ":" && !inAngle && !hasAt) name = [];
    else if (inAngle) address.push(character);
    else {
      hasAt ||= character === "@";
      name.push(character);
    }
  }
  yield taken();
}

function quotedEnd(value: string, from: number): number {
  for (let i = from; i < value.length; i += 1) {
    if (value[i] === "\\") i += 1;
    else if (value[i] === '"') return i;
  }
  return value.length;
}
