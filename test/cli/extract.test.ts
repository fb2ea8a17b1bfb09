import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { extractReport } from "../../src/cli/extract-report.ts";
import { extract } from "../../src/library.ts";
import { temporaryFolder } from "../support/folder.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const MAILS = fileURLToPath(new URL("../../fixtures/mail/", import.meta.url));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `posthorn extract` as a program, as app authors do. */
function run(args: readonly string[], input = ""): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, "extract", ...args], (error, stdout, stderr) => {
      const code = typeof error?.code === "number" ? error.code : 0;
      resolve({ code, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

test("a pipe gets items, payload and deadLetter as JSON with the sender's digits, and exit 0", async () => {
  const { code, stdout, stderr } = await run([`${MAILS}json-part-digits-beyond-double.eml`]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(Object.keys(JSON.parse(stdout) as object)).toEqual(["items", "payload", "deadLetter"]);
  expect(stdout).toMatch(/"payload": \{\n\s+"order": 12345678901234567890,\n\s+"total": 1\.10,/);
});

test("nothing found is exit 0 too, with the reason's code", async () => {
  const { code, stdout } = await run(["--json"], "Subject: x\r\n\r\nHello {name}\r\n");
  expect({ code, answer: JSON.parse(stdout) as unknown }).toEqual({
    code: 0,
    answer: { items: [], payload: null, deadLetter: "nothing-extracted" },
  });
});

test("--strict and --explain: damage stays damage, and stderr says where and why", async () => {
  const { code, stdout, stderr } = await run(["--strict", "--explain", "-"], '{"a": 1,}');
  expect({ code, deadLetter: (JSON.parse(stdout) as { deadLetter: string }).deadLetter }).toEqual({
    code: 0,
    deadLetter: "invalid-json",
  });
  expect(stderr).toContain("line 1, column 9: a member name in double quotes is expected");
});

test("a file that cannot be read is exit 1 with one line that says what to do", async () => {
  expect(await run(["/nowhere/order.eml"])).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/^posthorn: cannot read [^\n]+\n$/),
  });
});

test("wrong usage is exit 2", async () => {
  for (const args of [["--base", "shop"], ["--no-such-flag"], ["a", "b"]])
    expect(await run(args)).toMatchObject({ code: 2 });
});

test("a person sees what was found where, what was mended, what was skipped, and what would be published", async () => {
  const html =
    '<script type="application/ld+json">{"@context":"https://schema.org","@type":"Order","n":1.10,}</script><script type="application/json">{nope}</script>';
  const report = extractReport("order.html", await extract(html));
  for (const said of [
    "order.html",
    "json-ld  Order",
    "└─ part 0  text/html",
    "in <script>",
    "← payload",
    "mended: trailing-comma",
    "skipped",
    "line 1, column 2",
    '"n": 1.10',
  ])
    expect(report).toContain(said);
});

test("a sender's escape sequences do nothing to the terminal", async () => {
  const mail = `Subject: \u001b[2Jgone\r\nContent-Type: application/json; name="\u001b]0;x\u0007.json"\r\n\r\n{"a":"\u009b2J"}`;
  const report = extractReport("x.eml", await extract(mail, { as: "mail" }));
  // eslint-disable-next-line no-control-regex -- what must not be there
  expect(report).not.toMatch(/\u001b\[2J|\u001b\]|\u0007|\u009b/);
});

test("every part of a mail is shown, with what was found in it once more", async () => {
  const mail = await readFile(`${MAILS}mime/tnef-winmail-outlook.eml`);
  const report = extractReport("x.eml", await extract(mail));
  expect(report).toMatch(/├─ part 2\.3 {2}application\/json {2}bestellung größe\.json, 51 B\n│ {2}└─ json-ld again\n/);
  expect(report).toContain("└─ part 2.4  text/plain  10 B, of a forwarded mail, no data");
});

test("--app takes the options of the app's hook, and flags go before them", async () => {
  await using folder = await temporaryFolder();
  const app = join(folder.path, "shop.json");
  await writeFile(
    app,
    JSON.stringify({
      app: "shop",
      version: "1",
      title: "Shop",
      hooks: [
        hook("order", { select: { format: "json" }, key: "env:POSTHORN_SECRET_SHOP_KEY" }),
        hook("stock", { select: { filename: "*.txt" } }),
      ],
    }),
  );
  const mail = `${MAILS}json-scripts-under-keys.eml`;
  const order = ["--app", app, "--event", "kustomer.app.shop.order"];
  expect(await run([mail, "--app", app])).toMatchObject({ code: 2, stderr: expect.stringContaining("--event") });
  expect(await run([mail, ...order])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("POSTHORN_SECRET_SHOP_KEY"),
  });
  const answer = async (...args: string[]) =>
    JSON.parse((await run([mail, ...args])).stdout) as { deadLetter: unknown };
  expect(await answer(...order, "--key", "no-such-key")).toMatchObject({ deadLetter: "key-mismatch" });
  expect(await answer("--app", app, "--event", "kustomer.app.shop.stock")).toMatchObject({
    deadLetter: "nothing-extracted",
  });
});

test("--format and --frame choose and shape as a hook's options do", async () => {
  const plain = await run([`${MAILS}json-script-select-format.eml`, "--format", "json"]);
  expect(JSON.parse(plain.stdout)).toMatchObject({ payload: { state: "paid" } });
  await using folder = await temporaryFolder();
  const frame = join(folder.path, "frame.json");
  await writeFile(frame, '{"@context":"https://schema.org","@type":"Order","seller":{}}');
  const framed = await run([`${MAILS}jsonld-part-jsonld-frame.eml`, "--frame", frame]);
  expect(JSON.parse(framed.stdout)).toMatchObject({ payload: { type: "Order", seller: { name: "Shop" } } });
  await writeFile(frame, "no JSON");
  expect(await run([`${MAILS}jsonld-part-jsonld-frame.eml`, "--frame", frame])).toMatchObject({ code: 1, stdout: "" });
}, 60_000);

function hook(name: string, options: Readonly<Record<string, unknown>>): unknown {
  return { eventName: `kustomer.app.shop.${name}`, type: "email", "x-posthorn": options };
}
