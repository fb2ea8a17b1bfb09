import { readFile, stat } from "node:fs/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { readSettings } from "../../src/config/settings.ts";
import { startDaemon } from "../../src/daemon/start.ts";
import { converse } from "../support/raw-http.ts";
import { temporaryFolder } from "../support/folder.ts";
import { silentLog } from "../support/silent-log.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon } from "../support/daemon.ts";

const TOKEN = "a-token-for-this-test";
const bearer = { authorization: `Bearer ${TOKEN}` };

let nats: NatsServer;
let posthorn: TestDaemon;
let origin: string;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, { POSTHORN_ADMIN_TOKEN: TOKEN });
  origin = `http://${posthorn.daemon.admin.address}`;
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const ask = (path: string, init: RequestInit = {}) => fetch(`${origin}${path}`, { redirect: "manual", ...init });
const form = (fields: Record<string, string>) => ({ method: "POST", body: new URLSearchParams(fields) });
const cookieOf = (response: Response) => response.headers.get("set-cookie")?.split(";")[0] ?? "";

test("/livez and /readyz answer without a token and say in words what an ack is worth", async () => {
  expect((await ask("/livez")).status).toBe(200);
  const ready = await ask("/readyz");
  expect(ready.status).toBe(200);
  const { checks } = (await ready.json()) as { checks: { name: string; ok: boolean; detail: string }[] };
  expect(checks.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["nats", "registry", "stream POSTHORN_EVENTS", "durability"]),
  );
  expect(checks.find(({ name }) => name === "durability")?.detail).toContain("a power loss can take");
});

test("/metrics and the page want the token, which is never taken from the URL", async () => {
  for (const path of ["/", "/metrics", "/?token=" + TOKEN]) {
    const response = await ask(path);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain("Bearer");
  }
  expect((await ask("/metrics", { headers: { authorization: "Bearer wrong-wrong-wrong-wrong" } })).status).toBe(401);
  const metrics = await ask("/metrics", { headers: bearer });
  expect(metrics.status).toBe(200);
  expect(await metrics.text()).toContain("posthorn_registry_loaded 1");
});

test("the sign-in form gives a session cookie that sign-out ends", async () => {
  const wrong = await ask("/login", form({ token: "not-the-right-token" }));
  expect(wrong.status).toBe(401);
  expect(wrong.headers.get("set-cookie")).toBeNull();
  const right = await ask("/login", form({ token: TOKEN, next: "//evil.example/" }));
  expect(right.status).toBe(303);
  expect(right.headers.get("location")).toBe("/");
  expect(right.headers.get("set-cookie")).toMatch(/HttpOnly; SameSite=Strict/);
  const cookie = cookieOf(right);
  expect((await ask("/", { headers: { cookie } })).status).toBe(200);
  expect((await ask("/", { headers: { cookie: `${cookie}x` } })).status).toBe(401);
  await ask("/logout", { method: "POST", headers: { cookie, origin } });
  expect((await ask("/", { headers: { cookie } })).status).toBe(401);
});

test("a foreign Origin, another port too, and a Host that only DNS points at us are turned away", async () => {
  for (const foreign of ["https://evil.example", "null", "http://127.0.0.1:1"])
    expect((await ask("/", { headers: { ...bearer, origin: foreign } })).status).toBe(403);
  const { request } = await import("node:http");
  const status = await new Promise<number | undefined>((resolve, reject) => {
    request(`${origin}/`, { headers: { ...bearer, host: "rebound.example" } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
  expect(status).toBe(421);
});

/** What a request with these header fields, written as they are, is answered. */
async function statusOf(headers: readonly string[]): Promise<number | undefined> {
  const lines = ["GET / HTTP/1.1", ...headers, `Authorization: Bearer ${TOKEN}`, "Connection: close", "", ""];
  return (await converse(posthorn.daemon.admin.address ?? "", lines.join("\r\n")))[0]?.status;
}

test.each([
  "localhost/.evil",
  "localhost#.evil",
  "localhost?.evil",
  "localhost\\.evil",
  "evil@localhost",
  "localhost:1:2",
  "localhost:",
  "localhost .evil",
  "127.1",
  "0x7f000001",
  "[::1",
  "localhost.",
  "",
])("the Host %j is not ours", async (host) => {
  expect([400, 421]).toContain(await statusOf([`Host: ${host}`]));
});

test.each(["localhost", "LOCALHOST:8081", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:8081", "192.0.2.1:1"])(
  "the Host %s is ours",
  async (host) => {
    expect(await statusOf([`Host: ${host}`])).toBe(200);
  },
);

test("of two Host fields and of two session cookies none counts", async () => {
  expect(await statusOf(["Host: localhost", "Host: localhost"])).toBe(400);
  const signedIn = await ask("/login", form({ token: TOKEN }));
  const cookie = cookieOf(signedIn);
  const [name = ""] = cookie.split("=");
  for (const cookies of [`${cookie}; ${name}=x`, `${name}=x; ${cookie}`, `${cookie}; ${cookie}`])
    expect((await ask("/", { headers: { cookie: cookies } })).status).toBe(401);
  expect((await ask("/", { headers: { cookie: `other=1; ${cookie}; x${name}=2` } })).status).toBe(200);
});

test("the page shows every hook with name, description, type, event and address, escaped, under a strict policy", async () => {
  const [order, payment] = await posthorn.install([
    {
      eventName: "kustomer.app.shop.order",
      displayEventName: '<script>alert("1")</script>',
      description: "Orders' & more",
      type: "email",
    },
    { eventName: "kustomer.app.shop.payment", displayEventName: "Payment", description: "Paid", type: "web" },
  ]);
  const response = await ask("/", { headers: bearer });
  const page = await response.text();
  expect(page).not.toContain("<script>alert");
  for (const shown of [
    "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;",
    "Orders&#39; &amp; more",
    `${order?.hookId}@localhost`,
    `http://localhost:8080/v1/hooks/web/${payment?.hookId}`,
    "kustomer.app.shop.payment",
    "Web hook",
  ])
    expect(page).toContain(shown);
  const policy = response.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain("unsafe");
});

test("without a setting the token is made once, kept in the data directory, and only we may read it", async () => {
  await using folder = await temporaryFolder();
  const settings = readSettings({
    POSTHORN_NATS_URL: nats.url,
    POSTHORN_DATA_DIR: `${folder.path}/data`,
    POSTHORN_SMTP_LISTEN: "127.0.0.1:0",
    POSTHORN_HTTP_LISTEN: "127.0.0.1:0",
    POSTHORN_ADMIN_LISTEN: "127.0.0.1:0",
  });
  const tokens: string[] = [];
  for (let starts = 0; starts < 2; starts += 1) {
    const daemon = await startDaemon(settings, { log: silentLog, env: {} });
    const token = (await readFile(daemon.admin.tokenFile ?? "", "utf8")).trim();
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`http://${daemon.admin.address}/`, { headers })).status).toBe(200);
    expect((await stat(daemon.admin.tokenFile ?? "")).mode & 0o777).toBe(0o600);
    tokens.push(token);
    await daemon.stop();
  }
  expect(tokens[1]).toBe(tokens[0]);
});

test("/readyz says 503 while NATS is away, and 200 again afterwards", async () => {
  await nats.kill();
  await expect.poll(async () => (await ask("/readyz")).status, { timeout: 20_000 }).toBe(503);
  expect((await ask("/livez")).status).toBe(200);
  await nats.start();
  await expect.poll(async () => (await ask("/readyz")).status, { timeout: 20_000 }).toBe(200);
});
