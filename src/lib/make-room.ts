/** Makes room in a map that may hold `most` entries: the oldest one goes when it is full. */
export function makeRoom<Key>(map: Map<Key, unknown>, most: number): void {
  if (map.size < most) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
