import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { extractReport } from "../../src/cli/extract-report.ts";
import { extract } from "../../src/library.ts";

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
    "part 0 (text/html) script",
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
