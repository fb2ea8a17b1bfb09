import { removeObject } from "../../src/publish/objects.ts";
import type { TestDaemon } from "./daemon.ts";

export const ADMIN_TOKEN = "a-token-for-this-test";
/** The name of an event that needs a subject of its own. */
export const OWN_SUBJECT = "paid.order";

const DEFINITION = {
  app: "shop",
  title: "Shop",
  version: "1",
  hooks: [
    { eventName: "kustomer.app.shop.order", type: "email" },
    { eventName: OWN_SUBJECT, type: "email" },
    { eventName: "kustomer.app.shop.contact", type: "form" },
    { eventName: "kustomer.app.shop.parcel", type: "web" },
  ],
};
const BIG = "x".repeat(600_000);

/**
 * Does, once, everything that makes a daemon ask something of NATS: mails, forms and requests of each outcome, and what the page
 * and API see and change. Returns what failed, in words: each step goes on after the one before.
 */
export async function useEverything(posthorn: TestDaemon): Promise<string[]> {
  const failures: string[] = [];
  const step = async (name: string, work: () => Promise<unknown>) => {
    await work().catch((error: unknown) => failures.push(`${name}: ${error instanceof Error ? error.message : "?"}`));
  };
  const { daemon } = posthorn;
  const { storage } = daemon;
  const api = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`http://${daemon.admin.address}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
    return text;
  };
  const hook = (eventName: string) => {
    const found = storage.snapshot.hookByEventName(eventName);
    if (found === undefined) throw new Error(`no hook ${eventName}`);
    return found;
  };
  const mail = async (eventName: string, body: string, type = "application/json") => {
    using relay = await posthorn.connectRelay();
    const id = `Message-ID: <${Math.random()}@x>\r\nContent-Type: ${type}\r\n\r\n`;
    const reply = await relay.send({ to: `${hook(eventName).hookId}@localhost`, mail: `${id}${body}\r\n` });
    if (!reply.startsWith("250 ")) throw new Error(reply);
  };
  await step("install", () => api("POST", "/apps", DEFINITION));
  await step("event", () => mail("kustomer.app.shop.order", `{"order":1}`));
  await step("event of its own subject", () => mail(OWN_SUBJECT, `{"order":2}`));
  await step("big event", () => mail("kustomer.app.shop.order", `{"text":"${BIG}"}`));
  await step("dead letter", () => mail("kustomer.app.shop.order", "Just words.", "text/plain"));
  await step("another dead letter", () => mail("kustomer.app.shop.order", "Other words.", "text/plain"));
  await step("refused call", async () => {
    using relay = await posthorn.connectRelay();
    await relay.say("MAIL FROM:<a@example.org>");
    await relay.say("RCPT TO:<nobody@localhost>");
    for (let tries = 0; (await storage.jsm.streams.info("POSTHORN_REFUSED")).state.messages === 0; tries += 1) {
      if (tries === 100) throw new Error("the refused call is not in its stream");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  await step("form with a file", async () => {
    const body = new FormData();
    body.append("photo", new Blob([BIG]), "photo.bin");
    const { type, hookId } = hook("kustomer.app.shop.contact");
    const response = await fetch(`http://${daemon.http.address}/v1/hooks/${type}/${hookId}`, { method: "POST", body });
    if (!response.ok) throw new Error(await response.text());
  });
  await step("key and web hook", async () => {
    const { key } = JSON.parse(await api("POST", "/keys", { app: "shop" })) as { key: string };
    const { type, hookId } = hook("kustomer.app.shop.parcel");
    const url = `http://${daemon.http.address}/v1/hooks/${type}/${hookId}`;
    const response = await fetch(url, { method: "POST", headers: { authorization: `Bearer ${key}` }, body: "{}" });
    if (!response.ok) throw new Error(await response.text());
  });
  await step("secret", () =>
    storage.secrets.set("kustomer.app.shop.parcel", "secret", { isNext: false, now: Date.now() }),
  );
  await step("unfinished outcome", async () => (await storage.openBucket("unfinished")).put("id", "{}"));
  await step("events", async () => {
    const text = await api("GET", "/events?app=shop");
    const { entries } = JSON.parse(text) as { entries: { value: { dataref?: string } }[] };
    const dataref = entries.map(({ value }) => value.dataref).find((one) => one !== undefined);
    if (dataref === undefined) throw new Error("no big event is listed");
    const name = dataref.replace("nats-object://posthorn_objects/", "");
    const object = await storage.objects.getBlob(name);
    if ((object?.length ?? 0) < BIG.length) throw new Error("the data of the big event cannot be read");
    await removeObject(storage.objects, name);
  });
  await step("dead letters", async () => {
    const { entries } = JSON.parse(await api("GET", "/dead-letters")) as { entries: { sequence: number }[] };
    const [first, second] = entries.map(({ sequence }) => sequence);
    await api("POST", `/dead-letters/${first}/replay`);
    await api("DELETE", `/dead-letters/${second}`);
  });
  await step("refused calls", () => api("GET", "/refused"));
  await step("audit log", () => api("GET", "/audit"));
  await step("health", async () => {
    const { checks } = JSON.parse(await api("GET", "/health")) as {
      checks: { name: string; ok: boolean; detail: string }[];
    };
    for (const { name, ok, detail } of checks)
      if (!ok || detail.includes("cannot be read")) failures.push(`health, ${name}: ${detail}`);
  });
  await step("uninstall", () => api("DELETE", "/apps/shop"));
  return failures;
}
