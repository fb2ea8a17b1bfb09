import { OperatorError } from "../model/operator-error.ts";
import type { KnownSecrets, MissingSecret } from "../registry/missing-secrets.ts";
import { missingSecrets } from "../registry/missing-secrets.ts";
import type { HealthCheck } from "./health.ts";
import type { Storage } from "./storage.ts";

const SHOWN = 10;

type Stores = Pick<Storage, "snapshot" | "secrets">;

/** Secrets of hooks that this daemon cannot read, by its own environment. */
export function missingHere({ snapshot, secrets }: Stores, env: NodeJS.ProcessEnv): MissingSecret[] {
  return missingSecrets(snapshot.hooks(), knownHere(secrets, env));
}

/**
 * Secrets of hooks that the daemon cannot read, as a command knows it: by what the daemon that started last has written of its
 * environment, and by the command's own before there was one.
 */
export function missingAtDaemon({ snapshot, secrets }: Stores, env: NodeJS.ProcessEnv): MissingSecret[] {
  const { published } = snapshot;
  if (published === undefined) return missingHere({ snapshot, secrets }, env);
  const variables = new Set(published.secretVariables);
  return missingSecrets(snapshot.hooks(), {
    isSet: (variable) => variables.has(variable),
    hasSecretsKey: published.secretsKeyId !== null,
    keptSecret: (eventName) => {
      const state = secrets.stateOf(eventName);
      // Another key than the daemon's says nothing of what the daemon's opens.
      return state === "locked" && secrets.keyId !== published.secretsKeyId ? "set" : state;
    },
  });
}

function knownHere(secrets: Storage["secrets"], env: NodeJS.ProcessEnv): KnownSecrets {
  return {
    isSet: (variable) => (env[variable] ?? "") !== "",
    hasSecretsKey: secrets.hasKey,
    keptSecret: (eventName) => secrets.stateOf(eventName),
  };
}

/**
 * Throws `OperatorError`, exit code 78, when POSTHORN_SECRETS_KEY opens none of the secrets that are stored: then it is another
 * key, and every hook that reads one would answer 503 for ever.
 */
export function mustOpenSecrets({ secrets }: Stores): void {
  if (!secrets.hasKey) return;
  const stored = secrets.list().map(({ eventName }) => eventName);
  const locked = stored.filter((eventName) => secrets.stateOf(eventName) === "locked");
  if (locked.length === 0 || locked.length < stored.length) return;
  throw new OperatorError(
    `POSTHORN_SECRETS_KEY opens none of the stored secrets: ${listed(locked)}`,
    "set the key that they were stored under, or take them away with `posthorn secrets remove EVENT` and set them again",
    { exitCode: 78 },
  );
}

/** What doctor and page say of these. */
export function secretsCheck(missing: readonly MissingSecret[]): HealthCheck {
  const name = "secrets";
  if (missing.length === 0) return { name, ok: true, detail: "every secret that a hook names is set" };
  return {
    name,
    ok: true,
    warning: true,
    detail: `${listed(missing.map(({ eventName, problem }) => `${eventName}: ${problem}`))}. Until then the senders of these hooks are told to try again (503 or 451)`,
  };
}

const listed = (all: readonly string[]) =>
  `${all.slice(0, SHOWN).join("; ")}${all.length > SHOWN ? ` and ${all.length - SHOWN} more` : ""}`;
