/**
 * Whether `text` matches a glob of literal characters and `*` (any run of characters), without regard to case.
 *
 * Two pointers and one place to fall back to, never a regular expression: quadratic at worst, whatever the pattern.
 */
export function matchesGlob(text: string, glob: string): boolean {
  const haystack = text.toLowerCase();
  const pattern = glob.toLowerCase();
  let at = 0;
  let p = 0;
  let star = -1;
  let starAt = 0;
  while (at < haystack.length) {
    if (p < pattern.length && pattern[p] === "*") {
      star = p;
      starAt = at;
      p += 1;
    } else if (p < pattern.length && pattern[p] === haystack[at]) {
      at += 1;
      p += 1;
    } else if (star >= 0) {
      p = star + 1;
      starAt += 1;
      at = starAt;
    } else return false;
  }
  while (pattern[p] === "*") p += 1;
  return p === pattern.length;
}
