import { X509Certificate } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { createSecureContext, rootCertificates } from "node:tls";

import type { Settings } from "../config/settings.ts";
import { isOnTheNetwork } from "./health-settings.ts";
import type { HealthCheck } from "./health.ts";

const DAY_MS = 86_400_000;
/** Renewal tools renew thirty days before the end; at fourteen something is wrong with them. */
const RENEW_DAYS = 14;
const DNS_TIMEOUT_MS = 2_000;

/** The mail door's certificate and the look-ups behind mail authentication, for `doctor`. Never throws. */
export async function checkMailDoor(settings: Settings, now: number): Promise<HealthCheck[]> {
  return [await lookAtTls(settings, now), await lookAtDns(settings)];
}

async function lookAtTls(settings: Settings, now: number): Promise<HealthCheck> {
  const { tlsCert, tlsKey, mailDomain } = settings;
  if (tlsCert.value === undefined || tlsKey.value === undefined) {
    const isOpen = [settings.smtpListen.at, settings.lmtpListen.at].some(isOnTheNetwork);
    const none = "no certificate; mail comes in the clear";
    return isOpen
      ? warn("tls", `${none}, from other machines too. Set POSTHORN_TLS_CERT and POSTHORN_TLS_KEY`)
      : { name: "tls", ok: true, detail: `${none}, from this machine only` };
  }
  try {
    const [cert, key] = await Promise.all([readFile(tlsCert.value, "utf8"), readFile(tlsKey.value, "utf8")]);
    createSecureContext({ cert, key });
    return tlsCheck(cert, mailDomain, now);
  } catch (error) {
    return {
      name: "tls",
      ok: false,
      detail: `POSTHORN_TLS_CERT and POSTHORN_TLS_KEY cannot be used together: ${messageOf(error)}. \`posthorn serve\` does not start with them`,
    };
  }
}

/** What is to be said of a certificate chain in PEM, leaf first. Throws when it holds no certificate. */
export function tlsCheck(pem: string, mailDomain: readonly string[], now: number): HealthCheck {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const chain = blocks.map((block) => new X509Certificate(block));
  const [leaf] = chain;
  if (leaf === undefined) throw new Error("it holds no certificate");
  const daysLeft = Math.floor((Date.parse(leaf.validTo) - now) / DAY_MS);
  const until = new Date(leaf.validTo).toISOString().slice(0, 10);
  if (daysLeft < 0)
    return warn("tls", `the certificate ended on ${until}; relays that check it keep their mail. Renew it`);
  if (Date.parse(leaf.validFrom) > now)
    return warn("tls", `the certificate begins on ${leaf.validFrom}; see the clock`);
  const isNamed = mailDomain.some((domain) => leaf.checkHost(domain.replace(/^\*\./, "mail.")) !== undefined);
  if (!isNamed)
    return warn(
      "tls",
      `the certificate is for ${leaf.subjectAltName ?? leaf.subject}, none of ${mailDomain.join(", ")}; relays that check names need the name they connect to`,
    );
  const broken = chain.findIndex((one, index) => {
    const issuer = chain[index + 1];
    return issuer !== undefined && !(one.checkIssued(issuer) && one.verify(issuer.publicKey));
  });
  if (broken >= 0)
    return warn("tls", `certificate ${broken + 1} of the chain is not signed by the one behind it; put the leaf first`);
  if (daysLeft < RENEW_DAYS) return warn("tls", `the certificate ends on ${until}, in ${daysLeft} days. Renew it`);
  const end = chain.at(-1);
  const isSelfSigned = end !== undefined && end.checkIssued(end);
  if (!isSelfSigned && end !== undefined && !isFromARoot(end))
    return warn(
      "tls",
      `the chain ends at ${end.issuer.replaceAll("\n", ", ")}, which no list of roots knows; is an intermediate missing?`,
    );
  return {
    name: "tls",
    ok: true,
    detail: `until ${until}, ${chain.length} certificate${chain.length === 1 ? "" : "s"}${isSelfSigned ? ", signed by itself: relays have to be told" : ""}`,
  };
}

const isFromARoot = (end: X509Certificate) =>
  rootCertificates.some((pem) => {
    const root = new X509Certificate(pem);
    return end.checkIssued(root) && end.verify(root.publicKey);
  });

async function lookAtDns({ dnsServers, mailDomain }: Settings): Promise<HealthCheck> {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 1 });
  if (dnsServers.length > 0) resolver.setServers(dnsServers);
  const domain = mailDomain.find((name) => !name.startsWith("*.")) ?? mailDomain[0]?.slice(2) ?? "localhost";
  try {
    const exchanges = await resolver.resolveMx(domain);
    return {
      name: "dns",
      ok: true,
      detail: `mail for ${domain} goes to ${exchanges.map(({ exchange }) => exchange).join(", ")}`,
    };
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "ENODATA" || code === "ENOTFOUND")
      return {
        name: "dns",
        ok: true,
        detail: `answers; ${domain} has no MX, so mail reaches it by a relay's own setting only`,
      };
    return warn(
      "dns",
      `no answer (${String(code)}): SPF, DKIM and DMARC are temperror, and hooks that demand them answer 451. See POSTHORN_DNS_SERVERS`,
    );
  }
}

const warn = (name: string, detail: string): HealthCheck => ({ name, ok: true, warning: true, detail });
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
