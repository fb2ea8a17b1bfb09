import type { Settings } from "../config/settings.ts";
import type { PermissionRole } from "../nats/needed-permissions.ts";
import { OWN_PERMISSIONS, neededPermissions } from "../nats/needed-permissions.ts";
import type { OwnPermissions } from "../nats/permissions.ts";
import { askPermissions, isAllowed } from "../nats/permissions.ts";
import type { Log } from "../telemetry/log.ts";
import type { HealthCheck } from "./health.ts";
import type { Storage } from "./storage.ts";

const ASK_MS = 2_000;

/** Whether our NATS user may do everything that a running Posthorn does. Never throws. */
export async function permissionsCheck(storage: Storage, settings: Settings): Promise<HealthCheck> {
  return permissionsFinding(await askPermissions(storage.nats.connection, ASK_MS), wishOf(storage, settings));
}

/** Says in the log what the daemon's user may not do, where the server tells, one line each. Never throws. */
export async function warnOfMissingPermissions(storage: Storage, settings: Settings, log: Log): Promise<void> {
  const permissions = await askPermissions(storage.nats.connection, ASK_MS);
  if (permissions === undefined) return;
  for (const { operation, subject, why } of missingOf(permissions, "daemon", wishOf(storage, settings)))
    log.error("NATS permission missing; `posthorn permissions` prints all that are needed", {
      operation,
      toAllow: subject,
      why,
    });
}

type Wish = { readonly subjects: readonly string[]; readonly domain: string | undefined };

/** The names of events outside `kustomer.app.` are subjects of their own. */
function wishOf({ snapshot }: Storage, { natsDomain }: Settings): Wish {
  const names: string[] = snapshot.hooks().map(({ eventName }) => eventName);
  return { subjects: names.filter((name) => !name.startsWith("kustomer.app.")), domain: natsDomain.value };
}

function missingOf(permissions: OwnPermissions, role: PermissionRole, wish: Wish) {
  return neededPermissions(role, wish).filter(
    (needed) => needed.isOptional !== true && !isAllowed(permissions, needed),
  );
}

/** What is to be said of a user's permissions; `undefined` when the server does not tell. */
export function permissionsFinding(permissions: OwnPermissions | undefined, wish: Wish): HealthCheck {
  const name = "permissions";
  if (permissions === undefined)
    return {
      name,
      ok: true,
      detail: `the server does not say what our NATS user may do. To have it checked here, allow the user to publish on ${OWN_PERMISSIONS} (nats-server 2.10 or newer)`,
    };
  const missing = missingOf(permissions, "daemon", wish);
  if (missing.length === 0) return { name, ok: true, detail: "our NATS user may do all that Posthorn needs" };
  const said = (["publish", "subscribe"] as const).flatMap((operation) => {
    const subjects = missing.filter((needed) => needed.operation === operation).map(({ subject }) => subject);
    const verb = operation === "publish" ? "publish on" : "subscribe to";
    return subjects.length === 0 ? [] : [`may not ${verb} ${subjects.join(", ")}`];
  });
  const isVital = missing.some((needed) => needed.isVital === true);
  // A user for commands only is no fault.
  const isForCommands = missingOf(permissions, "cli", wish).length === 0;
  const consequence = isForCommands
    ? ". That is enough for commands, not for `posthorn serve`"
    : isVital
      ? "; mail gets 451 4.3.5"
      : "";
  return {
    name,
    ok: !isVital || isForCommands,
    ...((!isVital || isForCommands) && { warning: true }),
    detail: `our NATS user ${said.join(" and ")}${consequence}. \`posthorn permissions\` prints all that it needs`,
  };
}
