import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";

/** What became of one case: it did what its source expects, or why not. */
export type Verdict = { readonly kind: "pass" } | { readonly kind: "fail"; readonly why: string };

/** One input with what its source expects. */
export interface ConformanceCase {
  /** Unique in its suite: mostly the file's path below the suite's folder. */
  readonly name: string;
  run(): Verdict | Promise<Verdict>;
}

/**
 * The inputs of one source, with the expectations that came with them. A file in `suites/` exports it as `suite`; the
 * runner finds it there.
 */
export interface ConformanceSuite {
  /** As it stands in the score list and in `floors.json`. */
  readonly name: string;
  /** Its folder below the one given on the command line. */
  readonly folder: string;
  /** Cases where the source is wrong or contradicts our contract, each with the reason. They are printed and count as neither. */
  readonly argued: Readonly<Record<string, string>>;
  /** The cases in the suite's folder. */
  cases(folder: string): AsyncIterable<ConformanceCase> | Iterable<ConformanceCase>;
}

export const pass: Verdict = { kind: "pass" };

export function fail(why: string): Verdict {
  return { kind: "fail", why };
}

/** Every file below `folder`, as paths relative to it, in a fixed order. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => relative(folder, join(entry.parentPath, entry.name))).sort();
}
