import { SECRET_REFERENCE } from "./app-definition-schema.ts";

/** A problem of one hook: where in the hook, and what is wrong. */
type Problem = [pointer: string, message: string];

/** The options that name secrets, as they are written: their shape is looked at elsewhere. */
interface SecretOptions {
  readonly key?: unknown;
  readonly captcha?: unknown;
  readonly signature?: unknown;
  readonly handshake?: unknown;
}

const REFERENCE = new RegExp(SECRET_REFERENCE);
/** Handshakes that answer with what only the secret's owner can compute, or compare a token with it. */
const NEED_A_SECRET: ReadonlySet<string> = new Set(["meta", "zoom", "x"]);

/**
 * What is wrong with the secrets of one hook's options. An app author must not reach variables of other apps (contract §2);
 * `kv` needs a key to keep secrets under (contract §6).
 */
export function secretProblemsOf(options: SecretOptions, app: string | undefined, isKvAllowed: boolean): Problem[] {
  const { signature, handshake } = options;
  const problems = referencesOf(options).flatMap(([at, reference]) =>
    secretProblems(reference, app, isKvAllowed).map((message): Problem => [`/x-posthorn${at}`, message]),
  );
  const { kind, secret } = isObject(handshake)
    ? (handshake as { kind?: unknown; secret?: unknown })
    : { kind: handshake, secret: undefined };
  if (typeof kind === "string" && NEED_A_SECRET.has(kind) && secret === undefined && signature === undefined)
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

/** Whatever is no reference, a secret in plain text say, is left to the schema of the options. */
function referencesOf({ key, captcha, signature, handshake }: SecretOptions): [at: string, reference: string][] {
  const signing = memberOf(signature, "secret");
  const places: [at: string, reference: unknown][] = [
    ["/key", key],
    ["/captcha/secret", memberOf(captcha, "secret")],
    ...(Array.isArray(signing)
      ? signing.map((one, index): [string, unknown] => [`/signature/secret/${index}`, one])
      : [["/signature/secret", signing] satisfies [string, unknown]]),
    ["/handshake/secret", memberOf(handshake, "secret")],
  ];
  return places.flatMap(([at, reference]) =>
    typeof reference === "string" && REFERENCE.test(reference) ? [[at, reference]] : [],
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

const memberOf = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined);

function secretProblems(reference: string, app: string | undefined, isKvAllowed: boolean): string[] {
  if (reference === "kv")
    return isKvAllowed ? [] : ["is kv, which needs the setting POSTHORN_SECRETS_KEY; set it, or use env:…"];
  // Whose variable it is cannot be said without an app.
  if (app === undefined) return [];
  const prefix = `${ENV}${variablePrefixOf(app)}`;
  return reference.startsWith(prefix)
    ? []
    : [`is ${JSON.stringify(reference)}; allowed: a variable that begins ${prefix}`];
}

const ENV = "env:";

/** What the names of an app's variables begin with; apps whose names differ in case, or in `-` and `_`, share it. */
function variablePrefixOf(app: string): string {
  return `POSTHORN_SECRET_${app.toUpperCase().replaceAll("-", "_")}_`;
}

/** A hook as far as its secrets go. */
interface SecretHook {
  readonly app: string;
  readonly options: SecretOptions;
}

/**
 * Why a definition cannot be installed beside other apps: a variable belongs to exactly one app, the installed one with the
 * longest prefix that it begins with (contract §2). So no hook may name another app's variable, and no app may take over
 * one that another app names.
 */
export function variableConflicts(
  definition: { readonly app: string; readonly hooks: readonly { readonly options: SecretOptions }[] },
  installed: { readonly apps: readonly string[]; readonly hooks: readonly SecretHook[] },
): Problem[] {
  const { app } = definition;
  const prefix = variablePrefixOf(app);
  const others = installed.apps.filter((other) => other !== app);
  const named = definition.hooks.flatMap(({ options }, index) =>
    variablesOf(options).flatMap(([at, name]): Problem[] => {
      const owner = others.find((other) => isLonger(variablePrefixOf(other), prefix, name));
      return owner === undefined
        ? []
        : [
            [
              `/hooks/${index}/x-posthorn${at}`,
              `names ${name}, which belongs to the app ${owner}; choose another name`,
            ],
          ];
    }),
  );
  const takenOver = installed.hooks
    .filter((hook) => hook.app !== app)
    .flatMap((hook) => variablesOf(hook.options).map(([, name]) => ({ app: hook.app, name })))
    .filter(({ app: other, name }) => isLonger(prefix, variablePrefixOf(other), name))
    .map(({ app: other, name }): Problem => [
      "/app",
      `is ${JSON.stringify(app)}, but the app ${other} names ${name}, which would belong to ${app}; choose another name for one of them`,
    ]);
  return [...named, ...takenOver];
}

/** Whether a variable belongs to this app rather than to any other one that is installed. */
export function ownsVariable(
  name: string,
  app: string,
  installed: { readonly apps: readonly string[]; readonly hooks: () => readonly SecretHook[] },
): boolean {
  const own = variablePrefixOf(app);
  const rivals = installed.apps.filter((other) => other !== app && isLonger(variablePrefixOf(other), own, name));
  if (rivals.length === 0) return true;
  // An installation at the same moment came past the check. Of two with the same prefix the only one that names it has it.
  if (rivals.some((other) => variablePrefixOf(other) !== own)) return false;
  return !installed
    .hooks()
    .some((hook) => rivals.includes(hook.app) && variablesOf(hook.options).some((one) => one[1] === name));
}

/** Whether `name` begins with the prefix `one`, and that is at least as long as `other`. */
function isLonger(one: string, other: string, name: string): boolean {
  return name.startsWith(one) && one.length >= other.length;
}

/** The variables that a hook names, with their places. */
function variablesOf(options: SecretOptions): [at: string, name: string][] {
  return referencesOf(options)
    .filter(([, reference]) => reference.startsWith(ENV))
    .map(([at, reference]) => [at, reference.slice(ENV.length)]);
}
