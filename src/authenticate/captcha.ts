/** What came of a captcha. */
export type CaptchaVerdict =
  | { readonly kind: "good" }
  | { readonly kind: "bad" }
  /** Nobody could say: the service is away, or our secret is wrong. Never taken for good. */
  | { readonly kind: "unknown"; readonly why: "away" | "secret"; readonly error?: unknown };

type Provider = "turnstile" | "hcaptcha" | "recaptcha";

export interface CaptchaAsk {
  readonly provider: Provider;
  readonly secret: string;
  /** What the captcha's script wrote into the form, "" when there is none. */
  readonly answer: string;
  readonly remoteAddress: string;
  /** Of reCAPTCHA v3; 0.5 when left out. */
  readonly minScore?: number;
}

/** Where each vendor checks an answer. */
export const VERIFY_URLS: Readonly<Record<Provider, string>> = {
  turnstile: "https://challenges.cloudflare.com/turnstile/v0/siteverify",
  hcaptcha: "https://api.hcaptcha.com/siteverify",
  recaptcha: "https://www.google.com/recaptcha/api/siteverify",
};

/** What reCAPTCHA v3 takes for a person, by Google's own advice. */
const DEFAULT_MIN_SCORE = 0.5;
const MAX_ANSWER_CHARACTERS = 8 * 1024;
const OUR_MISTAKES = /^(?:missing-input-secret|invalid-input-secret|sitekey-secret-mismatch|bad-request)$/;
const THEIR_TROUBLE = /^internal-error$/;

/**
 * Asks the provider whether a person solved its captcha. Never throws; ends when `signal` aborts at the latest.
 *
 * Sources: Cloudflare, "Turnstile: Validate the token"; hCaptcha, "Verify the User Response Server Side"; Google,
 * "reCAPTCHA: Verifying the user's response", "reCAPTCHA v3: Interpreting the score".
 */
export async function verifyCaptcha(
  ask: CaptchaAsk,
  /** Instead of the vendor's own address. */
  url: string | undefined,
  signal: AbortSignal,
): Promise<CaptchaVerdict> {
  if (ask.answer === "" || ask.answer.length > MAX_ANSWER_CHARACTERS) return { kind: "bad" };
  try {
    const response = await fetch(url ?? VERIFY_URLS[ask.provider], {
      method: "POST",
      body: new URLSearchParams({ secret: ask.secret, response: ask.answer, remoteip: ask.remoteAddress }),
      redirect: "error",
      signal,
    });
    const reply = (await response.json()) as Reply | null;
    const codes = Array.isArray(reply?.["error-codes"]) ? reply["error-codes"].map(String) : [];
    if (codes.some((code) => OUR_MISTAKES.test(code))) return { kind: "unknown", why: "secret" };
    if (!response.ok || typeof reply?.success !== "boolean" || codes.some((code) => THEIR_TROUBLE.test(code)))
      return { kind: "unknown", why: "away", error: new Error(`the captcha service answered ${response.status}`) };
    const isPerson = typeof reply.score !== "number" || reply.score >= (ask.minScore ?? DEFAULT_MIN_SCORE);
    return reply.success && isPerson ? { kind: "good" } : { kind: "bad" };
  } catch (error) {
    return { kind: "unknown", why: "away", error };
  }
}

interface Reply {
  readonly success?: unknown;
  readonly score?: unknown;
  readonly "error-codes"?: readonly unknown[];
}
