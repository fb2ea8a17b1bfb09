import type { Hook } from "../model/hook.ts";

/** A secret that a hook's definition names and that cannot be read: its senders are told to try again until it can. */
export interface MissingSecret {
  readonly eventName: string;
  /** What is wrong and what to do, with the variable's name. */
  readonly problem: string;
}

/** What is known of secrets where the daemon runs. */
export interface KnownSecrets {
  /** Whether an environment variable is set there. */
  readonly isSet: (variable: string) => boolean;
  readonly hasSecretsKey: boolean;
  /** Whether `posthorn secrets set` has stored a secret for an event name, and, where a key is at hand, whether it opens it. */
  readonly keptSecret: (eventName: string) => "set" | "missing" | "locked";
}

/** Every secret that these hooks name and that cannot be read. */
export function missingSecrets(hooks: readonly Hook[], known: KnownSecrets): MissingSecret[] {
  return hooks.flatMap((hook) =>
    [...new Set(referencesOf(hook))].flatMap((reference) => {
      const problem = problemOf(hook.eventName, reference, known);
      return problem === undefined ? [] : [{ eventName: hook.eventName, problem }];
    }),
  );
}

function problemOf(eventName: string, reference: string, known: KnownSecrets): string | undefined {
  if (reference !== "kv") {
    const variable = reference.slice("env:".length);
    return known.isSet(variable) ? undefined : `${variable} is not set in the daemon's environment`;
  }
  if (!known.hasSecretsKey) return "POSTHORN_SECRETS_KEY is not set, so its stored secret cannot be read";
  switch (known.keptSecret(eventName)) {
    case "set":
      return undefined;
    case "missing":
      return `its secret was never set; set it with \`posthorn secrets set ${eventName}\``;
    case "locked":
      return `its secret was stored under another POSTHORN_SECRETS_KEY; set that key, or the secret again with \`posthorn secrets set ${eventName}\``;
  }
}

function referencesOf({ options: { key, captcha, signature, handshake } }: Hook): string[] {
  return [
    key,
    captcha?.secret,
    ...(signature === undefined ? [] : [signature.secret].flat()),
    typeof handshake === "object" ? handshake.secret : undefined,
  ].filter((reference) => reference !== undefined);
}
