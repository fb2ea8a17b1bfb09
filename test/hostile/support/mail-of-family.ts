import type { Family } from "../../bench/families.ts";

const HEADS: Readonly<Record<string, string>> = {
  mail: "",
  html: "Content-Type: text/html\r\n\r\n",
  json: "Content-Type: application/json\r\n\r\n",
};
/** A header of more than 256 KiB is a limit, not work. */
const HEADER_SHARE = 2;

/** An input of a family as a mail of about `size` bytes, every line end CRLF. */
export function mailOfFamily(family: Family, size: number): string {
  const text = family.make(family.inHeader ? size / HEADER_SHARE : size);
  return `${HEADS[family.as] ?? "\r\n"}${text}`.replace(/\r\n|\r|\n/g, "\r\n");
}
