/**
 * Whether every subject that `inner` stands for is one that `outer` stands for too; both may hold `*` and `>`.
 *
 * Source: NATS documentation, "Subject-Based Messaging", wildcards.
 */
export function subjectCovers(outer: string, inner: string): boolean {
  const pattern = outer.split(".");
  const tokens = inner.split(".");
  for (const [index, token] of pattern.entries()) {
    if (token === ">") return tokens.length > index;
    const other = tokens[index];
    if (other === undefined || other === ">") return false;
    if (token !== "*" && token !== other) return false;
  }
  return pattern.length === tokens.length;
}

/** Whether any subject is one that both stand for. */
export function subjectsMeet(one: string, other: string): boolean {
  const [tokens, others] = [one.split("."), other.split(".")];
  const shorter = Math.min(tokens.length, others.length);
  for (let index = 0; index < shorter; index += 1) {
    const [token, opposite] = [tokens[index], others[index]];
    if (token === ">" || opposite === ">") return true;
    if (token !== "*" && opposite !== "*" && token !== opposite) return false;
  }
  return tokens.length === others.length;
}
