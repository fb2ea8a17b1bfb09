import { expect, test } from "vitest";

import { IDLE_MS, Sessions } from "../../src/admin/session.ts";
import { Signed } from "../../src/admin/signed.ts";

const TOKEN = "a-token-for-this-test";
const ADA = { name: "ada", role: "operator" } as const;
const NOW = 1_800_000_000_000;

test("a session is known to every replica with the same token, and to no other", () => {
  const cookie = new Sessions(TOKEN).begin(ADA, NOW);
  expect(new Sessions(TOKEN).read(cookie, NOW)).toMatchObject(ADA);
  expect(new Sessions(`${TOKEN}x`).read(cookie, NOW)).toBeUndefined();
  expect(new Signed(TOKEN, "something else").read(cookie)).toBeUndefined();
});

test("a session ends when nothing is heard for half an hour, and slides while there is", () => {
  const sessions = new Sessions(TOKEN);
  const cookie = sessions.begin(ADA, NOW);
  expect(sessions.read(cookie, NOW + IDLE_MS)).toBeDefined();
  expect(sessions.read(cookie, NOW + IDLE_MS + 1)).toBeUndefined();
  const session = sessions.read(cookie, NOW + IDLE_MS);
  const later = session === undefined ? undefined : sessions.refreshed(session, NOW + IDLE_MS);
  expect(sessions.read(later ?? "", NOW + 2 * IDLE_MS)).toMatchObject(ADA);
});

test("a session that was ended is ended for each of its cookies", () => {
  const sessions = new Sessions(TOKEN);
  const cookie = sessions.begin(ADA, NOW);
  const session = sessions.read(cookie, NOW);
  if (session === undefined) throw new Error("no session");
  const later = sessions.refreshed(session, NOW + 120_000) ?? "";
  sessions.end(session, NOW + 120_000);
  expect(sessions.read(cookie, NOW + 120_000)).toBeUndefined();
  expect(sessions.read(later, NOW + 120_000)).toBeUndefined();
});

test("what was changed in a cookie is no session, whatever it is", () => {
  const sessions = new Sessions(TOKEN);
  const [body = "", signature = ""] = sessions.begin(ADA, NOW).split(".");
  const forged = Buffer.from(Buffer.from(body, "base64url").toString().replace("operator", "administrator")).toString(
    "base64url",
  );
  for (const cookie of [`${forged}.${signature}`, `${body}.`, body, "", ".", `.${signature}`, "é.é"])
    expect(sessions.read(cookie, NOW)).toBeUndefined();
});
