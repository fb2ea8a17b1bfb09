import type { MailSummary } from "../model/mail.ts";
import { trimAll } from "../parse/trim.ts";

/** A mail by which a mailbox provider asks whether forwarding to one of our addresses is wanted. */
export interface ForwardingConfirmation {
  /** The provider's name, or the sender's domain when it is none we know. */
  readonly provider: string;
  readonly code: string | undefined;
  readonly link: string | undefined;
}

interface Provider {
  readonly name: string;
  /** Domains that its mails come from; those below them count too. */
  readonly domains: readonly string[];
  /** An address that sends nothing else, in whatever language. */
  readonly address?: string;
}

/**
 * Who asks before it forwards. Only links below the provider's own domains are shown, so that a forged question cannot
 * lead an administrator anywhere else.
 */
const PROVIDERS: readonly Provider[] = [
  { name: "Gmail", domains: ["google.com"], address: "forwarding-noreply@google.com" },
  { name: "Outlook", domains: ["microsoft.com", "outlook.com", "live.com", "office.com", "office365.com"] },
  { name: "Yahoo", domains: ["yahoo.com", "yahoo-inc.com", "aol.com"] },
  { name: "iCloud", domains: ["apple.com", "icloud.com"] },
  { name: "Zoho", domains: ["zoho.com", "zoho.eu", "zoho.in", "zohomail.com", "zohocorp.com"] },
  { name: "Yandex", domains: ["yandex.ru", "yandex.com", "ya.ru"] },
  { name: "Mail.ru", domains: ["mail.ru"] },
  { name: "Proton", domains: ["proton.me", "protonmail.com"] },
  { name: "Fastmail", domains: ["fastmail.com"] },
  { name: "GMX", domains: ["gmx.net", "gmx.com", "gmx.de", "web.de"] },
  { name: "Cloudflare", domains: ["cloudflare.com"] },
];

const MAX_DOMAIN_LENGTH = 253;
const PROVIDER_BY_DOMAIN = new Map(PROVIDERS.flatMap((provider) => provider.domains.map((name) => [name, provider])));

/** The provider whose domain this is, or one above it. No name is longer than 253 bytes (RFC 1035 §2.3.4). */
function providerOf(domain: string): Provider | undefined {
  if (domain.length > MAX_DOMAIN_LENGTH) return undefined;
  for (let name = domain; ; name = name.slice(name.indexOf(".") + 1)) {
    const provider = PROVIDER_BY_DOMAIN.get(name);
    if (provider !== undefined || !name.includes(".")) return provider;
  }
}

const FORWARDING =
  /forward|email routing|weiterleit|umleit|reenv|transf[eé]r|inoltr|doorstur|przekaz|пересыл|переадрес|转发|轉寄|転送/i;
const CONFIRMING = /confirm|verif|bestätig|valid|potwierd|подтвер|확인|确认|確認/i;
const CODE = /(?:code|kod|código|codice|код|代码|コード)[^\d\n]{0,30}?(\d[\d -]{4,14}\d)/i;
/** In the local part of an address behind which nobody sits. */
const MACHINE = /no-?_?reply|do-?not-?reply|account|security|service|support|postmaster|mailer|notif|team/;
const MAX_TEXT = 16 * 1024;
const MAX_LINKS = 100;

/**
 * Recognises such a mail by its sender and its words; `undefined` for any other. Pure; linear.
 *
 * A sender that is no provider we know has to say so in its subject, and nothing else may have been found in the mail:
 * an order of a parcel forwarder must not be taken for a question.
 */
export function forwardingConfirmationOf(summary: MailSummary, hasData: boolean): ForwardingConfirmation | undefined {
  const from = summary.from[0]?.address.toLowerCase() ?? "";
  // It is shown on terminals.
  const domain = from.slice(from.lastIndexOf("@") + 1).replace(/[^\w.-]/g, "?");
  const subject = summary.mailSubject ?? "";
  const provider = providerOf(domain);
  if (provider?.address === from) return foundOf(provider.name, summary, (url) => isTheirs(provider, url));
  // Nearly every mail ends here, without a look at its text.
  const saysConfirm = CONFIRMING.test(subject);
  const saysForward = FORWARDING.test(subject);
  if (hasData || !(provider === undefined ? saysConfirm && saysForward : saysConfirm || saysForward)) return undefined;
  // People write from a provider's domains too.
  if (provider !== undefined && !MACHINE.test(from.slice(0, from.indexOf("@")))) return undefined;
  const found = foundOf(provider?.name ?? domain, summary, (url) => provider === undefined || isTheirs(provider, url));
  if (found.code === undefined && found.link === undefined) return undefined;
  const text = textOf(summary);
  return (saysForward || FORWARDING.test(text)) && (saysConfirm || CONFIRMING.test(text)) ? found : undefined;
}

function foundOf(provider: string, summary: MailSummary, isGood: (url: URL) => boolean): ForwardingConfirmation {
  const text = textOf(summary);
  const links = linksIn(text).filter(isGood);
  const link = links.find(({ href }) => CONFIRMING.test(href)) ?? links[0];
  return { provider, code: codeIn(summary.mailSubject ?? "", text), link: link?.href };
}

function isTheirs(provider: Provider, url: URL): boolean {
  // Gmail's second link, below /mail/uf-, takes the wish back.
  return providerOf(url.hostname) === provider && (provider.name !== "Gmail" || url.pathname.startsWith("/mail/vf-"));
}

const textOf = ({ mailSubject, text, html }: MailSummary) =>
  `${mailSubject ?? ""}\n${(text ?? "").slice(0, MAX_TEXT)}\n${(html ?? "").slice(0, MAX_TEXT)}`;

/** What an administrator reads in the list of dead letters. */
export function confirmationInWords({ provider, code, link }: ForwardingConfirmation): string {
  const how = [code === undefined ? undefined : `its code is ${code}`, link === undefined ? undefined : `open ${link}`];
  const known = how.filter((way) => way !== undefined).join("; ");
  return `${provider} asks whether mail may be forwarded here; ${known === "" ? "see the mail" : known}`;
}

function codeIn(subject: string, text: string): string | undefined {
  // Gmail: "(#123456789) Gmail Forwarding Confirmation - Receive Mail from joe@gmail.com".
  return /#(\d{6,12})\b/.exec(subject)?.[1] ?? CODE.exec(text)?.[1]?.replace(/[ -]/g, "");
}

function linksIn(text: string): URL[] {
  const links: URL[] = [];
  for (const [written] of text.matchAll(/https:\/\/[^\s"'<>()\\]{4,2000}/g)) {
    const url = URL.parse(trimAll(written.replaceAll("&amp;", "&"), ".,;"));
    if (url !== null) links.push(url);
    if (links.length >= MAX_LINKS) break;
  }
  return links;
}
