import type { ExtractCallOptions } from "../library.ts";
import { OperatorError } from "../model/operator-error.ts";
import { readAppDefinition } from "../registry/app-definition.ts";

/**
 * What an email hook of an app definition asks of extraction: `select`, `jsonld`, `schema`, and the value of `key` where
 * `env` has it (not looked for without `env`). `eventName` is needed where the app has several email hooks.
 */
export function optionsOfHook(
  text: string,
  file: string,
  eventName: string | undefined,
  env: Readonly<Record<string, string | undefined>> | undefined,
): ExtractCallOptions {
  // Nothing is installed here: a secret that is kept in NATS is as good as another one.
  const reading = readAppDefinition(text, file, { isKvAllowed: true });
  if (reading.kind === "invalid") {
    const { problems } = reading;
    const lines = problems.map(({ pointer, message }) => `${pointer} ${message}`.trim()).join("; ");
    throw new OperatorError(`${file} is no app definition: ${lines}`, "correct the definition", { problems });
  }
  const hooks = reading.definition.hooks.filter(({ type }) => type === "email");
  const named = eventName === undefined ? hooks : hooks.filter((hook) => hook.eventName === eventName);
  const [hook] = named;
  if (hook === undefined || named.length > 1) {
    const names = hooks.map((one) => one.eventName).join(", ");
    const what = hook === undefined ? "has no such email hook" : "has several email hooks";
    throw new OperatorError(`${file} ${what}`, `name one with --event; there are: ${names || "none"}`, { exitCode: 2 });
  }
  const { select, jsonld, schema, key } = hook.options;
  return {
    jsonld,
    ...(select !== undefined && { select }),
    ...(schema !== undefined && { schema }),
    ...(key !== undefined && env !== undefined && { key: secretOf(key, env) }),
  };
}

function secretOf(key: string, env: Readonly<Record<string, string | undefined>>): string {
  const name = key.startsWith("env:") ? key.slice("env:".length) : undefined;
  const value = name === undefined ? undefined : env[name];
  if (value !== undefined && value !== "") return value;
  throw new OperatorError(
    `the hook's key is not known here (${key})`,
    name === undefined ? "give it with --key" : `set ${name}, or give it with --key`,
  );
}
