import { registerHooks } from "node:module";

// Loaded into the daemon of a soak run with `--plant` and nowhere else: a fault that the soak has to find. It rewrites the
// source of `createPublish` while it is loaded, so that a publish counts as acknowledged when it has only been begun.

const TRUTHFUL = "export function createPublish(";
const LIAR = `
export function createPublish(...given) {
  const truthful = createTruthfulPublish(...given);
  return async (publication) => {
    truthful(publication, AbortSignal.timeout(50)).catch(() => undefined);
    return { kind: "acked", sequence: 1, duplicate: false };
  };
}
`;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith("/src/publish/publish.ts")) return loaded;
    const source = String(
      typeof loaded.source === "string" ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString("utf8"),
    );
    if (!source.includes(TRUTHFUL)) throw new Error("the fault has no place any more: createPublish looks different");
    return { ...loaded, source: source.replace(TRUTHFUL, "function createTruthfulPublish(") + LIAR };
  },
});
