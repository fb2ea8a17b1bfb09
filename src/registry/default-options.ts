import type { HookOptions } from "../model/hook-options.ts";

const DEFAULTS: HookOptions = {
  jsonld: "as-sent",
  empty: "dead-letter",
  automatic: "publish",
  authenticate: { require: "none", onFail: "dead-letter" },
  attachments: "store",
  include: ["text"],
  honeypot: "_gotcha",
};

/** Options as the registry keeps them: checked ones of a definition, the others by default. */
export function defaultOptions(checked: Readonly<Record<string, unknown>> | undefined): HookOptions {
  const { authenticate, ...rest } = (checked ?? {}) as Partial<HookOptions> & {
    authenticate?: string | Partial<HookOptions["authenticate"]>;
  };
  const asked =
    typeof authenticate === "string"
      ? { require: authenticate as HookOptions["authenticate"]["require"] }
      : authenticate;
  return { ...DEFAULTS, ...rest, authenticate: { ...DEFAULTS.authenticate, ...asked } };
}
