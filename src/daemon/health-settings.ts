import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { SETTINGS } from "../config/settings.ts";
import type { Settings } from "../config/settings.ts";
import type { ListenAddress } from "../config/units.ts";
import { isInternal } from "../lib/networks.ts";
import type { HealthCheck } from "./health.ts";

/** Addresses of the Internet at both ends of the space: who trusts these trusts everybody. */
const ANYBODY = [
  ["8.8.8.8", "ipv4"],
  ["200.1.1.1", "ipv4"],
  ["2001:db8::1", "ipv6"],
  ["2c00::1", "ipv6"],
] as const;

/** What can be said of the settings by looking at them. Nothing is said of what is as it should be. */
export function checkSettings(settings: Settings): HealthCheck[] {
  const { adminListen, httpListen, mailDomain, publicUrl, trustedRelays, trustedProxies } = settings;
  const findings: (HealthCheck | false)[] = [
    mailDomain.includes("localhost") &&
      warn("mail domain", "localhost: set POSTHORN_MAIL_DOMAIN before relays on other machines deliver here"),
    isOnTheNetwork(adminListen.at) &&
      warn(
        "admin listener",
        `${inWords(adminListen.at)} can be reached from other machines, in the clear: set POSTHORN_ADMIN_LISTEN to ${SETTINGS.adminListen.default}, with a proxy that speaks TLS in front`,
      ),
    isOnTheNetwork(httpListen.at) &&
      isLoopback(publicUrl) &&
      warn(
        "public URL",
        `${publicUrl} leads senders to themselves, and ${inWords(httpListen.at)} listens for other machines: set POSTHORN_PUBLIC_URL to the address that senders use`,
      ),
    trustsAnybody(trustedRelays) &&
      warn(
        "trusted relays",
        "POSTHORN_TRUSTED_RELAYS trusts everybody: any client may say whose mail it brings, and that it was authenticated. Name only your relays",
      ),
    trustsAnybody(trustedProxies) &&
      warn(
        "trusted proxies",
        "POSTHORN_TRUSTED_PROXIES trusts everybody: any client may choose the address that it is limited by. Name only your proxies",
      ),
  ];
  return findings.filter((finding) => finding !== false);
}

/** Whether the data directory can be written, or made. Creates nothing. Never throws. */
export async function checkDataDirectory({ dataDir }: Settings): Promise<HealthCheck> {
  const name = "data directory";
  const folder = resolve(dataDir);
  for (let at = folder; ; at = dirname(at)) {
    try {
      await access(at, constants.W_OK | constants.X_OK);
      return {
        name,
        ok: true,
        detail: at === folder ? `${folder} can be written` : `${folder} is made when it is needed`,
      };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" && at !== dirname(at)) continue;
      return {
        name,
        ok: false,
        detail: `${at} cannot be written (${code}): the admin token and our own nats-server have no place. Change its owner, or set POSTHORN_DATA_DIR`,
      };
    }
  }
}

/** Whether other machines can reach a listener. A host's name is taken for this machine's own. */
export function isOnTheNetwork(at: ListenAddress): boolean {
  return at !== "off" && !("path" in at) && (!isInternal(at.host) || at.host === "0.0.0.0" || at.host === "::");
}

function isLoopback(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? "";
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}

function trustsAnybody(networks: Settings["trustedRelays"]): boolean {
  return (
    ANYBODY.slice(0, 2).every(([ip, version]) => networks.check(ip, version)) ||
    ANYBODY.slice(2).every(([ip, version]) => networks.check(ip, version))
  );
}

function inWords(at: ListenAddress): string {
  return at === "off" ? "off" : "path" in at ? at.path : `${at.host}:${at.port}`;
}

const warn = (name: string, detail: string): HealthCheck => ({ name, ok: true, warning: true, detail });
