import type { Covered } from "../authenticate/signatures/scheme.ts";
import { verifySignature } from "../authenticate/signatures/verify.ts";
import type { RequestOutcome } from "../model/outcome.ts";
import type { ReceivedRequest } from "../model/request.ts";
import type { RequestStages } from "./request-stages.ts";

const WHY = {
  missing: "A header field of the signature is missing",
  "no-match": "The signature does not match the body under any of the secrets",
  "outside-window": "The signature's time is too far from now",
} as const;

export type SignatureCheck =
  | { readonly kind: "unsigned" }
  | { readonly kind: "signed"; readonly covered: Covered }
  | { readonly kind: "no"; readonly outcome: RequestOutcome };

/** Whether a request's signature opens its hook, and what it covers; `unsigned` when the hook wants none. */
export function checkSignature(request: ReceivedRequest, stages: RequestStages): SignatureCheck {
  const { hook, headers, query, receivedAt } = request;
  const { signature } = hook.options;
  if (signature === undefined) return { kind: "unsigned" };
  const secrets = stages.secretsOf(hook, signature.secret);
  if (secrets.length === 0) {
    const error = new Error(`no signing secret is set for ${hook.eventName}`);
    return { kind: "no", outcome: { kind: "tryLater", cause: "setting-wrong", error } };
  }
  const url = `${stages.publicUrl}/v1/hooks/web/${hook.hookId}${query === "" ? "" : `?${query}`}`;
  // Signed is what was sent; a coding may have been put on by a proxy, behind the signer's back.
  const bodies = request.packed === undefined ? [request.body] : [request.packed, request.body];
  const isAnsweredWith = () => stages.isAnsweredWith(hook, signature.secret);
  const verdicts = bodies.map((body) =>
    verifySignature({ headers, body, url, now: receivedAt, isAnsweredWith }, signature, secrets),
  );
  for (const verdict of verdicts) if (verdict.kind === "good") return { kind: "signed", covered: verdict.covered };
  const [first] = verdicts;
  const detail = first?.kind === "bad" ? { detail: WHY[first.why] } : {};
  return { kind: "no", outcome: { kind: "refused", cause: "signature-wrong", ...detail } };
}

/** Why a form's captcha does not let it in; undefined when it does, or when the hook wants none. */
export async function captchaOutcome(
  answer: string | undefined,
  { hook, remoteAddress }: ReceivedRequest,
  stages: RequestStages,
  signal: AbortSignal,
): Promise<RequestOutcome | undefined> {
  const { captcha } = hook.options;
  if (captcha === undefined) return undefined;
  const [secret] = stages.secretsOf(hook, captcha.secret);
  if (secret === undefined) {
    const error = new Error(`no captcha secret is set for ${hook.eventName}`);
    return { kind: "tryLater", cause: "setting-wrong", error };
  }
  const { provider, minScore } = captcha;
  const score = minScore === undefined ? {} : { minScore };
  const verdict = await stages.verifyCaptcha(
    { provider, secret, answer: answer ?? "", remoteAddress, ...score },
    signal,
  );
  switch (verdict.kind) {
    case "good":
      return undefined;
    case "bad":
      return { kind: "refused", cause: "captcha-failed" };
    case "unknown":
      return verdict.why === "secret"
        ? { kind: "tryLater", cause: "setting-wrong", error: new Error("the captcha service refuses our secret") }
        : { kind: "tryLater", cause: "captcha-away", error: verdict.error };
  }
}
