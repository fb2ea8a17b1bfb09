import type { EventSummary } from "../event-view.ts";
import type { Html } from "../html.ts";
import { html } from "../html.ts";
import type { AdminHook } from "../services.ts";
import { option } from "./hooks.ts";
import type { Frame } from "./layout.ts";
import { layout } from "./layout.ts";
import { emptyState, moment, pager, pathWith } from "./parts.ts";

export interface EventFilter {
  readonly app?: string | undefined;
  readonly hook?: string | undefined;
  readonly q?: string | undefined;
  /** `YYYY-MM-DDTHH:MM`, UTC: nothing newer. */
  readonly until?: string | undefined;
  readonly before?: number | undefined;
}

export interface EventsView {
  readonly filter: EventFilter;
  readonly events: readonly EventSummary[];
  readonly next: number | null;
  /** How many were looked into for `q`. */
  readonly lookedAt: number;
  readonly hooks: readonly AdminHook[];
  readonly apps: readonly string[];
}

/** What arrived, newest first; new ones come in at the top where scripts run. */
export function eventsPage(frame: Omit<Frame, "title">, view: EventsView): Html {
  const { filter, events, next } = view;
  const { before, ...rest } = filter;
  const isNewest = before === undefined && !filter.until;
  const nothing = events.length === 0;
  return layout(
    { ...frame, title: "Events" },
    html`<div class="head">
        <h1>Events</h1>
        ${
          isNewest &&
          html`<p
            class="live"
            hidden
            data-live="${pathWith("/api/v1/events/live", { app: filter.app, hook: filter.hook, q: filter.q })}"
          >
            <span class="dot"></span> <span data-live-state>connecting…</span>
            <button type="button" class="quiet" data-live-pause aria-pressed="false">Hold</button>
          </p>`
        }
      </div>
      ${filterForm(view)} ${nothing && emptiness(view, isNewest)}
      <div class="scroll" ${nothing && html` hidden`} data-live-table>
        <table class="list">
          <caption class="visually-hidden">
            Events, newest first
          </caption>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Hook and event</th>
              <th scope="col">From</th>
              <th scope="col">About</th>
              <th scope="col">Payload</th>
            </tr>
          </thead>
          <tbody data-live-rows>
            ${events.map(row)}
          </tbody>
        </table>
      </div>
      ${filter.q && next !== null && !nothing && html`<p class="hint">Looked into ${view.lookedAt} events so far.</p>`}
      ${pager(next === null ? null : pathWith("/events", { ...rest, before: next }), isNewest ? null : pathWith("/events", { ...rest, until: undefined }))}
      <template data-live-template>${row(BLANK)}</template>`,
  );
}

const BLANK: EventSummary = {
  sequence: 0,
  time: "",
  eventId: "",
  eventName: "",
  hookName: "",
  hooktype: "",
  from: "",
  about: "",
  payload: "",
};

/** `data-f` names the field, for the script that fills in new rows. */
const row = ({ sequence, time, eventName, hookName, hooktype, from, about, payload }: EventSummary): Html =>
  html`<tr>
    <td class="nowrap"><a href="/events/${sequence}" data-f="link">${moment(time)}</a></td>
    <td>
      <span data-f="hookName">${hookName}</span> <span class="hint" data-f="hooktype">${hooktype}</span><br /><code
        class="soft"
        data-f="eventName"
        >${eventName}</code
      >
    </td>
    <td data-f="from">${from}</td>
    <td data-f="about">${about}</td>
    <td class="payload"><code data-f="payload">${payload}</code></td>
  </tr>`;

const filterForm = ({ filter, hooks, apps }: EventsView): Html =>
  html`<form class="filter" method="get" action="/events" role="search" aria-label="Events">
    <label class="grow"
      >Text <input type="search" name="q" value="${filter.q}" placeholder="Sender, subject, id, anything inside"
    /></label>
    <label
      >App
      <select name="app">
        <option value="">All</option>
        ${apps.map((app) => option(app, app, filter.app))}
      </select>
    </label>
    <label
      >Hook
      <input name="hook" list="hook-names" value="${filter.hook}" placeholder="All" class="mono" />
    </label>
    <datalist id="hook-names">
      ${hooks.map(({ eventName, displayEventName }) => html`<option value="${eventName}">${displayEventName}</option>`)}
    </datalist>
    <label
      >Outcome
      <select name="outcome">
        <option value="">Event</option>
        <option value="dead">Dead letter</option>
        <option value="refused">Refused</option>
      </select>
    </label>
    <label>Until (UTC) <input type="datetime-local" name="until" value="${filter.until}" /></label>
    <button class="quiet">Filter</button>
  </form>`;

const emptiness = ({ filter, next, lookedAt, hooks }: EventsView, isNewest: boolean): Html => {
  const isFiltered = Boolean(filter.app || filter.hook || filter.q);
  if (next !== null)
    return emptyState(
      `None of the last ${lookedAt} is like that`,
      html`<p>Older ones have not been looked into yet: go on with “Older”.</p>`,
    );
  if (isFiltered || !isNewest)
    return emptyState("No event is like that", html`<p><a href="/events">Show all events</a></p>`);
  const [hook] = hooks;
  return emptyState(
    "No event yet",
    hook === undefined
      ? html`<p>There is no hook that could make one. <a href="/apps/install">Install an app</a> first.</p>`
      : html`<p>Send something to a hook and it stands here at once, for example:</p>
          <pre><code>posthorn send ${hook.eventName}</code></pre>`,
  );
};
