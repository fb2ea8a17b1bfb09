/** A problem of one hook: where in the hook, and what is wrong. */
type Problem = [pointer: string, message: string];

interface SecretOptions {
  readonly key?: string;
  readonly captcha?: { readonly secret: string };
  readonly signature?: { readonly secret: string | readonly string[] };
  readonly handshake?: string | { readonly kind: string; readonly secret?: string };
}

/** Handshakes that answer with what only the secret's owner can compute, or compare a token with it. */
const NEED_A_SECRET: ReadonlySet<string> = new Set(["meta", "zoom", "x"]);

/**
 * What is wrong with the secrets of one hook's options. An app author must not reach variables of other apps (contract §2);
 * `kv` needs a key to keep secrets under (contract §6).
 */
export function secretProblemsOf(options: SecretOptions, app: string, isKvAllowed: boolean): Problem[] {
  const { signature, handshake } = options;
  const problems = referencesOf(options).flatMap(([at, reference]) =>
    secretProblems(reference, app, isKvAllowed).map((message): Problem => [`/x-posthorn${at}`, message]),
  );
  const { kind, secret } = typeof handshake === "object" ? handshake : { kind: handshake, secret: undefined };
  if (kind !== undefined && NEED_A_SECRET.has(kind) && secret === undefined && signature === undefined)
    problems.push([
      "/x-posthorn/handshake",
      `is ${JSON.stringify(kind)} without a secret; allowed: { "kind": ${JSON.stringify(kind)}, "secret": … }, or a signature whose secret it shares`,
    ]);
  return problems;
}

/** Whether a hook reads the secret that `posthorn secrets set` keeps for it. */
export function readsKeptSecret(options: SecretOptions): boolean {
  return referencesOf(options).some(([, reference]) => reference === "kv");
}

function referencesOf({ key, captcha, signature, handshake }: SecretOptions): [at: string, reference: string][] {
  const references: [at: string, reference: string][] = [];
  if (key !== undefined) references.push(["/key", key]);
  if (captcha !== undefined) references.push(["/captcha/secret", captcha.secret]);
  if (typeof signature?.secret === "string") references.push(["/signature/secret", signature.secret]);
  else
    for (const [index, one] of (signature?.secret ?? []).entries())
      references.push([`/signature/secret/${index}`, one]);
  if (typeof handshake === "object" && handshake.secret !== undefined)
    references.push(["/handshake/secret", handshake.secret]);
  return references;
}

function secretProblems(reference: string, app: string, isKvAllowed: boolean): string[] {
  if (reference === "kv")
    return isKvAllowed ? [] : ["is kv, which needs the setting POSTHORN_SECRETS_KEY; set it, or use env:…"];
  const prefix = `env:POSTHORN_SECRET_${app.toUpperCase().replaceAll("-", "_")}_`;
  return reference.startsWith(prefix)
    ? []
    : [`is ${JSON.stringify(reference)}; allowed: a variable that begins ${prefix}`];
}
