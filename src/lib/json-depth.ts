/**
 * Whether a value that JSON made nests deeper than `max` levels; a scalar has none. Iterative: what walks such a value by
 * recursion, as `JSON.stringify` does, ends with a RangeError some thousand levels down.
 */
export function isNestedDeeper(value: unknown, max: number): boolean {
  const open: [value: unknown, depth: number][] = [[value, 1]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [one, depth] = next;
    if (typeof one !== "object" || one === null) continue;
    if (depth > max) return true;
    for (const member of Object.values(one)) open.push([member, depth + 1]);
  }
  return false;
}
