import { expect, test } from "vitest";

import { IDLE_MS, MAX_AGE_MS, MAX_PROVIDER_AGE_MS, Sessions } from "../../src/admin/session.ts";
import { Signed } from "../../src/admin/signed.ts";

const TOKEN = "a-token-for-this-test";
const ADA = { name: "ada", role: "operator" } as const;
const BY_TOKEN = { isOfProvider: false };
const NOW = 1_800_000_000_000;

test("a session is known to every replica with the same token, and to no other", () => {
  const cookie = new Sessions(TOKEN).begin(ADA, NOW, BY_TOKEN);
  expect(new Sessions(TOKEN).read(cookie, NOW)).toMatchObject(ADA);
  expect(new Sessions(`${TOKEN}x`).read(cookie, NOW)).toBeUndefined();
  expect(new Signed(TOKEN, "something else").read(cookie)).toBeUndefined();
});

test("a session ends when nothing is heard for half an hour, and slides while there is", () => {
  const sessions = new Sessions(TOKEN);
  const cookie = sessions.begin(ADA, NOW, BY_TOKEN);
  expect(sessions.read(cookie, NOW + IDLE_MS)).toBeDefined();
  expect(sessions.read(cookie, NOW + IDLE_MS + 1)).toBeUndefined();
  const session = sessions.read(cookie, NOW + IDLE_MS);
  const later = session === undefined ? undefined : sessions.refreshed(session, NOW + IDLE_MS);
  expect(sessions.read(later ?? "", NOW + 2 * IDLE_MS)).toMatchObject(ADA);
});

test.each([
  ["the token", false, MAX_AGE_MS],
  ["the provider, which may take a role away", true, MAX_PROVIDER_AGE_MS],
])("a session by %s ends at its age, however busy it is", (_way, isOfProvider, maxAgeMs) => {
  const sessions = new Sessions(TOKEN);
  let cookie = sessions.begin(ADA, NOW, { isOfProvider });
  let at = NOW;
  for (; at + IDLE_MS <= NOW + maxAgeMs; at += IDLE_MS) {
    const session = sessions.read(cookie, at);
    if (session === undefined) throw new Error(`the session ended after ${at - NOW} ms`);
    cookie = sessions.refreshed(session, at) ?? cookie;
  }
  expect(sessions.read(cookie, NOW + maxAgeMs)).toBeDefined();
  expect(sessions.read(cookie, NOW + maxAgeMs + 1)).toBeUndefined();
});

test("a cookie that says nothing of its age is none", () => {
  const cookie = new Signed(TOKEN, "admin session").write({ ...ADA, sessionId: "s", seenAt: NOW });
  expect(new Sessions(TOKEN).read(cookie, NOW)).toBeUndefined();
});

test("a session that was ended is ended for each of its cookies", () => {
  const sessions = new Sessions(TOKEN);
  const cookie = sessions.begin(ADA, NOW, BY_TOKEN);
  const session = sessions.read(cookie, NOW);
  if (session === undefined) throw new Error("no session");
  const later = sessions.refreshed(session, NOW + 120_000) ?? "";
  sessions.end(session, NOW + 120_000);
  expect(sessions.read(cookie, NOW + 120_000)).toBeUndefined();
  expect(sessions.read(later, NOW + 120_000)).toBeUndefined();
});

test("what was changed in a cookie is no session, whatever it is", () => {
  const sessions = new Sessions(TOKEN);
  const [body = "", signature = ""] = sessions.begin(ADA, NOW, BY_TOKEN).split(".");
  const forged = Buffer.from(Buffer.from(body, "base64url").toString().replace("operator", "administrator")).toString(
    "base64url",
  );
  for (const cookie of [`${forged}.${signature}`, `${body}.`, body, "", ".", `.${signature}`, "é.é"])
    expect(sessions.read(cookie, NOW)).toBeUndefined();
});
