import type { HookState, HookType } from "../../model/hook.ts";
import type { Html, HtmlValue } from "../html.ts";
import { html } from "../html.ts";

export const TYPE_IN_WORDS = { email: "Email hook", form: "Form hook", web: "Web hook" } as const satisfies Record<
  HookType,
  string
>;

const STATE_IN_WORDS = {
  enabled: "Enabled",
  paused: "Paused: senders wait",
  disabled: "Disabled: refused",
} as const satisfies Record<HookState, string>;

export const stateTag = (state: HookState): Html =>
  html`<span class="tag state-${state}">${STATE_IN_WORDS[state]}</span>`;

/** Text that is often copied; the button appears when scripts run. */
export const copyable = (text: string, label: string): Html =>
  html`<span class="copyable"
    ><code data-copy-text>${text}</code
    ><button type="button" class="quiet copy" hidden aria-label="${label}">Copy</button></span
  >`;

/** Several lines to copy. */
export const copyableBlock = (text: string, label: string): Html =>
  html`<div class="copyable block">
    <pre tabindex="0" role="region" aria-label="${label}"><code data-copy-text>${text}</code></pre>
    <button type="button" class="quiet copy" hidden aria-label="Copy: ${label}">Copy</button>
  </div>`;

/** A moment; scripts show it in the reader's own zone and as an age, the exact one stays on hover. */
export const moment = (rfc3339: string): Html =>
  html`<time datetime="${rfc3339}" title="${rfc3339}"
    >${rfc3339.replace("T", " ").replace(/\.\d+Z$|Z$/, " UTC")}</time
  >`;

/** A place that says what to do next. */
export const emptyState = (title: string, content: HtmlValue): Html =>
  html`<section class="empty">
    <h2>${title}</h2>
    ${content}
  </section>`;

/** A form with one button, for doing something. */
export const actionButton = (
  action: string,
  label: string,
  options: {
    readonly fields?: Readonly<Record<string, string>>;
    readonly style?: string;
    readonly describes?: string;
  } = {},
): Html =>
  html`<form method="post" action="${action}" class="inline">
    ${Object.entries(options.fields ?? {}).map(
      ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
    )}
    <button
      class="${options.style ?? "quiet"}"
      ${options.describes !== undefined && html` aria-label="${label}: ${options.describes}"`}
    >
      ${label}
    </button>
  </form>`;

/** Bars for counts, oldest first; said in words for those who do not see them. */
export function sparkline(counts: readonly number[], label: string): Html {
  const most = Math.max(1, ...counts);
  const width = 6;
  const height = 36;
  return html`<svg
    class="sparkline"
    role="img"
    aria-label="${label}"
    viewBox="0 0 ${counts.length * width} ${height}"
    width="${counts.length * width}"
    height="${height}"
  >
    ${counts.map((count, index) => {
      const tall = count === 0 ? 1 : Math.max(2, Math.round((count / most) * height));
      return html`<rect
        x="${index * width}"
        y="${height - tall}"
        width="${width - 1.5}"
        height="${tall}"
        ${count === 0 && html` class="none"`}
        ><title>${count}</title></rect
      >`;
    })}
  </svg>`;
}

/** Links to the newest and to older entries of a list. */
export const pager = (older: string | null, newest: string | null): Html | null =>
  older === null && newest === null
    ? null
    : html`<nav class="pager" aria-label="Pages">
        ${newest !== null && html`<a class="button quiet" href="${newest}">Newest</a>`}
        ${older !== null && html`<a class="button quiet" href="${older}" rel="next">Older</a>`}
      </nav>`;

/** A path with a query of those that are set. */
export function pathWith(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== "") given.set(name, String(value));
  return given.size === 0 ? path : `${path}?${given.toString()}`;
}
