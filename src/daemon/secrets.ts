import type { SecretReference } from "../model/hook-options.ts";
import type { Hook } from "../model/hook.ts";
import { ownsVariable } from "../registry/secret-rules.ts";
import type { Storage } from "./storage.ts";

/** The secrets that a hook's references stand for now. */
export type SecretsOf = (hook: Hook, references: SecretReference | readonly SecretReference[]) => readonly string[];

/** Looks secrets up: `env:NAME` in the environment, `kv` among the hook's own. One that is not set, is empty, or belongs to another app is left out. */
export function secretsFrom(
  { secrets, snapshot }: Pick<Storage, "secrets" | "snapshot">,
  env: NodeJS.ProcessEnv,
): SecretsOf {
  const readEnv = (name: string, app: string): string | undefined => {
    const installed = { apps: snapshot.apps().map((one) => one.app), hooks: () => snapshot.hooks() };
    return ownsVariable(name, app, installed) ? env[name] : undefined;
  };
  return ({ eventName, app }, references) =>
    (typeof references === "string" ? [references] : references)
      .flatMap((reference) =>
        reference === "kv" ? secrets.secretsOf(eventName) : (readEnv(reference.slice("env:".length), app) ?? []),
      )
      .filter((secret) => secret !== "");
}
