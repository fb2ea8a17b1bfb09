import { readFile, readdir } from "node:fs/promises";

/** One living process, as the kernel shows it. */
export interface ProcessEntry {
  readonly pid: number;
  /** Its arguments, joined by blanks. */
  readonly command: string;
}

/** `pid` and every process below it, parents first. A process that has ended, and was not waited for yet, is left out. */
export async function processTree(pid: number): Promise<ProcessEntry[]> {
  const entries = await Promise.all(
    (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map((name) => readEntry(Number(name))),
  );
  const living = entries.filter((entry) => entry !== undefined);
  const tree = living.filter((entry) => entry.pid === pid);
  // The list grows while it is walked: children of children come behind.
  for (const { pid: parent } of tree) tree.push(...living.filter((entry) => entry.parent === parent));
  return tree;
}

async function readEntry(pid: number): Promise<(ProcessEntry & { readonly parent: number }) | undefined> {
  try {
    // proc_pid_stat(5): the name in parentheses may hold anything, so the fields are counted from its end.
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z") return undefined;
    const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
    return { pid, command, parent: Number(parent) };
  } catch {
    // It has ended in the meantime.
    return undefined;
  }
}
