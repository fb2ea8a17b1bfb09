import { expect, test } from "vitest";

import { SETTINGS, flagOf, readSettings, unknownSettings } from "../../src/config/settings.ts";
import { OperatorError } from "../../src/model/operator-error.ts";

/** The error that these settings stop the start with. */
function refusal(env: Record<string, string>): OperatorError {
  try {
    readSettings(env);
  } catch (error) {
    if (error instanceof OperatorError) return error;
    throw error;
  }
  throw new Error(`these settings were accepted: ${JSON.stringify(env)}`);
}

test("nothing set gives the defaults of the contract", () => {
  expect(readSettings({})).toMatchObject({
    natsUrl: "nats://127.0.0.1:4222",
    smtpListen: { at: { host: "127.0.0.1", port: 2525 } },
    lmtpListen: { at: "off" },
    httpListen: { at: { host: "127.0.0.1", port: 8080 } },
    adminListen: { at: { host: "127.0.0.1", port: 8081 } },
    mailDomain: ["localhost"],
    publicUrl: "http://localhost:8080",
    dataDir: "./data",
    maxMessageBytes: 26_214_400,
    maxBodyBytes: 1_048_576,
    maxUploadBytes: 26_214_400,
    tlsRequired: { on: false },
    dedupeWindow: 86_400_000,
    eventsMaxAge: 604_800_000,
    replicas: 1,
    archive: "dead",
    maxConnections: 500,
    idleTimeout: 300_000,
    transactionTimeout: 600_000,
    softBounce: { on: false },
    smtpProxy: "off",
    parseTimeout: 10_000,
    logLevel: "info",
  });
});

test("a flag wins over the environment, and an empty variable is not set", () => {
  const env = { POSTHORN_SMTP_LISTEN: "127.0.0.1:1", POSTHORN_HTTP_LISTEN: "" };
  const { smtpListen, httpListen } = readSettings(env, { smtpListen: "[::1]:25" });
  expect(smtpListen.at).toEqual({ host: "::1", port: 25 });
  expect(httpListen.at).toEqual({ host: "127.0.0.1", port: 8080 });
});

test("every wrong value is named at once, with what is allowed, and the exit code is 78", () => {
  const error = refusal({
    POSTHORN_SMTP_LISTEN: "everywhere",
    POSTHORN_REPLICAS: "0",
    POSTHORN_TLS_CERT: "/cert.pem",
    POSTHORN_DEDUPE_WINDOW: "8d",
  });
  expect(error.exitCode).toBe(78);
  expect(error.message.split("; ").filter((part) => part.startsWith("POSTHORN_"))).toEqual([
    'POSTHORN_SMTP_LISTEN is "everywhere"',
    'POSTHORN_REPLICAS is "0"',
    'POSTHORN_DEDUPE_WINDOW is "8d"',
    'POSTHORN_TLS_CERT is "/cert.pem" and POSTHORN_TLS_KEY is ""',
  ]);
  expect(error.message).toContain('at most as long as events are kept, and POSTHORN_EVENTS_MAX_AGE is "7d"');
  expect(error.message).toContain("allowed: host:port, [v6]:port, unix:/path or off");
});

test("a number is digits and nothing else: no limit is switched off by a slip", () => {
  for (const text of ["NaN", "Infinity", "-1", "1e9", "0x10", "1_000", " 5", "26214400.5", "999999999999999"])
    expect(refusal({ POSTHORN_MAX_MESSAGE_BYTES: text }).message).toContain("bytes, 1024 to 268435456");
});

test("header fields for the collector are decoded, and what no header can be is refused", () => {
  const read = (text: string) => readSettings({ OTEL_EXPORTER_OTLP_HEADERS: text }).otlpHeaders;
  expect(read("")).toEqual({});
  expect(read("Authorization=Basic%20YTpi==,x-scope = a%2Cb ,x-empty=")).toEqual({
    authorization: "Basic YTpi==",
    "x-scope": "a,b",
    "x-empty": "",
  });
  for (const text of [
    "key",
    "=value",
    "a b=c",
    "key=%zz",
    "key=a%0d%0ab",
    "key=%01",
    "key=%e2%82%ac",
    "Connection=close",
  ]) {
    const { message } = refusal({ OTEL_EXPORTER_OTLP_HEADERS: text });
    expect(message).toContain("OTEL_EXPORTER_OTLP_HEADERS is …; allowed: name=value pairs");
  }
});

test("a wrong secret is not shown", () => {
  const { message } = refusal({ POSTHORN_ADMIN_TOKEN: "hunter2", POSTHORN_SECRETS_KEY: "swordfish" });
  expect(message).not.toMatch(/hunter2|swordfish/);
  expect(message).toContain("POSTHORN_ADMIN_TOKEN is …; allowed: at least 16 characters");
});

test("networks are CIDRs of both kinds", () => {
  const { trustedRelays } = readSettings({ POSTHORN_TRUSTED_RELAYS: "10.0.0.0/8, 2001:db8::/32,192.0.2.7" });
  const inside = ["10.1.2.3", "192.0.2.7", "192.0.2.8"].map((address) => trustedRelays.check(address));
  expect(inside).toEqual([true, true, false]);
  expect(trustedRelays.check("2001:db8::25", "ipv6")).toBe(true);
  for (const text of ["10.0.0.0/33", "10.0.0/8", "::1/129", "relay.example", "10.0.0.1/", "10.0.0.1/8/8"])
    expect(refusal({ POSTHORN_TRUSTED_RELAYS: text }).exitCode).toBe(78);
});

test("wrong values of each kind are refused", () => {
  const wrong: readonly [string, string][] = [
    ["POSTHORN_NATS_URL", "http://127.0.0.1:4222"],
    ["POSTHORN_NATS_URL", ","],
    ["POSTHORN_MAIL_DOMAIN", "shop example"],
    ["POSTHORN_PUBLIC_URL", "shop.example"],
    ["POSTHORN_TLS_REQUIRED", "maybe"],
    ["POSTHORN_TLS_REQUIRED", "true"],
    ["POSTHORN_SMTPS_LISTEN", "127.0.0.1:465"],
    ["POSTHORN_ARCHIVE", "some"],
    ["POSTHORN_PARSE_TIMEOUT", "0s"],
    ["POSTHORN_DNS_SERVERS", "dns.example"],
    ["POSTHORN_CAPTCHA_URL", "javascript:alert(1)"],
    ["POSTHORN_ALLOWED_CLIENTS", "everybody"],
    ["POSTHORN_LOG_LEVEL", "verbose"],
    ["POSTHORN_WORKERS", "0"],
  ];
  for (const [name, value] of wrong) expect(refusal({ [name]: value }).message).toContain(name);
});

test("a misspelt setting is noticed, secrets of hooks are not", () => {
  const env = {
    POSTHORN_SMPT_LISTEN: "x",
    POSTHORN_SECRET_KEY: "x",
    posthorn_replicas: "3",
    POSTHORN_SECRET_SHOP_KEY: "x",
    POSTHORN_REPLICAS: "1",
    PATH: "",
    // Of a service called posthorn, set by Kubernetes.
    POSTHORN_SERVICE_HOST: "10.0.0.1",
    POSTHORN_SERVICE_PORT_SMTP: "25",
    POSTHORN_PORT: "tcp://10.0.0.1:25",
    POSTHORN_PORT_25_TCP_ADDR: "10.0.0.1",
  };
  expect(unknownSettings(env)).toEqual([
    { name: "POSTHORN_SMPT_LISTEN", nearest: "POSTHORN_SMTP_LISTEN" },
    { name: "POSTHORN_SECRET_KEY", nearest: "POSTHORN_SECRETS_KEY" },
    { name: "posthorn_replicas", nearest: "POSTHORN_REPLICAS" },
  ]);
});

test("a setting that is of no use without another one stops the start", () => {
  expect(refusal({ POSTHORN_SMTP_PROXY: "required" }).message).toBe(
    'POSTHORN_SMTP_PROXY is "required" without POSTHORN_TRUSTED_RELAYS; allowed: off, or required with the addresses of the load balancers there',
  );
  expect(() => readSettings({ POSTHORN_SMTP_PROXY: "required", POSTHORN_TRUSTED_RELAYS: "10.0.0.0/8" })).not.toThrow();
  expect(refusal({ POSTHORN_TLS_CLIENT_CA: "ca.pem" }).message).toBe(
    'POSTHORN_TLS_CLIENT_CA is "ca.pem" without POSTHORN_TLS_CERT; allowed: with a certificate of our own',
  );
});

test("each setting has a flag of its own", () => {
  const flags = Object.values(SETTINGS).map(({ variable }) => flagOf(variable));
  expect(new Set(flags).size).toBe(flags.length);
  expect(flagOf("POSTHORN_SMTP_LISTEN")).toBe("--smtp-listen");
});
