import { expect, test } from "vitest";

import { subjectCovers } from "../../src/nats/subject-covers.ts";

test.each([
  ["kustomer.app.>", "kustomer.app.shop.order"],
  ["kustomer.app.>", "kustomer.app.>"],
  ["kustomer.app.>", "kustomer.app.*"],
  [">", "orders"],
  ["orders.*", "orders.created"],
  ["orders", "orders"],
])("%s covers %s", (outer, inner) => {
  expect(subjectCovers(outer, inner)).toBe(true);
});

test.each([
  ["kustomer.app.>", "kustomer.app"],
  ["kustomer.app.*", "kustomer.app.>"],
  ["kustomer.app.*", "kustomer.app.shop.order"],
  ["orders", "orders.created"],
  ["orders.created", "orders.*"],
  ["orders.created", "orders"],
  ["Orders", "orders"],
])("%s does not cover %s", (outer, inner) => {
  expect(subjectCovers(outer, inner)).toBe(false);
});
