import type { KeyServices } from "../admin/services.ts";
import { OperatorError } from "../model/operator-error.ts";
import type { NoteChange } from "./admin-hooks.ts";
import type { Storage } from "./storage.ts";

const DAY_MS = 24 * 60 * 60_000;

/** API keys, as the admin page sees and changes them. */
export function adminKeys({ keys, snapshot }: Storage, noteChange: NoteChange): KeyServices {
  return {
    keys: () =>
      keys.list().map(({ keyId, app, eventNames, createdAt, expires, lastUsed }) => ({
        keyId,
        app,
        eventNames: eventNames ?? null,
        createdAt,
        expires,
        lastUsed,
      })),
    createKey: async ({ app, eventName, expiresInDays }, by) => {
      if (snapshot.app(app) === undefined) throw new OperatorError(`no app ${app} is installed`, "choose another app");
      if (eventName !== undefined && snapshot.hookByEventName(eventName)?.app !== app)
        throw new OperatorError(`the app ${app} has no hook ${eventName}`, "choose one of its hooks, or none for all");
      const now = Date.now();
      const expires = expiresInDays === undefined ? null : new Date(now + expiresInDays * DAY_MS);
      const made = await keys.create(
        { app, expires, ...(eventName !== undefined && { eventNames: [eventName] }) },
        now,
      );
      await noteChange(by, "key.create", made.keyId, `app ${app}${eventName === undefined ? "" : `, ${eventName}`}`);
      return made;
    },
    revokeKey: async (keyId, by) => {
      await keys.revoke(keyId);
      await noteChange(by, "key.revoke", keyId);
    },
  };
}
