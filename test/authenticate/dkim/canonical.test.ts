import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { hashBody } from "../../../src/authenticate/dkim/canonical-body.ts";
import { canonicalField } from "../../../src/authenticate/dkim/canonical-header.ts";
import { parseTagList, tagOf, withoutSignature } from "../../../src/authenticate/dkim/tag-list.ts";
import { headerRowsOf } from "../../../src/authenticate/header-rows.ts";
import {
  dkimBody,
  formatRelaxedLine,
  parseDkimHeaders,
  parseHeaders,
  stripSignatureValue,
} from "../../support/mailauth-oracle.ts";

const RUNS = { numRuns: 2_000 };
const BOTH = ["simple", "relaxed"] as const;
/** Text of the characters that canonicalization is about, and a few that it must leave alone. */
const pieces = (...others: readonly string[]) =>
  fc.array(fc.constantFrom("\r\n", "\r\n", "\n", "\r", " ", "  ", "\t", "a", "é", "\u00a0", "\u0000", ...others));
const bytesOf = (text: string) => Buffer.from(text, "latin1");
const withCrlf = (text: string) => text.replace(/\r?\n/g, "\r\n");

describe("a body", () => {
  /** mailauth gets CRLF only, as its parser makes it. */
  function expected(text: string, how: string, maxLength: number | false) {
    const hasher = dkimBody(how, "sha256", maxLength);
    hasher.update(bytesOf(withCrlf(text)));
    const hash = hasher.digest("base64");
    return { hash, length: hasher.canonicalizedLength };
  }

  test.each(BOTH)("hashes as mailauth hashes it: %s", (how) => {
    fc.assert(
      fc.property(pieces("ab", "  \r\n", "\r\n\r\n"), fc.array(fc.nat(20), { maxLength: 4 }), (parts, lengths) => {
        const text = parts.join("");
        const found = hashBody(bytesOf(text), how, lengths);
        const whole = expected(text, how, false);
        expect({ hash: found.whole, length: found.length }).toEqual(whole);
        for (const length of lengths)
          expect(found.starts.get(length) ?? found.whole).toBe(expected(text, how, length).hash);
      }),
      RUNS,
    );
  });

  test.each(BOTH)("hashes alike wherever pieces begin and end: %s", (how) => {
    // Larger than the pieces in which it is read, with what has to be changed at any place in them.
    const filler = "x".repeat(1_000);
    fc.assert(
      fc.property(fc.nat(20_000), pieces("  \r\n"), fc.nat(40_000), (before, parts, after) => {
        const text = "y".repeat(before) + parts.join(filler.slice(0, 40)) + `${filler}\r\n`.repeat(after / 1_000);
        const found = hashBody(bytesOf(text), how, [before, before + 7]);
        expect({ hash: found.whole, length: found.length }).toEqual(expected(text, how, false));
        expect(found.starts.get(before + 7) ?? found.whole).toBe(expected(text, how, before + 7).hash);
      }),
      { numRuns: 100 },
    );
  });

  test("that is longer than what is read at once, of nothing but blanks or line ends, hashes as mailauth hashes it", () => {
    for (const unit of [" ", "\t", "\r\n", "\n", "\r", " \r\n", "a ", "\r\r\n"])
      for (const how of BOTH) {
        const text = `${unit.repeat(90_000 / unit.length)}x`;
        expect(hashBody(bytesOf(text), how, []).whole, `${JSON.stringify(unit)} ${how}`).toBe(
          expected(text.slice(0, 90_001), how, false).hash,
        );
      }
  });
});

describe("a header field", () => {
  test("is written relaxed as mailauth writes it", () => {
    fc.assert(
      fc.property(pieces("A", ":", "É"), (parts) => {
        const field = `Ab${withCrlf(parts.join(""))}`;
        fc.pre(field.includes(":"));
        const expected = formatRelaxedLine(bytesOf(field)).toString("latin1");
        expect(canonicalField(field, "relaxed")).toBe(expected);
      }),
      RUNS,
    );
  });

  test("stays as it is in simple", () => {
    expect(canonicalField("A : b\r\n c ", "simple")).toBe("A : b\r\n c ");
  });

  test("loses the value of b, and no other, as mailauth takes it out", () => {
    const tags = fc.array(
      fc.tuple(
        fc.constantFrom("b", "B", " b ", "bh", "z", "", "\r\n b", "x y"),
        fc.constantFrom("=", " = ", ""),
        pieces("b=", "c").map((parts) => withCrlf(parts.join(""))),
      ),
    );
    fc.assert(
      fc.property(tags, (list) => {
        const text = list.map(([name, equals, value]) => `${name}${equals}${value}`).join(";");
        const expected = stripSignatureValue(bytesOf(`DKIM-Signature:${text}`)).toString("latin1");
        expect(`DKIM-Signature:${withoutSignature(parseTagList(text))}`).toBe(expected);
      }),
      RUNS,
    );
  });
});

test("a tag-list reads as mailauth reads it", () => {
  const NAMES = ["a", "b", "c", "d", "s", "h", "l", "t", "x"];
  const tag = fc.tuple(
    fc.constantFrom("", " ", "\r\n ", "\t"),
    fc.constantFrom(...NAMES, "A", "q"),
    fc.constantFrom("=", " =", "= "),
    fc.array(fc.constantFrom("a", "1", " ", "\r\n ", "=", "é", ":", '"', "(", "\\"), { minLength: 1 }),
  );
  fc.assert(
    fc.property(fc.array(tag, { minLength: 1 }), (list) => {
      const text = list.map(([blank, name, equals, value]) => `${blank}${name}${equals}${value.join("")}`).join(";");
      const { parsed } = parseDkimHeaders(Buffer.from(`DKIM-Signature: ${text}`));
      const ours = parseTagList(Buffer.from(text).toString("latin1"));
      const solid = (value?: string | number) => (value === undefined ? undefined : String(value).replace(/\s+/g, ""));
      for (const name of NAMES) {
        const value = parsed[name]?.value;
        // It makes numbers of some, "01" and "1" are one to it then.
        const found = typeof value === "number" ? Number(tagOf(ours, name)) : tagOf(ours, name);
        expect(solid(found), name).toBe(solid(value));
      }
    }),
    RUNS,
  );
});

test("a header is cut into the fields that mailauth cuts it into", () => {
  const line = fc.tuple(
    fc.constantFrom("A", "From", " ", "\t", "", "x y", ":", "é", "A\r\n "),
    fc.constantFrom(": ", ":", " :", "\t\r\n :", ""),
    fc.constantFrom("b", "", "b:c", "\r\n c", "b\r\n\tc", "\u00a0", "\r"),
    fc.constantFrom("\r\n", "\n"),
  );
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), (lines) => {
      const written = `X: y\r\n${lines.map((parts) => parts.join("")).join("")}`;
      // Up to the first empty line.
      const end = /\n\r?\n/.exec(written)?.index ?? written.length - 1;
      const block = bytesOf(written.slice(0, end + 1));
      const mail = Buffer.concat([block, bytesOf("\r\nbody: x\r\n")]);
      const found = headerRowsOf(mail);
      const expected = parseHeaders(bytesOf(withCrlf(block.toString("latin1")))).parsed;
      expect(
        found.fields.map(({ name, start, end: rowEnd }) => [
          name,
          withCrlf(mail.toString("latin1", start, rowEnd)).replace(/[\r\n]+$/, ""),
        ]),
      ).toEqual(expected.map(({ key, line: text }) => [key ?? "", text.toString("latin1").replace(/[\r\n]+$/, "")]));
      expect(mail.toString("latin1", found.bodyStart)).toBe("body: x\r\n");
    }),
    RUNS,
  );
});
