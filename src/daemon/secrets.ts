import type { SecretReference } from "../model/hook-options.ts";
import type { Hook } from "../model/hook.ts";
import type { Storage } from "./storage.ts";

/** The secrets that a hook's references stand for now. */
export type SecretsOf = (hook: Hook, references: SecretReference | readonly SecretReference[]) => readonly string[];

/** Looks secrets up: `env:NAME` in the environment, `kv` among the hook's own. One that is not set, or empty, is left out. */
export function secretsFrom({ secrets }: Pick<Storage, "secrets">, env: NodeJS.ProcessEnv): SecretsOf {
  return ({ eventName }, references) =>
    (typeof references === "string" ? [references] : references)
      .flatMap((reference) =>
        reference === "kv" ? secrets.secretsOf(eventName) : (env[reference.slice("env:".length)] ?? []),
      )
      .filter((secret) => secret !== "");
}
