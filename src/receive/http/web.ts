import type { Hook } from "../../model/hook.ts";
import type { Call } from "./call.ts";
import { refuse, send } from "./call.ts";
import type { HandleOptions } from "./handle.ts";
import { rateRefusal } from "./rate.ts";
import type { HttpDoorServices, Refusal } from "./services.ts";
import { isStored, noteUnheard, sendStored } from "./stored.ts";
import { takeBody } from "./take-body.ts";

const METHODS = ["POST", "PUT"];
const NO_BODY = new Uint8Array(0);

/**
 * A request for a web hook: method, state, handshake, key and rate before the body, its signature over the body. A
 * handshake is answered before anybody is authenticated, because the provider has no secret yet.
 */
export async function handleWeb(
  call: Call,
  hook: Hook,
  services: HttpDoorServices,
  options: HandleOptions,
): Promise<void> {
  const no = (refusal: Refusal, headers = {}) => refuse(call, refusal, services.onRefusal, headers);
  const { handshake, signature } = hook.options;
  const kind = typeof handshake === "object" ? handshake.kind : handshake;
  const methods = kind === undefined ? METHODS : [...new Set([...METHODS, ...services.handshakeMethods(kind)])];
  const notAllowed = () => no({ kind: "refused", cause: "wrong-method" }, { allow: methods.join(", ") });
  if (!methods.includes(call.method)) return notAllowed();
  if (hook.state === "disabled") return no({ kind: "refused", cause: "hook-disabled" });
  if (kind !== undefined && answersHandshake(call, hook, NO_BODY, services)) return;
  if (!METHODS.includes(call.method)) return notAllowed();
  if (hook.state === "paused") return no({ kind: "tryLater", cause: "hook-paused" });
  const entry = async (): Promise<boolean> => {
    const forbidden =
      signature === undefined ? await services.authorize(hook, call.request.headers, call.remoteAddress) : undefined;
    const limited = forbidden === undefined ? rateRefusal(call, hook, services) : undefined;
    if (forbidden !== undefined) no(forbidden);
    else if (limited !== undefined) no(limited.refusal, limited.headers);
    return forbidden === undefined && limited === undefined;
  };
  const isInBody = kind !== undefined && services.isHandshakeInBody(kind);
  if (!isInBody && !(await entry())) return;
  const taken = await takeBody(call, hook, services, options, {
    isRawNeeded: signature !== undefined || isInBody,
    ...(isInBody && {
      onBody: async (body: Uint8Array) => answersHandshake(call, hook, body, services) || !(await entry()),
    }),
  });
  if (taken === undefined) return;
  if (!isStored(taken.outcome)) return no(taken.outcome);
  noteUnheard(call, taken.outcome, services.onUnheard);
  sendStored(call, taken.outcome);
}

function answersHandshake(call: Call, hook: Hook, body: Uint8Array, services: HttpDoorServices): boolean {
  const { method, query, request } = call;
  const answer = services.handshake(hook, { method, query, headers: request.headers, body });
  if (answer !== undefined) send(call, answer.status, answer.headers, answer.body);
  return answer !== undefined;
}
