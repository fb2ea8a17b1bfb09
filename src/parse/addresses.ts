import type { MailAddress } from "../model/mail.ts";
import { decodeWords } from "./encoded-words.ts";

const MAX_ADDRESSES = 1_000;

/**
 * Reads an address list: names, comments, quoted strings and groups. Never throws; what is no address is left out.
 *
 * One pass over the characters, comments nested by a counter. Source: RFC 5322 §3.4, §4.4.
 */
export function parseAddresses(value: string | undefined): readonly MailAddress[] {
  if (value === undefined) return [];
  const addresses: MailAddress[] = [];
  for (const { name, address, comment } of mailboxes(value)) {
    const written = address.trim() || (name.includes("@") ? name.trim() : "");
    if (!written.includes("@") || addresses.length >= MAX_ADDRESSES) continue;
    const shown = address.trim() === "" ? comment : name.trim() || comment;
    addresses.push({ name: decodeWords(shown).trim(), address: decodeWords(written.replace(/\s+/g, "")) });
  }
  return addresses;
}

interface Mailbox {
  name: string;
  address: string;
  comment: string;
}

function* mailboxes(value: string): Generator<Mailbox> {
  let box: Mailbox = { name: "", address: "", comment: "" };
  let inAngle = false;
  for (let i = 0; i < value.length; i += 1) {
    const character = value[i] ?? "";
    if (character === '"') {
      const end = quotedEnd(value, i + 1);
      const text = value.slice(i + 1, end).replace(/\\(.)/g, "$1");
      if (inAngle) box.address += value.slice(i, end + 1);
      // A quoted local part: "john doe"@example.org.
      else box.name += value[end + 1] === "@" ? value.slice(i, end + 1) : text;
      i = end;
    } else if (character === "(") {
      const end = commentEnd(value, i + 1);
      box.comment ||= value.slice(i + 1, end);
      i = end;
    } else if (character === "<") inAngle = true;
    else if (character === ">") inAngle = false;
    else if ((character === "," || character === ";") && !inAngle) {
      yield box;
      box = { name: "", address: "", comment: "" };
    } else if (character === ":" && !inAngle && !box.name.includes("@")) box.name = "";
    else if (inAngle) box.address += character;
    else box.name += character;
  }
  yield box;
}

function quotedEnd(value: string, from: number): number {
  for (let i = from; i < value.length; i += 1) {
    if (value[i] === "\\") i += 1;
    else if (value[i] === '"') return i;
  }
  return value.length;
}

function commentEnd(value: string, from: number): number {
  let depth = 1;
  for (let i = from; i < value.length; i += 1) {
    if (value[i] === "\\") i += 1;
    else if (value[i] === "(") depth += 1;
    else if (value[i] === ")") depth -= 1;
    if (depth === 0) return i;
  }
  return value.length;
}
