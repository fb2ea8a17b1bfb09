import { readFile } from "node:fs/promises";
import { domainToASCII } from "node:url";

import type { Settings } from "../config/settings.ts";
import { SETTINGS } from "../config/settings.ts";
import type { ListenAddress } from "../config/units.ts";
import { TRANSACTION_LIMITS } from "../engine/budgets.ts";
import { SharedGarbage } from "../engine/shared-garbage.ts";
import { Deadlines } from "../lib/deadlines.ts";
import { SlidingMinute } from "../lib/sliding-minute.ts";
import type { HookId } from "../model/hook-id.ts";
import type { Hook } from "../model/hook.ts";
import type { ReceivedMail } from "../model/mail.ts";
import type { Refusal } from "../model/refused-call.ts";
import { OperatorError } from "../model/operator-error.ts";
import type { EventId, Outcome } from "../model/outcome.ts";
import { combine } from "../pipeline/combine.ts";
import type { MailStages } from "../pipeline/deliver-mail.ts";
import { deliverMail } from "../pipeline/deliver-mail.ts";
import type { Pulse } from "../publish/pulse.ts";
import { Admission } from "../receive/admission.ts";
import { ClientLimits } from "../receive/client-limits.ts";
import type { Login, MailDoorServices, MailRefusal } from "../receive/smtp/door.ts";
import { MailDoor } from "../receive/smtp/door.ts";
import type { Lookup } from "../receive/smtp/recipient.ts";
import type { Log } from "../telemetry/log.ts";
import { newTraceId, spanContextOf } from "../telemetry/trace-context.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Tracer } from "../telemetry/tracer.ts";
import { lookUpUnknown } from "./look-up.ts";
import { LiveCertificate } from "./certificate.ts";
import { connectionsWithinFileLimit } from "./file-limit.ts";
import { causeInWords, hasOwnLine, logMail } from "./mail-log.ts";
import { addressInWords, listenError } from "./listen-error.ts";
import type { Storage } from "./storage.ts";
import { endWithOutcomes, inTrace, tracedMail } from "./traced.ts";

/** Mails in memory at once, in units of the largest one. */
const LARGEST_MAILS_IN_FLIGHT = 8;
/** Then the main thread collects: seldom, for all others wait meanwhile. */
const MAX_DELIVERED_BYTES = 64 * 1024 * 1024;
const MAX_MAILS_IN_FLIGHT = 2_000;
/** Bytes of one stranger's address in a minute, in units of the largest mail. */
const LARGEST_MAILS_PER_MINUTE = 20;
/** Is its own ASCII form: nothing in it that a look-up by IDNA would change (UTS #46). */
const PLAIN_DOMAIN = /^(?!.*--)[a-z0-9](?:[a-z0-9.-]*[a-z])?$/;
/** What the library says of itself to a SIZE that is over the limit. */
const TOO_LARGE = 552;
const UNKNOWN_RECIPIENTS_PER_MINUTE = 100;
/** So long before the end of the grace period deliveries are given up. */
const LAST_REPLIES_MS = 1_000;

export interface MailDoors {
  /** When the certificate ends, milliseconds since the epoch; undefined without one. */
  readonly certificateEndsAt: () => number | undefined;
  readonly doors: readonly {
    readonly name: "smtp" | "lmtp" | "smtps";
    readonly door: MailDoor;
    readonly address: string;
  }[];
  readonly admission: Admission;
  close(graceMs: number): Promise<void>;
}

export interface MailDoorParts {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly stages: MailStages;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracer: Tracer | undefined;
  readonly rates: SlidingMinute;
  readonly pulse: Pulse;
  /** How long one mail may take from its final dot to its reply, in milliseconds. */
  readonly deliverMs: number;
  /** Told of every 4xx and 5xx; returns at once. */
  readonly onRefusal: (refusal: Refusal, isLogged: boolean) => void;
  /** Told of what was stored for a relay that will send it again. */
  readonly rememberStored: (eventId: EventId) => void;
}

/** Opens the listeners that the settings ask for: SMTP, LMTP, SMTPS. Throws `OperatorError` when an address is taken. */
export async function openMailDoors(parts: MailDoorParts): Promise<MailDoors> {
  const { settings, log } = parts;
  const admission = new Admission({
    maxConnections: await connectionsWithinFileLimit(settings.maxConnections, log),
    maxBytesInFlight: settings.maxMessageBytes * LARGEST_MAILS_IN_FLIGHT,
  });
  const certificate = await certificateOf(settings, log);
  const clientCa = await clientCaOf(settings);
  const tls = certificate && {
    ...certificate.current,
    required: settings.tlsRequired.on,
    ...(clientCa && { ca: clientCa }),
  };
  const wanted = [
    {
      name: "smtp",
      at: settings.smtpListen.at,
      variable: SETTINGS.smtpListen.variable,
      lmtp: false,
      implicitTls: false,
    },
    {
      name: "lmtp",
      at: settings.lmtpListen.at,
      variable: SETTINGS.lmtpListen.variable,
      lmtp: true,
      implicitTls: false,
    },
    {
      name: "smtps",
      at: settings.smtpsListen.at,
      variable: SETTINGS.smtpsListen.variable,
      lmtp: false,
      implicitTls: true,
    },
  ] as const;
  const stopping = new AbortController();
  const limits = new ClientLimits({
    connections: settings.clientConnections,
    mailsPerMinute: settings.clientMailsPerMinute,
    bytesPerMinute: settings.maxMessageBytes * LARGEST_MAILS_PER_MINUTE,
    unknownPerMinute: UNKNOWN_RECIPIENTS_PER_MINUTE,
    processes: settings.processes,
  });
  const services = servicesOf(parts, { admission, limits }, stopping.signal);
  const doors: { name: "smtp" | "lmtp" | "smtps"; door: MailDoor; address: string }[] = [];
  for (const { name, at, variable, lmtp, implicitTls } of wanted) {
    if (at === "off") continue;
    const door = new MailDoor(
      {
        lmtp,
        implicitTls,
        tls,
        name: settings.mailDomain.find((domain) => !domain.startsWith("*.")) ?? "localhost",
        maxMessageBytes: settings.maxMessageBytes,
        transactionLimits: TRANSACTION_LIMITS,
        idleTimeoutMs: settings.idleTimeout,
        transactionTimeoutMs: settings.transactionTimeout,
        softBounce: settings.softBounce.on,
        trustedRelays: settings.trustedRelays,
        // LMTP is spoken on the same machine or network; a load balancer stands in front of SMTP.
        proxyRequired: !lmtp && settings.smtpProxy === "required",
        allowedClients: settings.allowedClients.networks,
        maxPending: settings.maxConnections,
      },
      services(lmtp ? "lmtp" : "smtp"),
    );
    const address = await listenOn(door, { name, at, variable });
    log.info("Listening for mail", { door: name, address });
    doors.push({ name, door, address });
  }
  if (certificate !== undefined)
    certificate.onChange = (renewed) => {
      for (const { door } of doors) door.useCertificate(renewed);
    };
  return {
    doors,
    admission,
    certificateEndsAt: () => certificate?.endsAt,
    close: async (graceMs) => {
      certificate?.[Symbol.dispose]();
      // Mail that has no ack by then hears 451 while its connection still stands.
      const timer = setTimeout(() => stopping.abort(), Math.max(0, graceMs - LAST_REPLIES_MS));
      await Promise.all(doors.map(({ door }) => door.close(graceMs)));
      clearTimeout(timer);
      stopping.abort();
    },
  };
}

async function listenOn(
  door: MailDoor,
  {
    name,
    at,
    variable,
  }: { readonly name: string; readonly at: Exclude<ListenAddress, "off">; readonly variable: string },
): Promise<string> {
  try {
    const { port } = await door.listen(at);
    return addressInWords("path" in at ? at : { ...at, port });
  } catch (error) {
    throw listenError({ what: name, at, variable }, error);
  }
}

/** `undefined` without a certificate; what depends on one is then an error of `readSettings` already. */
async function certificateOf({ tlsCert, tlsKey }: Settings, log: Log): Promise<LiveCertificate | undefined> {
  const { value: certFile } = tlsCert;
  const { value: keyFile } = tlsKey;
  return certFile === undefined || keyFile === undefined ? undefined : LiveCertificate.open({ certFile, keyFile }, log);
}

async function clientCaOf({ tlsClientCa: { value: file } }: Settings): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  return readFile(file).catch((error: unknown) => {
    throw new OperatorError("the CA of client certificates cannot be read", "check POSTHORN_TLS_CLIENT_CA", {
      cause: error,
      exitCode: 78,
    });
  });
}

function servicesOf(
  parts: MailDoorParts,
  { admission, limits }: { readonly admission: Admission; readonly limits: ClientLimits },
  stopping: AbortSignal,
): (door: "smtp" | "lmtp") => MailDoorServices {
  const { settings, storage, stages, log, metrics, rates, pulse, deliverMs, onRefusal } = parts;
  const { snapshot, nats } = storage;
  const deadlines = new Deadlines(deliverMs, stopping);
  const garbage = new SharedGarbage(MAX_DELIVERED_BYTES);
  let mailsInFlight = 0;

  const deliver = async (mail: ReceivedMail, door: "smtp" | "lmtp") => {
    mailsInFlight += 1;
    const startedAt = performance.now();
    const span = parts.tracer?.start(`${door} mail`, { startMs: mail.recipients[0]?.askedAt ?? mail.receivedAt });
    try {
      const traceId = span === undefined ? newTraceId() : spanContextOf(span.traceparent).traceId;
      const own = span === undefined ? inTrace(stages, traceId) : tracedMail(stages, span);
      const { outcomes: each, facts } = await deliverMail(mail, own, deadlines.next());
      const whole = combine(each);
      if (span !== undefined) endWithOutcomes(span, each, { "posthorn.transaction_id": mail.transactionId });
      const tookMs = performance.now() - startedAt;
      logMail(mail, each, { ...facts, tookMs, traceId }, log);
      // One reply speaks for all: what was stored beside it will come again.
      if (door === "smtp" && whole.kind === "tryLater") onUnheard(each);
      for (const [index, outcome] of each.entries()) {
        const hook = mail.recipients[index]?.hook.eventName ?? "";
        metrics.countOutcome({ door, hook, outcome: outcome.kind, cause: causeInWords(outcome) });
      }
      for (const hook of new Set(mail.recipients.map((recipient) => recipient.hook.eventName)))
        metrics.observeDelivery({ door, hook }, tookMs);
      return { whole, each };
    } finally {
      mailsInFlight -= 1;
      garbage.add(mail.bytes);
    }
  };

  const onUnheard = (each: readonly Outcome[]) => {
    for (const outcome of each) if ("eventId" in outcome) parts.rememberStored(outcome.eventId);
  };

  return (door) => ({
    isOurDomain: (domain) => isIn(settings.mailDomain, PLAIN_DOMAIN.test(domain) ? domain : domainToASCII(domain)),
    hookById: (hookId, remoteAddress) => lookUp(snapshot.hookById(hookId), { hookId }, remoteAddress),
    hookByAlias: (address, remoteAddress) => lookUp(snapshot.hookByAlias(address), { alias: address }, remoteAddress),
    withinRate: ({ hookId, options }) =>
      options.rateLimit === undefined ||
      rates.tryCount(hookId, Math.max(1, options.rateLimit.perMinute / settings.processes), Date.now()),
    deliver: (mail) => deliver(mail, door),
    login,
    onUnheard,
    whyNotNow: () => (!nats.isConnected() ? "nats-away" : pulse.isSilent ? "no-ack" : undefined),
    hasRoom: () => mailsInFlight < MAX_MAILS_IN_FLIGHT,
    onRefusal: (refused) => onRefusal(refusalOf(refused, door), hasOwnLine(refused)),
    admission,
    limits,
    log,
  });

  /** A relay logs in with an API key as its password; revoking the key ends that everywhere within a second. */
  async function login(password: string, remoteAddress: string): Promise<Login> {
    const now = Date.now();
    if (!storage.keys.isKnown(password)) {
      if (!admission.tryGuess(remoteAddress, now)) return { kind: "tryLater", cause: "rate-limited" };
      if (!nats.isConnected()) return { kind: "tryLater", cause: "nats-away" };
    }
    try {
      const check = await storage.keys.check(password, now);
      return check.kind === "ok" ? { kind: "ok", user: check.keyId } : { kind: "wrong" };
    } catch (error) {
      log.warn("A relay's key could not be looked up; it tries again", { error });
      return { kind: "tryLater", cause: "nats-away" };
    }
  }

  async function lookUp(
    known: Hook | undefined,
    key: { readonly hookId: HookId } | { readonly alias: string },
    remoteAddress: string,
  ): Promise<Lookup> {
    if (known !== undefined) return { kind: "hook", hook: known };
    return lookUpUnknown(key, remoteAddress, { storage, admission, log });
  }
}

function refusalOf(
  { reply, remoteAddress, hookEventName, from, recipient }: MailRefusal,
  door: "smtp" | "lmtp",
): Refusal {
  const [enhanced = "", ...words] = reply.text.split(" ");
  return {
    door,
    remoteAddress,
    hook: hookEventName ?? null,
    answer: `${reply.code} ${enhanced}`,
    reason: words.join(" "),
    cause: reply.cause ?? (reply.code === TOO_LARGE ? "too-large" : "protocol"),
    sender: from ?? null,
    recipient: recipient ?? null,
  };
}

/** `*.shop.example` stands for every domain below, at any depth. */
const isIn = (domains: readonly string[], name: string) =>
  domains.some((ours) => (ours.startsWith("*.") ? name.endsWith(ours.slice(1)) : name === ours));
