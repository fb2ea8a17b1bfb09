/** One field of a form: its name and its value, in the order sent. */
export type FormField = readonly [name: string, value: string];

export type FieldsReading =
  | { readonly kind: "fields"; readonly fields: readonly FormField[] }
  | { readonly kind: "malformed"; readonly detail: string }
  | { readonly kind: "too-many" };

/**
 * Reads an `application/x-www-form-urlencoded` body.
 *
 * As browsers write and servers read it: `+` is a blank, a broken `%` escape stays as it is. What is no UTF-8 behind its
 * escapes is refused, because replacing it would lose what the sender wrote.
 *
 * Source: WHATWG URL, "application/x-www-form-urlencoded parsing".
 */
export function parseUrlencoded(body: Uint8Array, maxFields: number): FieldsReading {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1");
  const fields: FormField[] = [];
  for (let start = 0; start <= text.length;) {
    let end = text.indexOf("&", start);
    if (end < 0) end = text.length;
    if (end > start) {
      if (fields.length >= maxFields) return { kind: "too-many" };
      const equals = text.indexOf("=", start);
      const nameEnd = equals < 0 || equals > end ? end : equals;
      const name = decoded(text.slice(start, nameEnd));
      const value = nameEnd === end ? "" : decoded(text.slice(nameEnd + 1, end));
      if (name === undefined || value === undefined)
        return { kind: "malformed", detail: `field ${fields.length + 1} is not UTF-8` };
      fields.push([name, value]);
    }
    start = end + 1;
  }
  return { kind: "fields", fields };
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const PLAIN = /^[!-$&-*,-~]*$/;

function decoded(escaped: string): string | undefined {
  if (PLAIN.test(escaped)) return escaped;
  const bytes = Buffer.from(
    escaped
      .replaceAll("+", " ")
      .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  );
  try {
    return UTF8.decode(bytes);
  } catch {
    // Not UTF-8: the caller says which field it was.
    return undefined;
  }
}
