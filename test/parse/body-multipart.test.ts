import fc from "fast-check";
import { expect, test } from "vitest";

import type { MultipartPiece } from "../../src/parse/body-multipart.ts";
import { MultipartParser, boundaryOf } from "../../src/parse/body-multipart.ts";

interface Read {
  readonly name: string;
  readonly filename: string | null;
  readonly contentType: string;
  value: string;
}

/** The parts of a body that arrives in these chunks. */
function partsOf(chunks: readonly Buffer[], boundary = "xX"): Read[] {
  const parser = new MultipartParser(boundary);
  const parts: Read[] = [];
  const take = (piece: MultipartPiece) => {
    if (piece.kind === "part") {
      const { name, filename, contentType } = piece.part;
      parts.push({ name, filename, contentType, value: "" });
    }
    const last = parts.at(-1);
    if (piece.kind === "data" && last !== undefined) last.value += piece.bytes.toString("latin1");
  };
  for (const chunk of chunks) for (const piece of parser.push(chunk)) take(piece);
  parser.end();
  return parts;
}

const cut = (body: Buffer, at: readonly number[]) => {
  const places = [0, ...at.map((place) => place % (body.length + 1)).sort((a, b) => a - b), body.length];
  return places.slice(1).map((place, index) => body.subarray(places[index], place));
};

test("any cut of the bytes gives the same parts, whatever stands in them", () => {
  const piece = fc.constantFrom("\r\n", "--xX", "\r\n--xX", "\r\n--xXy", "\r", "-", "a", "\r\n--xX\rb");
  const value = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
  const isData = (text: string) => !/\r\n--xX(?:--|[\t ]*\r\n)/.test(`\r\n${text}\r\n--xX`.slice(0, -6) + "\r\n");
  fc.assert(
    fc.property(
      fc.array(value.filter(isData), { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (values, places) => {
        const body = Buffer.from(
          `${values.map((text, index) => `--xX\r\nContent-Disposition: form-data; name="f${index}"\r\n\r\n${text}\r\n`).join("")}--xX--\r\n`,
          "latin1",
        );
        const parts = partsOf(cut(body, places));
        expect(parts.map((part) => part.value)).toEqual(values);
      },
    ),
  );
});

test("names and file names are read as browsers and curl send them", () => {
  const body = Buffer.from(
    [
      "--xX",
      'Content-Disposition: form-data; name="a b\\"c"',
      "",
      "1",
      "--xX  ",
      'content-disposition: form-data; name="datei"; filename="C:\\temp\\Grüße.txt"',
      "Content-Type: text/plain; charset=utf-8",
      "",
      "",
      "--xX",
      "Content-Disposition: form-data; name=token; filename=x.bin; filename*=UTF-8''na%C3%AFve.bin",
      "",
      "z",
      "--xX--",
      "epilogue",
    ].join("\r\n"),
  );
  expect(partsOf([body])).toEqual([
    { name: 'a b"c', filename: null, contentType: "", value: "1" },
    { name: "datei", filename: "Grüße.txt", contentType: "text/plain; charset=utf-8", value: "" },
    { name: "token", filename: "naïve.bin", contentType: "", value: "z" },
  ]);
});

test("a part whose delimiter follows its header at once is empty", () => {
  const body = Buffer.from('--xX\r\nContent-Disposition: form-data; name="a"\r\n\r\n--xX--');
  expect(partsOf([body])).toEqual([{ name: "a", filename: null, contentType: "", value: "" }]);
});

test.each([
  ["no closing boundary", '--xX\r\nContent-Disposition: form-data; name="a"\r\n\r\nb', "ends before"],
  ["no name", "--xX\r\nContent-Disposition: form-data\r\n\r\nb\r\n--xX--", "part 1 has no"],
  ["no disposition", "--xX\r\nContent-Type: text/plain\r\n\r\nb\r\n--xX--", "part 1 has no"],
  ["a folded header", '--xX\r\nContent-Disposition: form-data;\r\n name="a"\r\n\r\nb\r\n--xX--', "cannot be read"],
  [
    "quoted-printable",
    '--xX\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nYQ==\r\n--xX--',
    "not taken",
  ],
  ["a header without end", `--xX\r\nContent-Disposition: form-data; name="${"a".repeat(9_000)}"\r\n`, "over 8192"],
  ["no boundary at all", "hello", "ends before"],
])("%s is a problem that is named", (_, body, words) => {
  expect(() => partsOf([Buffer.from(body)])).toThrow(words);
});

test("boundaries are what senders mean by them", () => {
  expect(boundaryOf("multipart/form-data; boundary=----WebKitFormBoundary7MA4")).toBe("----WebKitFormBoundary7MA4");
  expect(boundaryOf('multipart/form-data; charset=utf-8; boundary="a b:c"')).toBe("a b:c");
  // Seen in the tests of node-formidable.
  expect(boundaryOf(String.raw`multipart/form-data; boundary=\/\/\/\/`)).toBe(String.raw`\/\/\/\/`);
  expect(boundaryOf("multipart/form-data")).toBeUndefined();
  expect(boundaryOf('multipart/form-data; boundary="a\u00e4"')).toBeUndefined();
});

test("quotes inside a file's name, as old browsers send them, belong to it", () => {
  const body = Buffer.from(
    '--xX\r\nContent-Disposition: form-data; name="upload"; filename=" ? % * | " < > . .txt"\r\n\r\nz\r\n--xX--',
  );
  expect(partsOf([body])).toMatchObject([{ name: "upload", filename: ' ? % * | " < > . .txt', value: "z" }]);
});

test("base64 parts are undone, however the bytes are cut, and refused when they are none", () => {
  const head =
    '--xX\r\nContent-Disposition: form-data; name="a"; filename="a"\r\nContent-Transfer-Encoding: BASE64\r\n\r\n';
  const bytes = fc.uint8Array({ maxLength: 60 });
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(), { maxLength: 8 }), fc.boolean(), (value, places, isPadded) => {
      const text = Buffer.from(value)
        .toString("base64")
        .replace(/.{1,10}/g, "$&\r\n");
      const body = Buffer.from(`${head}${isPadded ? text : text.replaceAll("=", "")}\r\n--xX--`);
      expect(partsOf(cut(body, places))[0]?.value).toBe(Buffer.from(value).toString("latin1"));
    }),
  );
  for (const text of ["a", "YQ==YQ==", "Y*==", "Y=Q="])
    expect(() => partsOf([Buffer.from(`${head}${text}\r\n--xX--`)])).toThrow("no base64");
});
