import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Browser } from "playwright-core";

import { readAppDefinition } from "../../src/registry/app-definition.ts";
import { launchChromium } from "../support/chromium.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon } from "../support/daemon.ts";
import { startNatsServer } from "../support/nats-server.ts";

// Every view of the administrator's page as a picture, light and dark, wide and narrow: `npm run screens [FOLDER]`.

const ROOT = join(import.meta.dirname, "..", "..");
const TOKEN = "a-token-for-the-screens";
const LOOKS = [
  { name: "light", colorScheme: "light", viewport: { width: 1200, height: 800 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1200, height: 800 } },
  { name: "light-narrow", colorScheme: "light", viewport: { width: 390, height: 800 } },
  { name: "dark-narrow", colorScheme: "dark", viewport: { width: 390, height: 800 } },
] as const;
const ORDER = "kustomer.app.ecommstore.order.confirmation";
const VIEWS: Readonly<Record<string, string>> = {
  hooks: "/",
  hook: `/hooks/${ORDER}`,
  rotate: `/hooks/${ORDER}/rotate`,
  "new-hook": "/hooks/new",
  install: "/apps/install",
  uninstall: "/apps/ecommstore/uninstall",
  events: "/events",
  event: "/events/3",
  "dead-letters": "/dead-letters",
  "dead-letter": "/dead-letters/1",
  refused: "/refused",
  bench: "/bench?dead=2",
  keys: "/keys",
  health: "/health",
  audit: "/audit",
  "not-found": "/nothing-here",
};

const folder = process.argv[2] ?? join(ROOT, "screens");
await mkdir(folder, { recursive: true });
await using nats = await startNatsServer();
await using posthorn = await startTestDaemon(nats, { POSTHORN_ADMIN_TOKEN: TOKEN });
await fill(posthorn);
await using browser = await launchChromium();
for (const look of LOOKS) await take(browser, look);
console.log(`${Object.keys(VIEWS).length * LOOKS.length} pictures in ${folder}`);

async function take(chromium: Browser, { name: look, ...options }: (typeof LOOKS)[number]): Promise<void> {
  const context = await chromium.newContext(options);
  const page = await context.newPage();
  const origin = `http://${posthorn.daemon.admin.address}`;
  await page.goto(`${origin}/login`);
  await page.screenshot({ path: join(folder, `login-${look}.png`), fullPage: true });
  await page.getByLabel("Admin token").fill(TOKEN);
  await page.getByRole("button", { name: "Sign in" }).click();
  for (const [name, path] of Object.entries(VIEWS)) {
    await page.goto(`${origin}${path}`, { waitUntil: "load" });
    await page.screenshot({ path: join(folder, `${name}-${look}.png`), fullPage: true });
  }
  await context.close();
}

/** A day of a small shop. */
async function fill(daemon: TestDaemon): Promise<void> {
  const { storage } = daemon.daemon;
  for (const name of ["ecommstore", "helpdesk"]) {
    const reading = readAppDefinition(await readFile(join(ROOT, "fixtures", "apps", `${name}.json`), "utf8"), name, {
      isKvAllowed: false,
    });
    if (reading.kind === "invalid") throw new Error(JSON.stringify(reading.problems));
    await storage.registry.install(reading.definition);
  }
  await storage.keys.create({ app: "ecommstore", expires: new Date(Date.now() + 90 * 86_400_000) }, Date.now());
  const hook = storage.snapshot.hookByEventName(ORDER);
  const to = `${hook?.hookId}@localhost`;
  using relay = await daemon.connectRelay();
  for (const [index, person] of ["Ada", "Grace", "Hedy", "Mary", "Radia"].entries())
    await relay.send({ to, from: "orders@shop.example", mail: orderMail(1001 + index, person) });
  for (const [subject, head, body] of [
    ["Fwd: Your order 1006", "", "Hi, please find the order below. It came yesterday.\r\n"],
    ["Order 1007", "Content-Type: application/json\r\n", '{"orderNumber": "1007", \r\n'],
  ] as const)
    await relay.send({
      to,
      from: "ada@example.org",
      mail: `From: Ada <ada@example.org>\r\nSubject: ${subject}\r\nMessage-ID: <${subject.length}@example.org>\r\n${head}\r\n${body}`,
    });
  await relay.send({ to: "nobody@localhost", from: "ada@example.org", mail: "" });
}

function orderMail(order: number, person: string): string {
  const data = {
    "@context": "https://schema.org",
    "@type": "Order",
    orderNumber: String(order),
    customer: { "@type": "Person", name: person },
    price: "19.90",
    priceCurrency: "EUR",
  };
  return [
    "From: Example Shop <orders@shop.example>",
    `To: ${person} <${person.toLowerCase()}@example.org>`,
    `Subject: Your order ${order}`,
    `Message-ID: <${order}@shop.example>`,
    "MIME-Version: 1.0",
    "Content-Type: text/html; charset=utf-8",
    "",
    `<h1>Thank you, ${person}</h1><p>Your order ${order} ships tomorrow.</p>`,
    `<script type="application/ld+json">${JSON.stringify(data)}</script>`,
    "",
  ].join("\r\n");
}
