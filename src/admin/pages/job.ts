import type { Html } from "../html.ts";
import { html } from "../html.ts";
import type { Job } from "../jobs.ts";
import type { Frame } from "./layout.ts";
import { layout } from "./layout.ts";

/** How far bulk work is. Without scripts the page loads itself again while it runs; the route sends the header for that. */
export function jobPage(frame: Omit<Frame, "title">, job: Job, back: string): Html {
  const { title, total, done, outcomes, troubles, isEnded } = job;
  return layout(
    { ...frame, title },
    html`<h1>${title}</h1>
      <section class="card" aria-live="polite">
        <p>
          ${isEnded ? "Done: " : ""}${done}${total !== undefined && !isEnded && ` of ${total}`}
          <progress
            max="${total ?? Math.max(done, 1)}"
            value="${isEnded ? (total ?? Math.max(done, 1)) : done}"
            aria-label="${title}"
          ></progress>
        </p>
        <ul class="words">
          ${[...outcomes].map(([outcome, count]) => html`<li>${count} ${outcome}</li>`)}
        </ul>
        ${isEnded ? html`<p><a class="button" href="${back}">Go on</a></p>` : html`<p class="hint">You may leave this page; the work goes on.</p>`}
      </section>
      ${
        troubles.length > 0 &&
        html`<section aria-labelledby="troubles">
          <h2 id="troubles">What did not go as hoped</h2>
          <ul class="words">
            ${troubles.map(({ what, why }) => html`<li><code>${what}</code> ${why}</li>`)}
          </ul>
        </section>`
      }`,
  );
}
