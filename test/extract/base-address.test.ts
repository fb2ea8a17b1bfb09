import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { temporaryFolder } from "../support/folder.ts";
import { posthornExtract } from "../support/posthorn-extract.ts";

const DOCUMENT =
  '{"@context":{"@vocab":"http://v.example/","link":{"@id":"http://v.example/link","@type":"@id"}},"@id":"","@type":"T","link":"a/../b","self":{"@id":"#it"}}';
const SCRIPT = `<script type="application/ld+json">${DOCUMENT}</script>`;
const BASE = "https://shop.example/mail/page.html";

const FORMS = ["as-sent", "expand", "compact", "flatten"] as const;
/** The `@id`s and links of a document in any form, in a fixed order. */
function idsIn(json: string | undefined): string[] {
  const ids: string[] = [];
  const stack: unknown[] = [JSON.parse(json ?? "null")];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (typeof node !== "object" || node === null) continue;
    for (const [name, value] of Object.entries(node)) {
      if (typeof value === "string" && (name === "@id" || name === "link")) ids.push(value);
      else if (name !== "@context") stack.push(value);
    }
  }
  return ids.sort();
}
const idsOf = async (input: string, file: string, ...args: string[]) =>
  idsIn((await posthornExtract(input, file, ...args)).payload?.json);

const mail = (fields: string, body: string, type = "text/html") =>
  `From: a@shop.example\r\n${fields}Content-Type: ${type}\r\n\r\n${body}`;

describe("without a base relative IRIs stay as sent", () => {
  test.each(FORMS)("%s", async (form) => {
    const sent = ["", "#it", "a/../b"];
    expect(await idsOf(SCRIPT, "page.html", "--jsonld", form)).toEqual(sent);
    expect(await idsOf(DOCUMENT, "order.jsonld", "--jsonld", form)).toEqual(sent);
    expect(await idsOf(mail("", SCRIPT), "mail.eml", "--jsonld", form)).toEqual(sent);
    expect(await idsOf(mail("", DOCUMENT, "application/ld+json"), "mail.eml", "--jsonld", form)).toEqual(sent);
    expect(await idsOf(mail("", DOCUMENT, "text/plain"), "mail.eml", "--jsonld", form)).toEqual(sent);
  });
});

const RESOLVED = ["https://shop.example/mail/b", BASE, `${BASE}#it`];

const BASES: readonly (readonly [string, string, string, readonly string[]])[] = [
  ["--base for a page", SCRIPT, "page.html", ["--base", BASE]],
  ["--base for a JSON file", DOCUMENT, "order.jsonld", ["--base", BASE]],
  ["--base for a mail", mail("", SCRIPT), "mail.eml", ["--base", BASE]],
  ["--base for a JSON part", mail("", DOCUMENT, "application/ld+json"), "mail.eml", ["--base", BASE]],
  ["--base for JSON in a text", mail("", DOCUMENT, "text/plain"), "mail.eml", ["--base", BASE]],
  ["a base element", mail("", `<base href="${BASE}">${SCRIPT}`), "mail.eml", []],
  ["a base element behind the script", `${SCRIPT}<base href="${BASE}">`, "page.html", []],
  ["a base element before --base", `<base href="${BASE}">${SCRIPT}`, "page.html", ["--base", "https://other.example/"]],
  [
    "a relative base element on --base",
    `<base href="page.html">${SCRIPT}`,
    "page.html",
    ["--base", "https://shop.example/mail/x"],
  ],
  ["Content-Location", mail(`Content-Location: ${BASE}\r\n`, SCRIPT), "mail.eml", []],
  [
    "Content-Location of a JSON part",
    mail(`Content-Location: ${BASE}\r\n`, DOCUMENT, "application/ld+json"),
    "mail.eml",
    [],
  ],
  [
    "Content-Location before --base",
    mail(`Content-Location: ${BASE}\r\n`, SCRIPT),
    "mail.eml",
    ["--base", "https://other.example/"],
  ],
  [
    "a relative Content-Location on --base",
    mail("Content-Location: page.html\r\n", SCRIPT),
    "mail.eml",
    ["--base", "https://shop.example/mail/"],
  ],
  [
    "a base element before Content-Location",
    mail("Content-Location: https://other.example/\r\n", `<base href="${BASE}">${SCRIPT}`),
    "mail.eml",
    [],
  ],
  [
    "a folded Content-Location",
    mail('Content-Location: "https://shop.example/\r\n mail/page.html"\r\n', SCRIPT),
    "mail.eml",
    [],
  ],
  [
    "Content-Location of the multipart around it",
    mail(
      "Content-Location: https://shop.example/mail/\r\n",
      `--b\r\nContent-Type: text/html\r\nContent-Location: page.html\r\n\r\n${SCRIPT}\r\n--b--\r\n`,
      "multipart/related; boundary=b",
    ),
    "mail.eml",
    [],
  ],
];

describe.each(FORMS.slice(1))("with a base they resolve: %s", (form) => {
  test.each(BASES)("%s", async (_, input, file, args) => {
    expect(await idsOf(input, file, "--jsonld", form, ...args)).toEqual(RESOLVED);
  });
});

test("in a frame's result they are resolved with a base, and as sent without one", async () => {
  await using folder = await temporaryFolder();
  const frame = join(folder.path, "frame.json");
  await writeFile(frame, '{"@context":{"@vocab":"http://v.example/"},"@type":"T"}');
  const framed = async (...args: string[]) => {
    const { payload } = await posthornExtract(SCRIPT, "page.html", "--frame", frame, ...args);
    return payload?.value;
  };
  expect(await framed("--base", BASE)).toMatchObject({
    "@id": BASE,
    link: { "@id": "https://shop.example/mail/b" },
    self: { "@id": `${BASE}#it` },
  });
  expect(await framed()).toMatchObject({ "@id": "", link: { "@id": "a/../b" }, self: { "@id": "#it" } });
});

test("who refers to a document without an address keeps the reference in every form", async () => {
  const document = '{"@context":{"@vocab":"http://v.example/"},"@id":"x","about":{"@id":""}}';
  for (const form of FORMS)
    expect(idsIn((await posthornExtract(document, "a.jsonld", "--jsonld", form)).payload?.json)).toEqual(["", "x"]);
});

test.each(["cid:1@shop.example", "mid:1@shop.example", "thismessage:/x", "data:text/html,x", "page.html", "https://["])(
  "a Content-Location that nothing can be resolved against is none: %s",
  async (location) => {
    const ids = await idsOf(mail(`Content-Location: ${location}\r\n`, SCRIPT), "mail.eml", "--jsonld", "expand");
    expect(ids).toEqual(["", "#it", "a/../b"]);
  },
);

test("an enclosed mail does not stand where the mail around it does", async () => {
  const inner = mail("", SCRIPT);
  const outer = mail(`Content-Location: ${BASE}\r\n`, inner, "message/rfc822");
  expect(await idsOf(outer, "mail.eml", "--jsonld", "expand")).toEqual(["", "#it", "a/../b"]);
});

test("microdata is resolved against the same base", async () => {
  const microdata = '<div itemscope itemtype="https://schema.org/Person"><a itemprop="url" href="me">x</a></div>';
  for (const [input, ...args] of [
    [mail(`Content-Location: ${BASE}\r\n`, microdata)],
    [mail("", `<base href="${BASE}">${microdata}`)],
    [mail("", microdata), "--base", BASE],
  ])
    expect((await posthornExtract(input ?? "", "mail.eml", ...args)).payload?.json).toContain(
      '"url":"https://shop.example/mail/me"',
    );
});

describe("in scripts the declared type decides the format", () => {
  const context = '{"@context":"https://schema.org","@type":"Order","n":1}';
  const plain = (type: string) => `<script type="${type}">${context}</script>`;

  test.each(["application/json", "text/json", "application/vnd.shop+json", "application/activity+json"])(
    "%s is json even with a context",
    async (type) => {
      expect((await posthornExtract(plain(type), "page.html")).items).toMatchObject([{ format: "json", types: [] }]);
    },
  );

  test("application/ld+json is json-ld even without one", async () => {
    const { items } = await posthornExtract('<script type="application/ld+json">{"n":1}</script>', "page.html");
    expect(items).toMatchObject([{ format: "json-ld" }]);
  });

  test("plain scripts rank behind JSON-LD scripts, and `select` by format finds them", async () => {
    const page = `${plain("application/json")}<script type="application/ld+json">{"@context":"https://schema.org","@type":"Order","n":2}</script>`;
    expect((await posthornExtract(page, "page.html")).payload).toMatchObject({ value: { n: 2 } });
    expect((await posthornExtract(page, "page.html", "--format", "json")).payload).toMatchObject({ value: { n: 1 } });
    expect((await posthornExtract(plain("application/json"), "page.html", "--type", "Order")).deadLetter).toMatchObject(
      {
        code: "nothing-extracted",
      },
    );
  });

  test("no other form is made of plain JSON, whatever is in it", async () => {
    const { payload } = await posthornExtract(plain("application/json"), "page.html", "--jsonld", "expand");
    expect(payload?.json).toBe(context);
  });

  test("in MIME parts the content decides", async () => {
    const { items } = await posthornExtract(mail("", context, "application/json"), "mail.eml");
    expect(items).toMatchObject([{ format: "json-ld", types: ["https://schema.org/Order"] }]);
  });
});
