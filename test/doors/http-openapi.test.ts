import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";

import { startTestDaemon } from "../support/daemon.ts";
import { startNatsServer } from "../support/nats-server.ts";

test("/openapi.json describes the installed form and web hooks, is valid by an outside judge, and needs the token", async () => {
  await using nats = await startNatsServer();
  const token = "a-token-for-this-test";
  await using posthorn = await startTestDaemon(nats, { POSTHORN_ADMIN_TOKEN: token });
  const schema = { type: "object", properties: { n: { type: "integer" } } };
  const hooks = await posthorn.install([
    { eventName: "kustomer.app.shop.form", type: "form", description: "A form" },
    { eventName: "kustomer.app.shop.web", type: "web", "x-posthorn": { schema } },
    {
      eventName: "kustomer.app.shop.signed",
      type: "web",
      "x-posthorn": { signature: { scheme: "github", secret: "env:POSTHORN_SECRET_SHOP_A" } },
    },
    { eventName: "kustomer.app.shop.mail", type: "email" },
  ]);
  const url = `http://${posthorn.daemon.admin.address}/openapi.json`;
  expect((await fetch(url)).status).toBe(401);
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  expect([response.status, response.headers.get("content-type")]).toEqual([
    200,
    expect.stringContaining("application/json"),
  ]);
  const document = (await response.json()) as { paths: Record<string, Record<string, { operationId: string }>> };
  expect(await new Validator().validate(document as unknown as Record<string, unknown>)).toEqual({ valid: true });
  const called = hooks.filter(({ type }) => type !== "email");
  expect(Object.keys(document.paths).sort((a, b) => (a < b ? -1 : 1))).toEqual(
    called.map(({ type, hookId }) => `/v1/hooks/${type}/${hookId}`).sort((a, b) => (a < b ? -1 : 1)),
  );
  const web = hooks.find(({ eventName }) => eventName.endsWith(".web"));
  expect(document.paths[`/v1/hooks/web/${web?.hookId}`]?.["post"]).toMatchObject({
    operationId: "kustomer.app.shop.web",
    requestBody: { content: { "application/json": { schema } } },
  });
});
