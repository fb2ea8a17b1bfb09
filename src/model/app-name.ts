import type { Branded } from "./branded.ts";

/** The name of an installed app: one subject token, so that it can stand in `posthorn.dead.<app>.<eventName>`. */
export type AppName = Branded<string, "AppName">;

/** The app of hooks that were made without an app definition (contract §2). */
export const ADHOC = "adhoc" as AppName;

/** The app of what belongs to no hook, such as mail to `postmaster` (contract §3). */
export const POSTHORN = "posthorn" as AppName;

const SHAPE = /^[A-Za-z0-9_-]{1,64}$/;

/** Reads the name of an app that a definition may use. Never throws; `undefined` for anything else, `posthorn` and `adhoc` too. */
export function parseAppName(text: string): AppName | undefined {
  return SHAPE.test(text) && text !== ADHOC && text !== POSTHORN ? (text as AppName) : undefined;
}
