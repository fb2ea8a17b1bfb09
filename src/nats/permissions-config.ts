import { INBOX_PREFIX } from "./inbox.ts";
import type { NeededPermission, PermissionRole, PermissionWish } from "./needed-permissions.ts";
import { neededPermissions } from "./needed-permissions.ts";

/**
 * The permissions of a NATS user as configuration of nats-server, to be pasted into the user's block.
 *
 * Source: NATS documentation, "Authorization".
 */
export function permissionsConfig(role: PermissionRole, wish: PermissionWish): string {
  const needed = neededPermissions(role, wish);
  const of = (operation: NeededPermission["operation"]) => needed.filter((one) => one.operation === operation);
  return [
    "permissions {",
    "  publish {",
    ...list("allow", of("publish")),
    "  }",
    "  subscribe {",
    ...list("allow", of("subscribe")),
    ...(role === "subscriber" ? list("deny", DENIED_TO_SUBSCRIBERS) : []),
    "  }",
    "}",
  ].join("\n");
}

/** The same for machines. */
export function permissionsJson(role: PermissionRole, wish: PermissionWish): Readonly<Record<string, unknown>> {
  const needed = neededPermissions(role, wish);
  const allow = (operation: NeededPermission["operation"]) =>
    needed.filter((one) => one.operation === operation).map(({ subject }) => subject);
  return {
    publish: { allow: allow("publish") },
    subscribe: {
      allow: allow("subscribe"),
      ...(role === "subscriber" && { deny: DENIED_TO_SUBSCRIBERS.map(({ subject }) => subject) }),
    },
  };
}

const DENIED_TO_SUBSCRIBERS = [{ subject: `${INBOX_PREFIX}.>`, why: "answers to Posthorn: the registry is in them" }];

function list(
  name: "allow" | "deny",
  permissions: readonly { readonly subject: string; readonly why: string }[],
): string[] {
  const width = Math.max(...permissions.map(({ subject }) => subject.length)) + 2;
  return [
    `    ${name}: [`,
    ...permissions.map(({ subject, why }) => `      ${JSON.stringify(subject).padEnd(width)}  # ${why}`),
    "    ]",
  ];
}
