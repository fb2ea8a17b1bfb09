import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { BROWSER_HOOK_MS, launchChromium } from "../support/chromium.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { TestProvider } from "../support/oidc-provider.ts";
import { CLIENT, startProvider } from "../support/oidc-provider.ts";
import type { ReverseProxy } from "../support/reverse-proxy.ts";
import { startReverseProxy } from "../support/reverse-proxy.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";

// Signing in at a real provider, in a real browser, through a reverse proxy under a name of its own.

const PATIENCE_MS = 30_000;
// Each test is a walk through many pages; a busy machine takes its time.
vi.setConfig({ testTimeout: 180_000 });

let browser: Browser;
let nats: NatsServer;
let proxy: ReverseProxy;
let provider: TestProvider;
let posthorn: TestDaemon;
beforeAll(async () => {
  browser = await launchChromium();
  nats = await startNatsServer();
  proxy = await startReverseProxy();
  provider = await startProvider(`${proxy.url}/login/oidc/callback`, {
    ada: ["staff", "hook-admins"],
    olga: ["hook-operators"],
    victor: ["hook-viewers"],
    nobody: ["staff"],
  });
  posthorn = await startTestDaemon(nats, {
    POSTHORN_ADMIN_URL: proxy.url,
    POSTHORN_OIDC_ISSUER: provider.issuer,
    POSTHORN_OIDC_CLIENT_ID: CLIENT.id,
    POSTHORN_OIDC_CLIENT_SECRET: CLIENT.secret,
    POSTHORN_OIDC_ROLES: "administrator=hook-admins,operator=hook-operators,viewer=hook-viewers",
  });
  proxy.to = `http://${posthorn.daemon.admin.address}`;
  await posthorn.emailHook();
}, BROWSER_HOOK_MS);
afterAll(async () => {
  await browser.close();
  await posthorn[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

/** Asks for a page, and goes through the provider's pages as this person. */
async function signInAs(name: string, path: string): Promise<{ page: Page; context: BrowserContext }> {
  const context = await browser.newContext();
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  await page.goto(`${proxy.url}${path}`);
  await page.getByRole("link", { name: "Sign in with your account" }).click();
  await page.getByPlaceholder("Enter any login").fill(name);
  await page.getByPlaceholder("and password").fill("anything");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
  return { page, context };
}

test("an administrator comes back to the page that was asked for and may change things", async () => {
  const { page, context } = await signInAs("ada", "/hooks/kustomer.app.shop.order");
  await page.getByRole("heading", { name: "Order" }).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused: senders wait").waitFor();
  const audit = (await storedIn(posthorn, "POSTHORN_AUDIT")).map(
    ({ text }) => JSON.parse(text) as { actor: string; action: string },
  );
  expect(audit).toMatchObject([
    { actor: "ada@example.org", action: "session.begin" },
    { actor: "ada@example.org", action: "hook.state" },
  ]);
  await context.close();
});

test("a viewer sees, and neither the page nor a request of its own making lets that person change anything", async () => {
  const { page, context } = await signInAs("victor", "/hooks/kustomer.app.shop.order");
  await page.getByRole("heading", { name: "Order" }).waitFor();
  expect(await page.getByRole("button", { name: "Pause" }).count()).toBe(0);
  expect(await page.getByRole("link", { name: "Audit log" }).count()).toBe(0);
  const before = posthorn.daemon.storage.snapshot.hookByEventName("kustomer.app.shop.order");
  for (const path of [
    "/hooks/kustomer.app.shop.order/rotate",
    "/api/v1/hooks/kustomer.app.shop.order/rotate",
    "/api/v1/dead-letters/1/replay",
    "/dead-letters/bulk",
  ]) {
    const status = await page.evaluate(
      `fetch(${JSON.stringify(path)}, { method: "POST" }).then(({ status }) => status)`,
    );
    expect([path, status]).toEqual([path, 403]);
  }
  for (const path of ["/audit", "/apps/install"]) expect((await page.goto(`${proxy.url}${path}`))?.status()).toBe(403);
  expect(posthorn.daemon.storage.snapshot.hookByEventName("kustomer.app.shop.order")).toEqual(before);
  await context.close();
});

test("an operator may act on what arrived, and on no hook", async () => {
  const { page, context } = await signInAs("olga", "/dead-letters");
  await page.getByRole("heading", { name: "Dead letters" }).waitFor();
  const statusOf = (path: string) =>
    page.evaluate(`fetch(${JSON.stringify(path)}, { method: "POST" }).then(({ status }) => status)`);
  expect(await statusOf("/api/v1/dead-letters/1/replay")).toBe(200);
  expect(await statusOf("/api/v1/hooks/kustomer.app.shop.order/rotate")).toBe(403);
  await context.close();
});

test("who has no role is told so, and a callback that nobody began signs nobody in", async () => {
  const { page, context } = await signInAs("nobody", "/");
  await page.getByText("nobody@example.org has no role here").waitFor();
  expect((await page.goto(`${proxy.url}/`))?.status()).toBe(401);
  const forged = await page.goto(`${proxy.url}/login/oidc/callback?code=x&state=y`);
  expect(forged?.status()).toBe(400);
  await context.close();
});
