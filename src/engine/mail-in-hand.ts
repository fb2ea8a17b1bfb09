import type { PendingAuthentication } from "../authenticate/mail.ts";
import type { PayloadChoice } from "../extract/payload.ts";
import { choosePayload, selectPayload } from "../extract/payload.ts";
import { unreachable } from "../lib/unreachable.ts";
import { within } from "../lib/within.ts";
import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { Hook } from "../model/hook.ts";
import type { Extraction } from "../model/item.ts";
import type { MailHeader } from "../model/mail-header.ts";
import type { MailSummary } from "../model/mail.ts";
import type { EventId } from "../model/outcome.ts";
import type { Authentication } from "../model/verdicts.ts";
import { parseMail } from "../parse/mail.ts";
import type { ReadLimits } from "./budgets.ts";
import type { ByteChunks } from "./byte-chunks.ts";
import type { Decision } from "./decide.ts";
import { decide } from "./decide.ts";
import type { DeliveryJob, MailJob } from "./job.ts";
import type { WireObject, WirePlan, WorkResult } from "./messages.ts";
import { MailPlanner } from "./plan-mail.ts";
import { extractFrom, withoutHookKeys } from "./read-mail.ts";

export interface ReadingSettings {
  readonly limits: ReadLimits;
  readonly objectBucket: string;
  /** Starts to look into who sent the mail. */
  readonly authenticate: (job: MailJob, header: MailHeader) => PendingAuthentication;
}

/** What was asked for one mail. */
export interface MailAsk {
  readonly job: MailJob;
  /** See `MailRequest`. */
  readonly only?: number;
  readonly unread?: DeadLetterReason;
}

/**
 * One mail in an engine thread, read step by step, so that a step can be done for all mails of a batch before the next one:
 * code and its data stay in the caches of the core.
 *
 * Invariant: the steps are called in the order parse, authenticate, extract, choose, plan; each after the first does nothing
 * when the mail is not read any further.
 */
export class MailInHand {
  readonly job: MailJob;
  readonly #ask: MailAsk;
  readonly #settings: ReadingSettings;
  #parsing: (ReturnType<typeof parseMail> & { kind: "mail" }) | undefined;
  #unread: DeadLetterReason | undefined;
  #pending: PendingAuthentication | undefined;
  #extraction: Extraction | undefined;
  readonly #choices = new Map<Hook, PayloadChoice>();
  #summary: MailSummary | undefined;
  #authentication: Authentication | undefined;
  #decisions: readonly Decision[] | undefined;
  #planner: MailPlanner | undefined;

  constructor(ask: MailAsk, settings: ReadingSettings) {
    this.job = ask.job;
    this.#ask = ask;
    this.#settings = settings;
    this.#unread = ask.unread;
  }

  parse(): void {
    if (this.#unread !== undefined) return;
    const { mime } = this.#settings.limits;
    const needsHtml = this.job.deliveries.some(({ hook }) => hook.options.include.includes("html"));
    const parsing = parseMail(this.job.bytes, mime, needsHtml);
    if (parsing.kind === "limit")
      this.#unread = { code: "limit-exceeded", detail: `${parsing.limit}: ${parsing.detail}` };
    else this.#parsing = parsing;
  }

  authenticate(): void {
    if (this.#parsing !== undefined) this.#pending = this.#settings.authenticate(this.job, this.#parsing.header);
  }

  extract(): void {
    if (this.#parsing === undefined) return;
    this.#extraction = extractFrom(this.#parsing, this.#settings.limits);
    this.#summary = withoutHookKeys(this.#parsing.summary);
  }

  /** Whether choosing has pauses: another form of JSON-LD, or a schema that is compiled. */
  get choosesSlowly(): boolean {
    return this.job.deliveries.some(
      ({ hook: { options } }) => options.jsonld !== "as-sent" || options.schema !== undefined,
    );
  }

  /** {@link choose} where that has no pauses. */
  chooseNow(): void {
    if (this.#extraction === undefined) return;
    for (const { hook, keyValue } of this.job.deliveries)
      if (!this.#choices.has(hook)) this.#choices.set(hook, selectPayload(this.#extraction, hook.options, keyValue));
  }

  /** One choice for each hook, whatever the tags. */
  async choose(): Promise<void> {
    if (this.#extraction === undefined) return;
    for (const { hook, keyValue } of this.job.deliveries)
      if (!this.#choices.has(hook))
        this.#choices.set(hook, await choosePayload(this.#extraction, hook.options, keyValue));
  }

  /** What is still to be waited for before {@link plan}; undefined when nothing is. */
  waitsFor(): Promise<void> | undefined {
    const pending = this.#pending;
    if (pending === undefined) return undefined;
    // What DNS said of mail like this is remembered, mostly.
    if (pending.isWhole) return this.#take(pending.soFar());
    if (this.job.deliveries.some(({ hook }) => hook.options.authenticate.require !== "none"))
      return pending.whole.then((whole) => this.#take(whole));
    return within(pending.whole, pending.patienceMs).then((whole) => this.#take(whole ?? pending.soFar()));
  }

  #take(authentication: Authentication): undefined {
    this.#authentication = authentication;
    return undefined;
  }

  /** Whether {@link plan} is called for one delivery at a time. */
  get isOneByOne(): boolean {
    return this.#ask.only !== undefined;
  }

  /** Plans for all deliveries, or for the one at `only` of a mail that is planned one by one; of that, first the ids alone. */
  plan(chunks: ByteChunks, only = this.#ask.only): WorkResult {
    const objects: WireObject[] = [];
    const plans: WirePlan[] = [];
    for (const [index, delivery] of this.job.deliveries.entries())
      if (only === undefined || only === index) plans.push(this.#planOf(delivery, index, { chunks, objects }));
    const facts = { messageId: this.#summary?.messageId ?? null };
    const eventIds = only === -1 ? this.#eventIds() : undefined;
    return { kind: "planned", facts, plans, objects, ...(eventIds && { eventIds }) };
  }

  #eventIds(): (EventId | undefined)[] {
    const planner = (this.#planner ??= this.#createPlanner());
    const { deliveries } = this.job;
    if (this.#unread !== undefined) return deliveries.map(() => undefined);
    const decisions = (this.#decisions ??= this.#decideAll());
    return deliveries.map((delivery, index) =>
      decisions[index]?.kind === "publish" ? planner.eventIdOf(delivery) : undefined,
    );
  }

  #planOf(delivery: DeliveryJob, index: number, sink: { chunks: ByteChunks; objects: WireObject[] }): WirePlan {
    const planner = (this.#planner ??= this.#createPlanner());
    if (this.#unread !== undefined) return planner.deadLetter(delivery, this.#unread, sink);
    const decision = (this.#decisions ??= this.#decideAll())[index];
    if (decision === undefined) throw new Error("a delivery without a decision");
    switch (decision.kind) {
      case "publish":
        return planner.publish(delivery, decision, sink);
      case "dead-letter":
        return planner.deadLetter(delivery, decision.reason, sink);
      case "refuse":
        return { kind: "refuse", cause: decision.cause };
      case "try-later":
        return decision;
      default:
        return unreachable(decision);
    }
  }

  #createPlanner(): MailPlanner {
    const { objectBucket, limits } = this.#settings;
    const settings = { objectBucket, maxHeaderBytes: limits.mime.headerBytes };
    const { job } = this;
    if (this.#unread !== undefined) return new MailPlanner({ job }, settings);
    const { summary, extraction, authentication } = this.#whole();
    return new MailPlanner({ job, read: { summary, extraction, verdicts: authentication.verdicts } }, settings);
  }

  /**
   * A recipient that is refused while another one of the same SMTP mail is not, is dead-lettered, because one reply has to
   * speak for all (contract §7); over LMTP each recipient has its own reply.
   */
  #decideAll(): readonly Decision[] {
    const { summary, authentication } = this.#whole();
    const { envelope, repliesEach } = this.job;
    const decisions = this.job.deliveries.map(({ hook }) => {
      const choice = this.#choices.get(hook);
      if (choice === undefined) throw new Error("a hook without a choice");
      return decide({ hook, envelope, summary, authentication, choice });
    });
    if (repliesEach || decisions.every(({ kind }) => kind === "refuse")) return decisions;
    return decisions.map((decision) =>
      decision.kind === "refuse" ? { kind: "dead-letter", reason: decision.reason } : decision,
    );
  }

  #whole(): { summary: MailSummary; extraction: Extraction; authentication: Authentication } {
    const summary = this.#summary;
    const extraction = this.#extraction;
    const authentication = this.#authentication;
    if (summary === undefined || extraction === undefined || authentication === undefined)
      throw new Error("a mail was decided about before it was read");
    return { summary, extraction, authentication };
  }
}
