import { reachesWorkflows } from "../../model/event-name.ts";
import type { App, HookType } from "../../model/hook.ts";
import { html } from "../html.ts";
import type { Html } from "../html.ts";
import type { AdminHook } from "../services.ts";
import type { Frame } from "./layout.ts";
import { layout } from "./layout.ts";
import { TYPE_IN_WORDS, copyable, emptyState, moment, pathWith, stateTag } from "./parts.ts";

/** What of the hooks is shown. */
export interface HookFilter {
  readonly q?: string | undefined;
  readonly app?: string | undefined;
  readonly type?: string | undefined;
  readonly page: number;
}

export interface HooksView {
  readonly apps: readonly App[];
  /** Those of this page. */
  readonly hooks: readonly AdminHook[];
  /** How many the filter lets through. */
  readonly total: number;
  readonly filter: HookFilter;
  readonly pages: number;
  readonly lastEvents: ReadonlyMap<string, string>;
  /** The person may install and uninstall. */
  readonly mayChange: boolean;
}

/** Every installed app with its hooks, a page at a time. */
export function hooksPage(frame: Omit<Frame, "title">, view: HooksView): Html {
  const { apps, hooks, total, filter } = view;
  const shown = apps.filter(({ app }) => hooks.some((hook) => hook.app === app));
  const isFiltered = Boolean(filter.q || filter.app || filter.type);
  return layout(
    { ...frame, title: "Hooks" },
    html`<div class="head">
        <h1>Hooks</h1>
        ${
          view.mayChange &&
          html`<div class="actions">
            <a class="button" href="/apps/install">Install an app</a>
            <a class="button quiet" href="/hooks/new">Make a single hook</a>
          </div>`
        }
      </div>
      ${
        apps.length === 0
          ? emptyState(
              "No app is installed",
              html`<p>
                An app definition says which hooks there are; <a href="/apps/install">paste or upload one</a>. For a
                first try, <a href="/hooks/new">make a single hook</a>: its address or URL works at once.
              </p>`,
            )
          : html`${filterForm(apps, filter)}
            ${isFiltered && html`<p class="hint" role="status">${total} ${total === 1 ? "hook" : "hooks"}</p>`}
            ${isFiltered && total === 0 && emptyState("No hook is like that", html`<p><a href="/">Show all hooks</a></p>`)}
            ${shown.map((app) =>
              appSection(
                app,
                hooks.filter((hook) => hook.app === app.app),
                view,
              ),
            )}
            ${pages(view)}`
      }`,
  );
}

const filterForm = (apps: readonly App[], filter: HookFilter): Html =>
  html`<form class="filter" method="get" action="/" role="search" aria-label="Hooks">
    <label class="grow"
      >Search <input type="search" name="q" value="${filter.q}" placeholder="Name, event or address"
    /></label>
    <label
      >App
      <select name="app">
        <option value="">All</option>
        ${apps.map(({ app, title }) => option(app, title, filter.app))}
      </select>
    </label>
    <label
      >Type
      <select name="type">
        <option value="">All</option>
        ${(Object.keys(TYPE_IN_WORDS) as HookType[]).map((type) => option(type, TYPE_IN_WORDS[type], filter.type))}
      </select>
    </label>
    <button class="quiet">Filter</button>
  </form>`;

export const option = (value: string, label: string, chosen: string | undefined): Html =>
  html`<option value="${value}" ${value === chosen && html` selected`}>${label}</option>`;

const appSection = (app: App, hooks: readonly AdminHook[], { lastEvents, mayChange }: HooksView): Html =>
  html`<section class="app" aria-labelledby="app-${app.app}">
    <header>
      <h2 id="app-${app.app}">${app.title}</h2>
      <p class="hint"><code>${app.app}</code> ${app.version}</p>
      ${
        mayChange &&
        html`<div class="actions">
          <a
            class="quiet button"
            href="/apps/${encodeURIComponent(app.app)}/uninstall"
            aria-label="Uninstall ${app.title}"
            >Uninstall</a
          >
        </div>`
      }
    </header>
    <ul class="hooks">
      ${hooks.map((hook) => html`<li class="card">${hookCard(hook, lastEvents.get(hook.eventName))}</li>`)}
    </ul>
  </section>`;

const hookCard = (hook: AdminHook, lastEvent: string | undefined): Html => {
  return html`<h3><a href="${hookPath(hook.eventName)}">${hook.displayEventName}</a></h3>
    <p class="tags">
      <span class="tag">${TYPE_IN_WORDS[hook.type]}</span>
      ${stateTag(hook.state)}
      ${!reachesWorkflows(hook.eventName) && html`<span class="tag warn">does not reach workflows</span>`}
    </p>
    ${hook.description !== "" && html`<p>${hook.description}</p>`}
    <dl>
      <dt>Event</dt>
      <dd><code>${hook.eventName}</code></dd>
      ${reachedAt(hook, ` of ${hook.displayEventName}`)}
      ${hook.aliases.map(
        (alias) =>
          html`<dt>Also</dt>
            <dd>${copyable(alias, `Copy the address ${alias}`)}</dd>`,
      )}
      <dt>Last event</dt>
      <dd>${lastEvent === undefined ? "none is stored" : moment(lastEvent)}</dd>
    </dl>`;
};

/** The address or URL; for administrators, whoever knows it can send to it. */
export const reachedAt = ({ type, address, url }: AdminHook, of = ""): Html | null => {
  const reached = address ?? url;
  if (reached === undefined) return null;
  const kind = type === "email" ? "address" : "URL";
  return html`<dt>${kind === "URL" ? "URL" : "Address"}</dt>
    <dd>${copyable(reached, `Copy the ${kind}${of}`)}</dd>`;
};

const pages = ({ filter, pages: count }: HooksView): Html | null => {
  if (count <= 1) return null;
  const { q, app, type, page } = filter;
  const at = (number: number) => pathWith("/", { q, app, type, page: number });
  return html`<nav class="pager" aria-label="Pages">
    ${page > 1 && html`<a class="button quiet" rel="prev" href="${at(page - 1)}">Previous</a>`}
    <span>Page ${page} of ${count}</span>
    ${page < count && html`<a class="button quiet" rel="next" href="${at(page + 1)}">Next</a>`}
  </nav>`;
};

/** Where a hook's own page is. */
export const hookPath = (eventName: string): string => `/hooks/${encodeURIComponent(eventName)}`;
