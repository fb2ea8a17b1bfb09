import axe from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import type { Hook } from "../../src/model/hook.ts";
import { BROWSER_HOOK_MS, launchChromium } from "../support/chromium.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";

// The administrator's day in a real browser, against a real daemon with real mails.

const TOKEN = "a-token-for-this-test";
const PATIENCE_MS = 30_000;
// Each test is a walk through many pages; a busy machine takes its time.
vi.setConfig({ testTimeout: 180_000 });

let nats: NatsServer;
let posthorn: TestDaemon;
let browser: Browser;
let origin: string;
let hook: Hook & { readonly address: string };
beforeAll(async () => {
  browser = await launchChromium();
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, { POSTHORN_ADMIN_TOKEN: TOKEN });
  origin = `http://${posthorn.daemon.admin.address}`;
  hook = await posthorn.emailHook({ include: ["text", "html", "headers"] });
}, BROWSER_HOOK_MS);
afterAll(async () => {
  await browser.close();
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

/** A signed-in page; whatever the browser blocks or complains of is in `complaints`. */
async function signIn(options: Parameters<Browser["newContext"]>[0] = {}): Promise<{
  readonly page: Page;
  readonly context: BrowserContext;
  readonly complaints: string[];
}> {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => undefined);
  });
  await page.goto(`${origin}/login`);
  await page.getByLabel("Admin token").fill(TOKEN);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Hooks", exact: true }).waitFor();
  return { page, context, complaints };
}

const orderMail = (order: string, subject = `Order ${order}`) =>
  [
    "From: Shop <shop@example.org>",
    `Subject: ${subject}`,
    `Message-ID: <${order}@example.org>`,
    "MIME-Version: 1.0",
    "Content-Type: text/html; charset=utf-8",
    "",
    `<p>Thanks</p><script type="application/ld+json">{"@context":"https://schema.org","@type":"Order","orderNumber":"${order}","total":1152921506151679042}</script>`,
    "",
  ].join("\r\n");

async function send(mail: string, to = hook.address): Promise<string> {
  using relay = await posthorn.connectRelay();
  return await relay.send({ to, mail });
}

/** What axe finds on a page: everything, or what depends on colours and width alone. */
async function violationsOn(page: Page, rules?: readonly string[]): Promise<string[]> {
  // Given through the debugger, so that the page's own policy stays as it is.
  if (!(await page.evaluate("'axe' in globalThis"))) await page.evaluate(axe.source);
  return page.evaluate(async (only) => {
    const { axe: here } = globalThis as unknown as {
      axe: {
        run(
          options: object,
        ): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
      };
    };
    const { violations } = await here.run({
      resultTypes: ["violations"],
      ...(only !== undefined && { runOnly: { type: "rule", values: only } }),
    });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
  }, rules);
}

test("hooks are all there without scripts", async () => {
  const { page, context, complaints } = await signIn({ javaScriptEnabled: false });
  const main = await page.locator("main").innerText();
  for (const shown of [hook.displayEventName, "Email hook", hook.eventName, hook.address, "Enabled"])
    expect(main).toContain(shown);
  expect(await page.getByRole("button", { name: /Copy/ }).count()).toBe(0);
  expect(complaints).toEqual([]);
  await context.close();
});

test("an address is copied by its button", async () => {
  const { page, context } = await signIn({ permissions: ["clipboard-read", "clipboard-write"] });
  await page.getByRole("button", { name: `Copy the address of ${hook.displayEventName}` }).click();
  await page.getByRole("status").filter({ hasText: "Copied" }).waitFor({ state: "attached" });
  expect(await page.evaluate("navigator.clipboard.readText()")).toBe(hook.address);
  await context.close();
});

test("an app is installed by paste: wrong lines are named, the changes shown, and then its hooks are there", async () => {
  const { page, context } = await signIn();
  await page.getByRole("link", { name: "Install an app" }).click();
  const definition = (type: string, title: string) =>
    JSON.stringify(
      {
        app: "press",
        version: "1",
        title: "Press",
        hooks: [{ eventName: "kustomer.app.press.news", displayEventName: title, type }],
      },
      null,
      2,
    );
  await page.getByLabel("App definition").fill(definition("emial", "News"));
  await page.getByRole("button", { name: "Check it" }).click();
  const wrong = page.locator("li.wrong");
  expect(await wrong.innerText()).toMatch(/"type": "emial"[^]*allowed: "web", "form", "email"/);
  for (const [type, title, verb] of [
    ["email", "News", "Install"],
    ["form", "All news", "Upgrade"],
  ] as const) {
    await page.getByLabel("App definition").fill(definition(type, title));
    await page.getByRole("button", { name: "Check it" }).click();
    await page.getByRole("row", { name: new RegExp(title) }).waitFor();
    if (verb === "Upgrade") expect(await page.locator("main").innerText()).toContain("from email to form");
    await page.getByRole("button", { name: verb }).click();
    await page.getByText("Installed.").waitFor();
    await page.goto(`${origin}/apps/install`);
  }
  await page.goto(`${origin}/apps/press/uninstall`);
  await page.getByRole("button", { name: "Uninstall" }).click();
  await page.getByText("Uninstalled.").waitFor();
  const actions = (await storedIn(posthorn, "POSTHORN_AUDIT")).map(({ subject }) => subject);
  expect(actions.filter((subject) => subject.includes(".app."))).toEqual([
    "posthorn.audit.app.install",
    "posthorn.audit.app.install",
    "posthorn.audit.app.uninstall",
  ]);
  await context.close();
});

test("a single hook is made, paused, and rotated after a question", async () => {
  const { page, context } = await signIn();
  await page.getByRole("link", { name: "Make a single hook" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Letters to the editor");
  await page.getByRole("button", { name: "Make the hook" }).click();
  await page.getByRole("heading", { name: "Letters to the editor" }).waitFor();
  const first = posthorn.daemon.storage.snapshot.hookByEventName("kustomer.app.adhoc.letters-to-the-editor");
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused: senders wait").waitFor();
  expect(await send(orderMail("p1"), `${first?.hookId}@localhost`)).toMatch(/^450 4\.2\.1/);
  await page.getByLabel("A second address").fill("letters@elsewhere.example");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("is no address in localhost").waitFor();
  await page.goBack();
  await page.getByLabel("A second address").fill("letters@localhost");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("button", { name: "Take letters@localhost away" }).click();
  await page.getByText("Changed.").waitFor();
  await page.getByRole("link", { name: "Rotate…" }).click();
  await page.getByRole("button", { name: "Make a new address" }).click();
  await page.getByText("the old one no longer works").waitFor();
  const second = posthorn.daemon.storage.snapshot.hookByEventName("kustomer.app.adhoc.letters-to-the-editor");
  expect(second?.hookId).not.toBe(first?.hookId);
  await context.close();
});

test("an event comes in while somebody looks, opens with its digits, and is found by its text", async () => {
  const { page, context, complaints } = await signIn();
  await page.getByRole("link", { name: "Events", exact: true }).click();
  await page.locator(".live.up").waitFor();
  await send(orderMail("1001"));
  const row = page.getByRole("row", { name: /Order 1001/ });
  await row.waitFor();
  expect(await row.innerText()).toContain("1152921506151679042");
  await send(orderMail("1002", "Something else"));
  await page.getByRole("searchbox").fill("SOMETHING ELSE");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByRole("link", { name: /:/ }).first().click();
  await page.getByRole("heading", { name: "Something else" }).waitFor();
  const main = await page.locator("main").innerText();
  for (const shown of ["1152921506151679042", "part 1 (text/html) script", "250 2.0.0"]) expect(main).toContain(shown);
  await page.getByText("As HTML, with nothing loaded").click();
  await page.frameLocator("iframe").getByText("Thanks").waitFor();
  await page.getByText("HTML source, data marked").click();
  expect(await page.locator("mark").innerText()).toContain('"orderNumber":"1002"');
  expect(complaints.filter((text) => !text.includes("sandboxed"))).toEqual([]);
  await context.close();
});

test("a dead letter says why, is tried with other options, replayed in bulk with progress, and discarded after a question", async () => {
  const { page, context } = await signIn();
  await send("From: a@example.org\r\nSubject: Only words\r\nMessage-ID: <w@example.org>\r\n\r\nJust words.\r\n");
  await page.goto(`${origin}/events`);
  await page.getByLabel("Hook", { exact: true }).fill(hook.eventName);
  await page.getByLabel("Outcome").selectOption("Dead letter");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByRole("heading", { name: "Dead letters" }).waitFor();
  await page.getByRole("link", { name: /:/ }).first().click();
  await page.getByRole("heading", { name: "No JSON, JSON-LD or microdata was found" }).waitFor();
  await page.getByRole("link", { name: "Try with other options" }).click();
  await page.getByRole("heading", { name: "It would be a dead letter" }).waitFor();
  expect(await page.locator("main").innerText()).toContain('"empty": "publish"');
  await page.goto(`${origin}/dead-letters?reason=nothing-extracted`);
  await page.getByRole("button", { name: "Replay all" }).click();
  await page.getByText("1 would be dead letters again").waitFor();
  await page.getByRole("link", { name: "Go on" }).click();
  await page
    .getByRole("checkbox", { name: /Choose Only words/ })
    .first()
    .check();
  await page.getByRole("button", { name: "Discard…" }).click();
  await page.getByRole("button", { name: "Discard", exact: true }).click();
  await page.getByText("1 discarded").waitFor();
  await context.close();
});

test("the test bench shows what would be published and sends it for real", async () => {
  const { page, context } = await signIn();
  await page.getByRole("link", { name: "Test bench" }).click();
  await page.locator("#input").fill(orderMail("bench-1"));
  await page.getByText("As which hook").click();
  await page.getByLabel("Options of the hook").fill(hook.eventName);
  await page.getByRole("button", { name: "Look" }).click();
  await page.getByRole("heading", { name: "This would be published" }).waitFor();
  expect(await page.locator("main").innerText()).toContain("1152921506151679042");
  await page.getByRole("button", { name: /Send it for real/ }).click();
  await page.getByText("Sent: it is the event").waitFor();
  const stored = await storedIn(posthorn, "POSTHORN_EVENTS");
  expect(stored.at(-1)?.text).toContain('"orderNumber":"bench-1"');
  await context.close();
});

test("a key is shown once, works in the list, and is revoked after a question", async () => {
  const { page, context } = await signIn();
  await page.getByRole("link", { name: "Keys" }).click();
  await page.getByLabel("App", { exact: true }).selectOption("shop");
  await page.getByRole("button", { name: "Make the key" }).click();
  const key = await page.locator("[data-copy-text]").innerText();
  expect(await posthorn.daemon.storage.keys.check(key, Date.now())).toMatchObject({ kind: "ok", app: "shop" });
  await page.goto(`${origin}/keys`);
  expect(await page.content()).not.toContain(key);
  await page.getByRole("link", { name: /^Revoke/ }).click();
  await page.getByRole("button", { name: "Revoke" }).click();
  await page.getByText("opens nothing any more").waitFor();
  expect((await posthorn.daemon.storage.keys.check(key, Date.now())).kind).toBe("unknown");
  await context.close();
});

test("a refused mail is in the list with its answer and reason", async () => {
  const { page, context } = await signIn();
  await send(orderMail("lost"), "nobody@localhost");
  await expect
    .poll(
      async () => {
        await page.goto(`${origin}/refused`);
        return page.locator("main").innerText();
      },
      { timeout: PATIENCE_MS },
    )
    .toContain("550 5.1.1");
  await context.close();
});

test("every view is accessible, in light and dark, wide and narrow", async () => {
  await send(orderMail("axe-1"));
  await send("From: a@example.org\r\nSubject: Axe\r\nMessage-ID: <axe@example.org>\r\n\r\nJust words.\r\n");
  const [event] = (await storedIn(posthorn, "POSTHORN_EVENTS")).slice(-1);
  const [dead] = (await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).slice(-1);
  const paths = [
    "/",
    `/hooks/${hook.eventName}`,
    `/hooks/${hook.eventName}/rotate`,
    "/hooks/new",
    "/apps/install",
    "/apps/shop/uninstall",
    "/events",
    `/events/${event?.sequence}`,
    "/dead-letters",
    `/dead-letters/${dead?.sequence}`,
    `/bench?dead=${dead?.sequence}`,
    "/keys",
    "/refused",
    "/health",
    "/audit",
    "/nothing-here",
  ];
  const { page, context, complaints } = await signIn();
  for (const path of paths) {
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(`${origin}${path}`);
    await page.evaluate("for (const closed of document.querySelectorAll('details')) closed.open = true");
    expect([path, await violationsOn(page)]).toEqual([path, []]);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 390, height: 800 });
    expect([path, await violationsOn(page, ["color-contrast", "target-size", "scrollable-region-focusable"])]).toEqual([
      path,
      [],
    ]);
    expect([path, await page.evaluate("document.documentElement.scrollWidth - innerWidth")]).toEqual([path, 0]);
  }
  // axe itself knocks at the sandboxed frame, by postMessage and with a script.
  expect(complaints.filter((text) => !/sandboxed|404|postMessage/.test(text))).toEqual([]);
  await context.close();
});

test("what strangers and app authors write runs nowhere, and the policy has nothing to block on our own pages", async () => {
  const evil = `"><img src=x onerror=alert(1)><script>alert(2)</script>`;
  const [trap] = await posthorn.install(
    [
      {
        eventName: "kustomer.app.trap.it",
        displayEventName: evil,
        description: evil,
        type: "email",
        "x-posthorn": { include: ["text", "html", "headers"] },
      },
    ],
    "trap",
  );
  const mail = [
    `From: ${evil.replaceAll('"', "")} <evil@example.org>`,
    `Subject: ${evil}`,
    "Message-ID: <evil@example.org>",
    'Content-Type: multipart/mixed; boundary="b"',
    "",
    "--b",
    "Content-Type: text/html",
    "",
    `<script>alert(3)</script><img src=x onerror="alert(4)"><a href="javascript:alert(5)">x</a><meta http-equiv="refresh" content="0;url=http://127.0.0.1:1/"><form action="http://127.0.0.1:1/"><button>x</button></form>`,
    "--b",
    "Content-Type: application/json",
    `Content-Disposition: attachment; filename="<svg onload=alert(6)>.json"`,
    "",
    JSON.stringify({ [evil]: evil, "</script><script>alert(7)</script>": [evil] }),
    "--b",
    "Content-Type: image/svg+xml",
    'Content-Disposition: attachment; filename="evil.svg"',
    "",
    '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(8)"><script>alert(9)</script></svg>',
    "--b--",
    "",
  ].join("\r\n");
  expect(await send(mail, `${trap?.hookId}@localhost`)).toMatch(/^250 /);
  expect(
    await send(`Subject: ${evil}\r\nMessage-ID: <e2@example.org>\r\n\r\n${evil}\r\n`, `${trap?.hookId}@localhost`),
  ).toMatch(/^250 /);
  const [event] = (await storedIn(posthorn, "POSTHORN_EVENTS")).slice(-1);
  const [dead] = (await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).slice(-1);
  const { page, context, complaints } = await signIn();
  for (const path of [
    "/",
    "/hooks/kustomer.app.trap.it",
    `/?q=${encodeURIComponent(evil)}&done=${encodeURIComponent(evil)}`,
    "/events",
    `/events?q=${encodeURIComponent(evil)}`,
    "/dead-letters",
    `/dead-letters/${dead?.sequence}`,
    `/bench?dead=${dead?.sequence}`,
    "/keys",
    "/refused",
  ])
    await page.goto(`${origin}${path}`);
  expect(complaints).toEqual([]);
  await page.goto(`${origin}/events/${event?.sequence}`);
  await page.getByText("As HTML, with nothing loaded").click();
  await page.frameLocator("iframe").getByRole("button", { name: "x" }).waitFor();
  await page.frameLocator("iframe").getByRole("button", { name: "x" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "evil.svg" }).click();
  expect((await download).suggestedFilename()).toBe("evil.svg");
  expect(page.frames().map((frame) => new URL(frame.url()).origin)).toEqual([origin, origin]);
  expect(complaints.filter((text) => text.includes("dialog"))).toEqual([]);
  // Opened by itself, outside its frame, it is text.
  await page.goto(`${origin}/events/${event?.sequence}/html`);
  expect(await page.locator("body").innerText()).toContain("<script>alert(3)</script>");
  await context.close();
});
