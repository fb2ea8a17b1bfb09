import fc from "fast-check";
import { expect, test } from "vitest";

import type { EventId, Outcome } from "../../src/model/outcome.ts";
import { combine } from "../../src/pipeline/combine.ts";

const eventId = "0".repeat(26) as EventId;
const stored: Outcome = { kind: "stored", eventId, duplicate: false };
const dead: Outcome = { kind: "deadLettered", eventId, reason: { code: "nothing-extracted", detail: "" } };
const later: Outcome = { kind: "tryLater", cause: "nats-away" };
const refused: Outcome = { kind: "refused", cause: "empty" };

test("one that shall be tried later speaks for all, else the refusal when all are refused, else the mail is taken", () => {
  expect(combine([stored, later, refused])).toBe(later);
  expect(combine([refused, refused])).toBe(refused);
  expect(combine([refused, stored])).toEqual({ kind: "taken" });
  expect(combine([dead])).toEqual({ kind: "taken" });
});

test("no mail is taken of which one outcome has to wait, and none is refused of which one was stored", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(stored, dead, later, refused), { minLength: 1 }), (outcomes) => {
      const { kind } = combine(outcomes);
      const kinds = new Set(outcomes.map((outcome) => outcome.kind));
      if (kinds.has("tryLater")) expect(kind).toBe("tryLater");
      else if (kinds.has("stored") || kinds.has("deadLettered")) expect(kind).toBe("taken");
      else expect(kind).toBe("refused");
    }),
  );
});
