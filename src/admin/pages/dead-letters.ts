import { adviceFor } from "../advice.ts";
import { textAt } from "../event-view.ts";
import type { Html } from "../html.ts";
import { html } from "../html.ts";
import type { JsonTree } from "../json-tree.ts";
import { memberOf, parseJsonTree } from "../json-tree.ts";
import type { Entry, MailReport } from "../services.ts";
import { contentSection, more } from "./event.ts";
import { hookPath, option } from "./hooks.ts";
import { jsonView } from "./json.ts";
import type { Frame } from "./layout.ts";
import { layout } from "./layout.ts";
import { actionButton, copyable, emptyState, moment, pager, pathWith } from "./parts.ts";

export interface DeadLettersView {
  readonly entries: readonly Entry[];
  readonly next: number | null;
  readonly before: number | undefined;
  readonly filter: {
    readonly q: string | undefined;
    readonly hook: string | undefined;
    readonly app: string | undefined;
    readonly reason: string | undefined;
  };
  readonly apps: readonly string[];
  readonly byReason: ReadonlyMap<string, number>;
  readonly isComplete: boolean;
  /** Providers that wait for an answer; they stand above everything else. */
  readonly confirmations: readonly Entry[];
  readonly mayAct: boolean;
}

/** What became no event: by reason, newest first, with what can be done about many at once. */
export function deadLettersPage(frame: Omit<Frame, "title">, view: DeadLettersView): Html {
  const { entries, next, before, filter, byReason, confirmations } = view;
  const isFiltered = Object.values(filter).some(Boolean);
  return layout(
    { ...frame, title: "Dead letters" },
    html`<h1>Dead letters</h1>
      ${confirmations.length > 0 && !isFiltered && before === undefined && waiting(confirmations)}
      ${
        byReason.size === 0
          ? emptyState(
              "No dead letter",
              html`<p>
                Everything that came became an event. What cannot become one is kept here for 30 days, with the reason.
              </p>`,
            )
          : html`${filterForm(view)} ${reasons(view)} ${list(view)}
            ${pager(
              next === null ? null : pathWith("/dead-letters", { ...filter, before: next }),
              before === undefined ? null : pathWith("/dead-letters", filter),
            )}`
      }
      ${byReason.size > 0 && entries.length === 0 && next === null && emptyState("None is like that", html`<p><a href="/dead-letters">Show all</a></p>`)}`,
  );
}

const waiting = (confirmations: readonly Entry[]): Html =>
  html`<section class="card attention" aria-labelledby="waiting">
    <h2 id="waiting">Somebody waits for an answer</h2>
    <p>${adviceFor("forwarding-confirmation")}</p>
    <ul>
      ${confirmations.map(({ sequence, text }) => {
        const letter = parseJsonTree(text);
        return html`<li>
          <a href="/dead-letters/${sequence}">${subjectOf(letter)}</a>
          <span class="hint">for ${textAt(letter, "hook")}</span>
        </li>`;
      })}
    </ul>
  </section>`;

const filterForm = ({ filter, apps }: DeadLettersView): Html =>
  html`<form class="filter" method="get" action="/dead-letters" role="search" aria-label="Dead letters">
    <label class="grow"
      >Text <input type="search" name="q" value="${filter.q}" placeholder="Sender, subject, id"
    /></label>
    <label
      >App
      <select name="app">
        <option value="">All</option>
        ${apps.map((app) => option(app, app, filter.app))}
      </select>
    </label>
    <label>Hook <input name="hook" value="${filter.hook}" placeholder="All" class="mono" /></label>
    ${filter.reason !== undefined && html`<input type="hidden" name="reason" value="${filter.reason}" />`}
    <button class="quiet">Filter</button>
  </form>`;

const reasons = ({ byReason, isComplete, filter: { reason, ...others } }: DeadLettersView): Html =>
  html`<nav aria-label="Reasons">
    <ul class="tabs">
      <li><a href="/dead-letters" ${reason === undefined && html` aria-current="page"`}>All</a></li>
      ${[...byReason].map(
        ([code, count]) =>
          html`<li>
            <a
              href="${pathWith("/dead-letters", { ...others, reason: code })}"
              ${reason === code && html` aria-current="page"`}
              >${code} <span class="count">${count}</span></a
            >
          </li>`,
      )}
    </ul>
    ${!isComplete && html`<p class="hint">Counted among the newest only; there are more.</p>`}
  </nav>`;

const list = ({ entries, filter: { reason, ...others }, mayAct, byReason }: DeadLettersView): Html | null =>
  entries.length === 0
    ? null
    : html`<form method="post" action="/dead-letters/bulk">
        ${mayAct && bulk(Object.values(others).some(Boolean) ? undefined : reason, byReason)}
        <div class="scroll">
          <table class="list">
            <caption class="visually-hidden">
              Dead letters, newest first
            </caption>
            <thead>
              <tr>
                ${mayAct && html`<th scope="col"><input type="checkbox" data-check-all hidden aria-label="All on this page" /><span class="visually-hidden">Choose</span></th>`}
                <th scope="col">Time</th>
                <th scope="col">Reason</th>
                <th scope="col">Hook</th>
                <th scope="col">From</th>
                <th scope="col">About</th>
              </tr>
            </thead>
            <tbody>
              ${entries.map((entry) => row(entry, mayAct))}
            </tbody>
          </table>
        </div>
      </form>`;

/** All of a reason only where nothing else narrows the list: what is meant has to be what is seen. */
const bulk = (reason: string | undefined, byReason: ReadonlyMap<string, number>): Html =>
  html`<div class="actions bulk">
    <span>With the chosen ones:</span>
    <button class="quiet" name="do" value="replay">Replay</button>
    <button class="quiet" name="do" value="discard">Discard…</button>
    ${
      reason !== undefined &&
      html`<span class="push">With all ${byReason.get(reason)} of this reason:</span>
        <input type="hidden" name="reason" value="${reason}" />
        <button class="quiet" name="do" value="replay-all">Replay all</button>
        <button class="quiet" name="do" value="discard-all">Discard all…</button>`
    }
  </div>`;

const row = ({ sequence, storedAt, text }: Entry, mayAct: boolean): Html => {
  const letter = parseJsonTree(text);
  const subject = subjectOf(letter);
  const reason = memberOf(letter, "reason");
  return html`<tr>
    ${mayAct && html`<td><input type="checkbox" name="sequence" value="${sequence}" aria-label="Choose ${subject}" /></td>`}
    <td class="nowrap"><a href="/dead-letters/${sequence}">${moment(textAt(letter, "time") ?? storedAt)}</a></td>
    <td><span class="tag warn" title="${textAt(reason, "title")}">${textAt(reason, "code")}</span></td>
    <td>${textAt(letter, "hook")}</td>
    <td>${fromOf(letter)}</td>
    <td>${subject}</td>
  </tr>`;
};

const subjectOf = (letter: JsonTree | undefined): string =>
  textAt(memberOf(letter, "mail"), "subject") ||
  (memberOf(letter, "http") === undefined ? "(no subject)" : "(a request)");

const fromOf = (letter: JsonTree | undefined): string =>
  textAt(memberOf(memberOf(letter, "mail"), "from"), "address") ??
  textAt(memberOf(memberOf(letter, "mail"), "envelope"), "from") ??
  textAt(memberOf(letter, "http"), "remoteAddress") ??
  "";

export interface DeadLetterView {
  readonly entry: Entry;
  readonly letter: JsonTree | undefined;
  /** What the raw mail holds; undefined when it is not kept. */
  readonly report: MailReport | undefined;
  readonly hookName: string | undefined;
  readonly mayAct: boolean;
  readonly maySeeRaw: boolean;
}

/** One dead letter: why in words, what would fix it, what was looked at, and what can be done. */
export function deadLetterPage(frame: Omit<Frame, "title">, view: DeadLetterView): Html {
  const { entry, letter, report, mayAct, maySeeRaw } = view;
  const reason = memberOf(letter, "reason");
  const code = textAt(reason, "code") ?? "";
  const here = `/dead-letters/${entry.sequence}`;
  return layout(
    { ...frame, title: subjectOf(letter) },
    html`<p class="crumbs"><a href="/dead-letters">Dead letters</a></p>
      <h1>${subjectOf(letter)}</h1>
      <section class="card attention" aria-labelledby="why">
        <h2 id="why">${textAt(reason, "title") ?? code}</h2>
        <p>${textAt(reason, "detail")}</p>
        ${adviceFor(code) !== undefined && html`<p>${adviceFor(code)}</p>`}
      </section>
      ${
        mayAct &&
        html`<div class="actions">
          ${actionButton(`${here}/replay`, "Replay", { style: "" })}
          ${maySeeRaw && memberOf(letter, "mail") !== undefined && html`<a class="button quiet" href="/bench?dead=${entry.sequence}">Try with other options</a>`}
          <a class="button quiet" href="${here}/discard">Discard…</a>
        </div>`
      }
      <section class="card" aria-label="The dead letter">${facts(view)}</section>
      ${code === "forwarding-confirmation" && report?.kind === "read" && links(report.text ?? report.html ?? "")}
      ${!maySeeRaw && contentOf(letter)}
      ${report?.kind === "read" ? looked(report, here) : report !== undefined && html`<p class="hint">${report.why}.</p>`}
      ${more("The raw entry", letter === undefined ? entry.text : jsonView(letter))}`,
  );
}

/** What the letter itself keeps of the mail, for those who may not see the mail. */
const contentOf = (letter: JsonTree | undefined): Html | null => {
  const mail = memberOf(letter, "mail");
  const fields = memberOf(mail, "headers");
  const headers = fields?.kind === "array" ? fields.items : [];
  return contentSection("", {
    text: textAt(mail, "text") ?? null,
    html: null,
    headers: headers.map((field) => ({ name: textAt(field, "name") ?? "", value: textAt(field, "value") ?? "" })),
    truncated: false,
  });
};

const facts = ({ entry, letter, hookName, maySeeRaw }: DeadLetterView): Html => {
  const eventName = textAt(letter, "eventName") ?? "";
  return html`<dl>
    <dt>Hook</dt>
    <dd>
      ${hookName === undefined ? textAt(letter, "hook") : html`<a href="${hookPath(eventName)}">${hookName}</a>`}
      <code>${eventName}</code>
    </dd>
    <dt>Received</dt>
    <dd>${moment(textAt(letter, "time") ?? entry.storedAt)}</dd>
    <dt>From</dt>
    <dd>${fromOf(letter)}</dd>
    <dt>Id</dt>
    <dd>${copyable(textAt(letter, "id") ?? "", "Copy the id")}</dd>
    ${
      maySeeRaw &&
      textAt(letter, "object") !== undefined &&
      html`<dt>As it came</dt>
        <dd><a href="/dead-letters/${entry.sequence}/raw" download>Download it</a></dd>`
    }
  </dl>`;
};

const looked = (report: MailReport & { kind: "read" }, here: string): Html =>
  html`${
    report.notes.length > 0 &&
    html`<section aria-labelledby="looked">
      <h2 id="looked">What was looked at</h2>
      <ul class="words">
        ${report.notes.map((note) => html`<li>${note}</li>`)}
        ${report.skipped.map(({ place, reason }) => html`<li>${place}: ${reason}</li>`)}
      </ul>
    </section>`
  }
  ${contentSection(`${here}/html`, { text: report.text, html: report.html, headers: report.headers, truncated: false })}`;

const MOST_LINKS = 10;

/** Links to follow by hand; nothing is asked for by us. */
const links = (text: string): Html | null => {
  const found = [...new Set(text.match(/https:\/\/[^\s"'<>]{1,2000}/g))].slice(0, MOST_LINKS);
  return found.length === 0
    ? null
    : html`<section aria-labelledby="links">
        <h2 id="links">Links in the mail</h2>
        <p class="hint">
          Look at where each leads before you follow it: anybody can send a mail that looks like this one.
        </p>
        <ul>
          ${found.map((link) => html`<li><a href="${link}" rel="noreferrer noopener" target="_blank">${link}</a></li>`)}
        </ul>
      </section>`;
};

/** Asks before dead letters go for good. */
export function discardPage(
  frame: Omit<Frame, "title">,
  what: string,
  action: string,
  fields: readonly (readonly [name: string, value: string])[],
  back: string,
): Html {
  return layout(
    { ...frame, title: "Discard" },
    html`<section class="card narrow">
      <h1>Discard ${what}?</h1>
      <p>It is gone for good then; nobody can replay it.</p>
      <form method="post" action="${action}" class="actions">
        ${fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
        <button class="danger">Discard</button>
        <a class="button quiet" href="${back}">Keep</a>
      </form>
    </section>`,
  );
}
