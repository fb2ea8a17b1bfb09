import { extractCommand } from "../../src/cli/extract.ts";
import type { ExtractResult } from "../../src/library.ts";

/**
 * What `posthorn extract ARGS` finds in these bytes: the command itself, its arguments read by itself, without a process of
 * its own. The ending of the file's name among the arguments says what the bytes are, as for the command.
 */
export async function posthornExtract(bytes: Uint8Array | string, ...args: readonly string[]): Promise<ExtractResult> {
  let shown: ExtractResult | undefined;
  const command = extractCommand({
    read: async () => (typeof bytes === "string" ? Buffer.from(bytes) : bytes),
    show: (result) => {
      shown = result;
    },
  });
  await command.exitOverride().parseAsync(args, { from: "user" });
  if (shown === undefined) throw new Error("the command showed nothing");
  return shown;
}
