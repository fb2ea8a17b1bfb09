import type { Hook } from "../../model/hook.ts";
import type { Call } from "./call.ts";
import { refuse } from "./call.ts";
import type { HandleOptions } from "./handle.ts";
import { rateRefusal } from "./rate.ts";
import type { HttpDoorServices, Refusal } from "./services.ts";
import { isStored, sendStored } from "./stored.ts";
import { takeBody } from "./take-body.ts";

const METHODS = ["POST", "PUT"];

/** A request for a web hook: method, state, key and rate before the body, its signature over the body. */
export async function handleWeb(
  call: Call,
  hook: Hook,
  services: HttpDoorServices,
  options: HandleOptions,
): Promise<void> {
  const no = (refusal: Refusal, headers = {}) => refuse(call, refusal, services.onRefusal, headers);
  if (!METHODS.includes(call.method))
    return no({ kind: "refused", cause: "wrong-method" }, { allow: METHODS.join(", ") });
  if (hook.state === "disabled") return no({ kind: "refused", cause: "hook-disabled" });
  if (hook.state === "paused") return no({ kind: "tryLater", cause: "hook-paused" });
  const isSigned = hook.options.signature !== undefined;
  const forbidden = isSigned ? undefined : await services.authorize(hook, call.request.headers, call.remoteAddress);
  if (forbidden !== undefined) return no(forbidden);
  const limited = rateRefusal(call, hook, services);
  if (limited !== undefined) return no(limited.refusal, limited.headers);
  const taken = await takeBody(call, hook, services, options, isSigned);
  if (taken === undefined) return;
  if (isStored(taken.outcome)) return sendStored(call, taken.outcome);
  no(taken.outcome);
}
