/** What stands behind a flag on the command line; `undefined` without it. */
export function flagValue(flag: string): string | undefined {
  const at = process.argv.indexOf(flag);
  return at < 0 ? undefined : process.argv[at + 1];
}
