import { VERIFY_URLS } from "../authenticate/captcha.ts";
import type { Settings } from "../config/settings.ts";
import type { Hook } from "../model/hook.ts";
import type { HealthCheck } from "./health.ts";

const PATIENCE_MS = 3_000;

/** Whether those answer who sign people in, take traces and check captchas; those that are set or used. Never throws. */
export function checkEndpoints(settings: Settings, hooks: readonly Hook[]): Promise<HealthCheck[]> {
  const { oidcIssuer, otlpEndpoint, captchaUrl } = settings;
  const asked: Promise<HealthCheck>[] = [];
  if (oidcIssuer.value !== undefined)
    asked.push(
      ask({
        name: "OIDC provider",
        url: `${oidcIssuer.value}/.well-known/openid-configuration`,
        mustBeOk: true,
        consequence: "nobody can sign in to the admin page by it. See POSTHORN_OIDC_ISSUER",
      }),
    );
  if (otlpEndpoint.value !== undefined)
    asked.push(
      ask({
        name: "OTLP collector",
        url: otlpEndpoint.value,
        mustBeOk: false,
        consequence: "traces are dropped. See OTEL_EXPORTER_OTLP_ENDPOINT",
      }),
    );
  for (const [provider, url] of captchasOf(hooks, captchaUrl.value))
    asked.push(
      ask({
        name: `captcha ${provider}`,
        url,
        mustBeOk: false,
        consequence:
          "posts to forms with a captcha are told to try again. Let this machine reach it, or see POSTHORN_CAPTCHA_URL",
      }),
    );
  return Promise.all(asked);
}

function captchasOf(hooks: readonly Hook[], instead: string | undefined): Map<string, string> {
  if (instead !== undefined) return new Map([["service", instead]]);
  const used = hooks.flatMap(({ options }) => options.captcha?.provider ?? []);
  return new Map(used.map((provider) => [provider, VERIFY_URLS[provider]]));
}

async function ask({
  name,
  url,
  mustBeOk,
  consequence,
}: {
  readonly name: string;
  readonly url: string;
  /** Any answer will do where we would have to post something. */
  readonly mustBeOk: boolean;
  readonly consequence: string;
}): Promise<HealthCheck> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    await response.body?.cancel();
    if (response.ok || !mustBeOk) return { name, ok: true, detail: `${url} answers` };
    return { name, ok: true, warning: true, detail: `${url} answers ${response.status}; ${consequence}` };
  } catch (error) {
    return { name, ok: true, warning: true, detail: `${url} does not answer (${whyNot(error)}); ${consequence}` };
  }
}

/** The code of what `fetch` only calls "fetch failed". */
function whyNot(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ("code" in cause && typeof cause.code === "string") return cause.code;
  return error instanceof Error ? error.message : String(error);
}
