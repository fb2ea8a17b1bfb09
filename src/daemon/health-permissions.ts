import { BUCKETS } from "../nats/stream-names.ts";
import type { PublishPermissions } from "../nats/permissions.ts";
import { OWN_PERMISSIONS, mayPublish } from "../nats/permissions.ts";
import type { HealthCheck } from "./health.ts";

const SHOWN = 5;

/** What Posthorn publishes on, and what it cannot do without it. `*` stands for a name that differs from one to the next. */
function needs(eventNames: readonly string[]): { readonly subjects: readonly string[]; readonly isVital: boolean }[] {
  return [
    {
      // Mail for these hooks hears 451 4.3.5 for ever.
      isVital: true,
      subjects: [
        ...eventNames,
        "posthorn.dead.posthorn.system",
        `$O.${BUCKETS.objects}.C.part`,
        `$O.${BUCKETS.objects}.M.name`,
        "$JS.API.STREAM.INFO.POSTHORN_EVENTS",
      ],
    },
    {
      // The daemon serves without them; changes, traces and the memory of unfinished outcomes do not.
      isVital: false,
      subjects: [
        `$KV.${BUCKETS.registry}.key`,
        `$KV.${BUCKETS.keys}.key`,
        `$KV.${BUCKETS.secrets}.key`,
        `$KV.${BUCKETS.unfinished}.key`,
        "posthorn.refused.smtp",
        "posthorn.audit.hooks",
        "$JS.FC.stream.consumer.reply",
      ],
    },
  ];
}

/** Whether our NATS user may publish everything that a running Posthorn publishes. */
export function permissionsCheck(
  permissions: PublishPermissions | undefined,
  eventNames: readonly string[],
): HealthCheck {
  const name = "permissions";
  if (permissions === undefined)
    return {
      name,
      ok: true,
      detail: `the server does not say what our NATS user may publish. To have it checked here, allow the user to publish on ${OWN_PERMISSIONS} (nats-server 2.10 or newer)`,
    };
  const denied = needs(eventNames).map(({ isVital, subjects }) => ({
    isVital,
    subjects: subjects.filter((subject) => !mayPublish(permissions, subject)),
  }));
  const all = denied.flatMap(({ subjects }) => subjects);
  if (all.length === 0) return { name, ok: true, detail: "our NATS user may publish all that Posthorn needs" };
  const isVital = denied.some((group) => group.isVital && group.subjects.length > 0);
  const shown = all.slice(0, SHOWN).join(", ");
  const rest = all.length > SHOWN ? ` and ${all.length - SHOWN} more` : "";
  return {
    name,
    ok: !isVital,
    ...(!isVital && { warning: true }),
    detail: `our NATS user may not publish on ${shown}${rest}${isVital ? "; mail hears 451 4.3.5" : ""}. Allow it kustomer.app.> and the other event names, posthorn.>, $KV.posthorn_*.>, $O.${BUCKETS.objects}.>, $JS.API.> and $JS.FC.>`,
  };
}
