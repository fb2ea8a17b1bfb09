import { expect, test } from "vitest";

import { startTestDaemon } from "../support/daemon.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { recordedLog } from "../support/recorded-log.ts";

const TOKEN = "a-token-for-this-test";

test("the health page and the log name the variable of a secret that is not set, until it is", async () => {
  await using nats = await startNatsServer();
  const log = recordedLog();
  await using posthorn = await startTestDaemon(nats, { POSTHORN_ADMIN_TOKEN: TOKEN }, { log });
  const page = async () =>
    await (
      await fetch(`http://${posthorn.daemon.admin.address}/health`, {
        headers: { authorization: `Bearer ${TOKEN}`, accept: "text/html" },
      })
    ).text();
  expect(await page()).toContain("every secret that a hook names is set");
  const options = { captcha: { provider: "turnstile", secret: "env:POSTHORN_SECRET_SHOP_CAPTCHA" } };
  const form = { eventName: "kustomer.app.shop.contact", type: "form", "x-posthorn": options };
  await posthorn.install([form]);
  expect(await page()).toContain("POSTHORN_SECRET_SHOP_CAPTCHA is not set");
  const said = () => log.lines.filter(({ sentence }) => sentence.startsWith("Hook secret missing"));
  await expect.poll(said).toMatchObject([{ level: "warn", fields: { hook: form.eventName } }]);
  await posthorn.install([{ ...form, "x-posthorn": {} }]);
  expect(await page()).toContain("every secret that a hook names is set");
  expect(said()).toHaveLength(1);
});
