import { parseHookId } from "../../model/hook-id.ts";
import type { Hook } from "../../model/hook.ts";
import { headerOf } from "../../model/request.ts";
import type { Call } from "./call.ts";
import { refuse } from "./call.ts";
import { handleForm } from "./form.ts";
import { languageOf, prefersHtml } from "./negotiate.ts";
import type { HttpDoorServices, Refusal } from "./services.ts";
import type { BodyLimits } from "./take-body.ts";
import { handleWeb } from "./web.ts";

/** What a request is measured by, and how senders reach us. */
export interface HandleOptions extends BodyLimits {
  readonly publicUrl: string;
}

/**
 * One request for `/v1/hooks/<kind>/<hookId>`, from its header fields to its answer. Hook, method, state and key are
 * looked at before the body is read (contract §7).
 */
export async function handleHookCall(
  call: Call,
  wanted: { readonly kind: string; readonly hookId: string; readonly page: string },
  services: HttpDoorServices,
  options: HandleOptions,
): Promise<void> {
  const { kind, page } = wanted;
  const { headers } = call.request;
  if (kind === "form" && prefersHtml(headerOf(headers, "accept")))
    call.language = languageOf(headerOf(headers, "accept-language"));
  const found = await findHook(wanted, call, services);
  if (found.kind !== "hook") return refuse(call, found, services.onRefusal);
  call.hook = found.hook;
  return kind === "form"
    ? handleForm(call, found.hook, page, services, options)
    : handleWeb(call, found.hook, services, options);
}

/** The hook of a path; whatever is wrong with it, strangers hear the same. */
async function findHook(
  wanted: { readonly kind: string; readonly hookId: string; readonly page: string },
  call: Call,
  services: HttpDoorServices,
): Promise<{ readonly kind: "hook"; readonly hook: Hook } | Refusal> {
  const unknown: Refusal = { kind: "refused", cause: "no-such-hook" };
  const hookId = parseHookId(wanted.hookId);
  if (hookId === undefined || (wanted.kind !== "form" && wanted.kind !== "web")) return unknown;
  if (wanted.page !== "" && !(wanted.kind === "form" && wanted.page === "thanks")) return unknown;
  const found = await services.hookById(hookId, call.remoteAddress);
  if (found.kind === "hook" && found.hook.type !== wanted.kind) return unknown;
  return found.kind === "unknown" ? unknown : found;
}
