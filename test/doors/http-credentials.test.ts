import { afterAll, beforeAll, expect, test } from "vitest";

import type { Hook } from "../../src/model/hook.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

// Whoever may read events may not log in anywhere with what stands in them.

let nats: NatsServer;
let posthorn: TestDaemon;
let form: Hook;
let web: Hook;
let key: string;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats);
  [form, web] = (await posthorn.install([
    { eventName: "kustomer.app.shop.form", type: "form" },
    { eventName: "kustomer.app.shop.web", type: "web" },
  ])) as [Hook, Hook];
  ({ key } = await posthorn.daemon.storage.keys.create({ app: "shop", expires: null }, Date.now()));
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

interface Http {
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly cloudevent?: Readonly<Record<string, unknown>>;
}

async function httpOf(hook: Hook, headers: Record<string, string>, query = "", body = "{}"): Promise<Http> {
  const response = await fetch(`http://${posthorn.daemon.http.address}/v1/hooks/${hook.type}/${hook.hookId}${query}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": key, ...headers },
    body,
  });
  expect(response.status).toBe(202);
  const text = (await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text ?? "";
  return (JSON.parse(text) as { data: { http: Http } }).data.http;
}

/** `{"alg":"none"}.{"sub":"1"}.` in every spelling that a JSON object's beginning can have. */
const jwt = (head: string) => `${Buffer.from(head).toString("base64url")}.eyJzdWIiOiIxIn0.c2lnbmVk`;

test.each([
  ["cf-access-jwt-assertion", "eyJ.a.b"],
  ["x-goog-iap-jwt-assertion", "eyJ.a.b"],
  ["x-amzn-oidc-data", "eyJ.a.b"],
  ["x-ms-client-principal", "eyJ"],
  ["x-ms-client-principal-id", "5c3b1d"],
  ["x-amzn-oidc-identity-jwt", "abc"],
  ["x-vault-wrapped-credentials", "abc"],
  ["x-db-pwd", "hunter2"],
  ["x-user-passwd", "hunter2"],
  ["x-saml-assertion", "PHNhbWw+"],
  ["x-wc-webhook-sig", "abc"],
  ["x-session-id", "abc"],
  ["x-custom", jwt('{"alg":"none"}')],
  ["x-custom", `user=1; id=${jwt('{"alg":"HS256","typ":"JWT"}')}; x=2`],
  ["x-custom", `Bearer%20${jwt('{"alg":"HS256"}')}`],
  ["x-custom", jwt('{ "alg": "none" }')],
  ["x-custom", jwt('{\n  "alg": "none"\n}')],
  ["x-custom", jwt('{\r\n\t"alg": "none"}')],
  ["x-custom", "eyJhbGciOiJkaXIifQ..iv.ciphertext.tag"],
  ["x-custom", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."],
  ["x-custom", "Bearer opaque-0123456789"],
  ["x-custom", "Basic dXNlcjpwYXNz"],
])("the header %s: %s is left out", async (name, value) => {
  const { headers } = await httpOf(form, { [name]: value, "x-shown": "shown" });
  expect(headers).not.toHaveProperty(name);
  expect(headers).toMatchObject({ "x-shown": "shown" });
});

test.each([
  ["x-custom", "eyes.example.com"],
  ["x-custom", "ewogICJhb.example.com"],
  ["x-custom", "1.2.3-eyJ"],
  ["x-custom", "a.b.c"],
  ["x-custom", "Basic plan"],
  ["x-custom", "the bearer of this"],
])("the header %s: %s is shown", async (name, value) => {
  expect((await httpOf(form, { [name]: value })).headers[name]).toBe(value);
});

test.each(["pwd", "sig", "jwt", "passwd", "password", "credential", "x-amz-signature", "access_token", "Session-Id"])(
  "the query parameter %s is left out",
  async (name) => {
    const { query } = await httpOf(form, {}, `?${name}=hunter2&n=1&n=2`);
    expect(query).toEqual({ n: ["1", "2"] });
  },
);

test("a query parameter with a JWT in it is left out under any name, and so is the name that is one", async () => {
  const token = jwt('{"alg":"none"}');
  const { query } = await httpOf(form, {}, `?a=${token}&b=x&b=${token}&${token}=1&next=${encodeURIComponent(token)}`);
  expect(query).toEqual({ b: "x" });
});

test("credentials in a URL that a header or parameter repeats are cut, the rest of it stays", async () => {
  const uri = "/v1/x?n=1&access_token=hunter2&b=2#id_token=hunter2";
  const { headers, query } = await httpOf(
    form,
    { referer: `https://joe:hunter2@h.example${uri}`, "x-original-uri": uri },
    `?back=${encodeURIComponent(`https://h.example${uri}`)}`,
  );
  expect(headers).toMatchObject({
    referer: "https://…@h.example/v1/x?n=1&access_token=…&b=2#id_token=…",
    "x-original-uri": "/v1/x?n=1&access_token=…&b=2#id_token=…",
  });
  expect(query).toEqual({ back: "https://h.example/v1/x?n=1&access_token=…&b=2#id_token=…" });
});

test("CloudEvents attributes are held to the same rules, in binary and structured mode", async () => {
  const short = `${web.hookId.slice(0, 4)}…`;
  const token = jwt('{"alg":"none"}');
  const attributes = {
    specversion: "1.0",
    id: "1",
    type: "t",
    source: `/hooks/web/${web.hookId}?sig=hunter2`,
    subject: `${web.hookId.toUpperCase()}@hooks.example`,
    authtoken: "hunter2",
    other: token,
    sequence: "7",
  };
  const binary = await httpOf(
    web,
    Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value])),
  );
  const event = JSON.stringify({ ...attributes, id: "2", number: 0, nested: { token: "hunter2" }, data: {} });
  const structured = await httpOf(web, { "content-type": "application/cloudevents+json" }, "", event);
  const shown = {
    specversion: "1.0",
    type: "t",
    source: `/hooks/web/${short}?sig=…`,
    subject: `${short.toUpperCase()}@hooks.example`,
    sequence: "7",
  };
  expect(binary.cloudevent).toEqual({ ...shown, id: "1", datacontenttype: "application/json" });
  expect(structured.cloudevent).toEqual({ ...shown, id: "2", number: 0 });
  expect(JSON.stringify([binary, structured])).not.toMatch(/hunter2|eyJ/);
});
