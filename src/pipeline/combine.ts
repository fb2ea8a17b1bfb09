import type { Outcome } from "../model/outcome.ts";

/**
 * One outcome for a mail with several recipients over SMTP (contract §7).
 *
 * If any shall be tried later, that one speaks for all: what was stored already will be a duplicate of the retry. Else,
 * if every one was refused, the first refusal speaks. Else the mail is taken.
 */
export function combine(outcomes: readonly Outcome[]): Outcome | { readonly kind: "taken" } {
  const later = outcomes.find(({ kind }) => kind === "tryLater");
  if (later !== undefined) return later;
  const [first] = outcomes;
  if (first !== undefined && outcomes.every(({ kind }) => kind === "refused")) return first;
  return { kind: "taken" };
}
