const OTHER = "other";

/**
 * Names for a label that are bounded, however many there are: the first `most` that come are themselves, each further one
 * is `other`. A name that was itself once stays so.
 */
export function createBoundedNames(most: number): (name: string) => string {
  const known = new Set<string>();
  return (name) => {
    if (known.has(name)) return name;
    if (known.size >= most) return OTHER;
    known.add(name);
    return name;
  };
}
