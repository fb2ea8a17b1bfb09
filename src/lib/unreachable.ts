/** Ends a `switch` over a union: a case that was forgotten does not compile. Throws if it is reached all the same. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
