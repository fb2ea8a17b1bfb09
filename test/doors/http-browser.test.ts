import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { formSnippet } from "../../src/admin/form-snippet.ts";
import type { Hook } from "../../src/model/hook.ts";
import { BROWSER_HOOK_MS, launchChromium } from "../support/chromium.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

// Forms as people meet them: pages of two sites, a real browser, the running daemon.

const PATIENCE_MS = 30_000;
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let nats: NatsServer;
let posthorn: TestDaemon;
let browser: Browser;
let own: Site;
let strange: Site;
let hooks: Readonly<Record<"open" | "redirecting" | "checked", Hook>>;
beforeAll(async () => {
  browser = await launchChromium();
  nats = await startNatsServer();
  [own, strange] = [await startSite(), await startSite()];
  posthorn = await startTestDaemon(nats);
  const schema = { type: "object", properties: { email: { pattern: "@" } }, required: ["email"] };
  const [open, redirecting, checked] = await posthorn.install([
    { eventName: "kustomer.app.shop.open", type: "form" },
    {
      eventName: "kustomer.app.shop.redirecting",
      type: "form",
      "x-posthorn": { origins: [own.origin], redirect: `${own.origin}/danke` },
    },
    { eventName: "kustomer.app.shop.checked", type: "form", "x-posthorn": { schema } },
  ]);
  if (open === undefined || redirecting === undefined || checked === undefined) throw new Error("hooks are missing");
  hooks = { open, redirecting, checked };
}, BROWSER_HOOK_MS);
afterAll(async () => {
  await browser.close();
  own.server.close();
  strange.server.close();
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

/** A site of somebody: whatever is put into `html` is its front page. */
interface Site {
  readonly server: Server;
  readonly origin: string;
  html: string;
}

async function startSite(): Promise<Site> {
  const server = createServer((request, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end(request.url === "/danke" ? "<h1>Danke, sagt der Laden</h1>" : site.html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const site: Site = { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, html: "" };
  return site;
}

const urlOf = (hook: Hook) => `http://${posthorn.daemon.http.address}/v1/hooks/form/${hook.hookId}`;
const lastEvent = async () => {
  const stored = (await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1);
  return JSON.parse(stored?.text ?? "{}") as {
    data: { payload: unknown; files: { filename: string; size: number }[] };
  };
};

/** A page of a site, in a language; what the browser blocks or complains of is in `complaints`. */
async function visit(site: Site, html: string, locale = "en-US"): Promise<{ page: Page; complaints: string[] }> {
  site.html = `<!doctype html><meta charset="utf-8"><title>Site</title>${html}`;
  const context = await browser.newContext({ locale });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(site.origin);
  return { page, complaints };
}

async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(AXE, "utf8"));
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } };
    return (await axe.run()).violations.map(({ id }) => id);
  });
}

test("the snippet of a form hook sends, and thanks in the visitor's language", async () => {
  const { page, complaints } = await visit(own, formSnippet(urlOf(hooks.open), hooks.open.options.honeypot), "de-DE");
  await page.getByLabel("Your e-mail").fill("ada@example.org");
  await page.getByLabel("Message").fill("Zeile 1\nZeile 2 & <b>mehr</b>");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("heading", { name: "Vielen Dank" }).waitFor();
  expect((await lastEvent()).data.payload).toEqual({
    email: "ada@example.org",
    message: "Zeile 1\r\nZeile 2 & <b>mehr</b>",
  });
  expect(await accessibilityFaults(page)).toEqual([]);
  expect(complaints.filter((complaint) => !complaint.includes("favicon"))).toEqual([]);
  // Reload sends nothing again: what is shown was fetched, not posted.
  const before = (await storedIn(posthorn, "POSTHORN_EVENTS")).length;
  await page.reload();
  await page.getByRole("heading", { name: "Vielen Dank" }).waitFor();
  expect(await storedIn(posthorn, "POSTHORN_EVENTS")).toHaveLength(before);
});

test("a form with a file sends it, and goes on to the site's own page", async () => {
  const html = `<form method="post" enctype="multipart/form-data" action="${urlOf(hooks.redirecting)}">
    <label>CV <input type="file" name="cv"></label><label>None <input type="file" name="none"></label><button>Send</button></form>`;
  const { page } = await visit(own, html);
  await page
    .getByLabel("CV")
    .setInputFiles({ name: "Lebenslauf „neu“.txt", mimeType: "text/plain", buffer: Buffer.from("hallo") });
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("heading", { name: "Danke, sagt der Laden" }).waitFor();
  expect(page.url()).toBe(`${own.origin}/danke`);
  expect((await lastEvent()).data.files).toMatchObject([
    { field: "cv", filename: "Lebenslauf „neu“.txt", mediaType: "text/plain", size: 5 },
  ]);
});

test("a person reads which field is wrong, in a page that anybody can read and that runs nothing", async () => {
  const html = `<form method="post" action="${urlOf(hooks.checked)}"><label>E-mail <input name="email"></label><button>Send</button></form>`;
  const { page, complaints } = await visit(own, html, "fr-FR");
  await page.getByLabel("E-mail").fill("<img src=x onerror=alert(1)>");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("heading", { name: "Vérifiez vos réponses" }).waitFor();
  expect(await page.getByRole("listitem").allInnerTexts()).toEqual([expect.stringContaining("/email")]);
  expect(await page.content()).not.toContain("onerror");
  expect(await accessibilityFaults(page)).toEqual([]);
  // The answer's own status is all that the browser notes.
  expect(complaints.filter((complaint) => !complaint.includes("422"))).toEqual([]);
});

test("a script of a listed page may send JSON and read the answer, one of another page may not", async () => {
  const send = `async (url) => {
    try {
      const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: '{"n":1}' });
      return [response.status, Object.keys(await response.json()), response.headers.get("x-request-id") !== null];
    } catch (error) { return String(error); }
  }`;
  const run = async (site: Site) => {
    const { page } = await visit(site, "");
    return page.evaluate(`(${send})(${JSON.stringify(urlOf(hooks.redirecting))})`);
  };
  expect(await run(own)).toEqual([202, ["id", "eventName", "duplicate"], true]);
  const before = (await storedIn(posthorn, "POSTHORN_EVENTS")).length;
  expect(await run(strange)).toContain("TypeError");
  expect(await storedIn(posthorn, "POSTHORN_EVENTS")).toHaveLength(before);
});

test("a form on a page that is not listed is refused in words", async () => {
  const { page } = await visit(strange, formSnippet(urlOf(hooks.redirecting), "_gotcha"), "es-ES");
  await page.getByLabel("Your e-mail").fill("a@b.example");
  await page.getByLabel("Message").fill("hola");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("heading", { name: "No desde esta página" }).waitFor();
});

test("a double click on a form with an _id is one event", async () => {
  const before = (await storedIn(posthorn, "POSTHORN_EVENTS")).length;
  const html = `<form method="post" action="${urlOf(hooks.open)}"><input type="hidden" name="_id" value="submit-1">
    <label>Name <input name="name"></label><button>Send</button></form>`;
  const { page } = await visit(own, html);
  await page.getByLabel("Name").fill("Ada");
  await page.getByRole("button", { name: "Send" }).dblclick({ noWaitAfter: true });
  await page.getByRole("heading", { name: "Thank you" }).waitFor();
  await page.goto(own.origin);
  await page.getByLabel("Name").fill("Ada");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("heading", { name: "Thank you" }).waitFor();
  expect(await storedIn(posthorn, "POSTHORN_EVENTS")).toHaveLength(before + 1);
});

test("the address of a form, opened by a person, says what it is", async () => {
  const { page, complaints } = await visit(own, "", "pt-BR");
  await page.goto(urlOf(hooks.open));
  await page.getByRole("heading", { name: "O endereço de um formulário" }).waitFor();
  expect(await accessibilityFaults(page)).toEqual([]);
  expect(complaints.filter((complaint) => !complaint.includes("favicon"))).toEqual([]);
});
