import type { App, HookState } from "../../model/hook.ts";
import { reachesWorkflows } from "../../model/event-name.ts";
import type { Html } from "../html.ts";
import { html } from "../html.ts";
import type { AdminHook } from "../services.ts";
import type { Frame } from "./layout.ts";
import { layout } from "./layout.ts";

const TYPE_IN_WORDS = { email: "Email hook", form: "Form hook", web: "Web hook" } as const;
const STATE_IN_WORDS = {
  enabled: "Enabled",
  paused: "Paused: senders wait",
  disabled: "Disabled: refused",
} as const satisfies Record<HookState, string>;

/** Every installed app with its hooks. */
export function hooksPage(frame: Omit<Frame, "title">, apps: readonly App[], hooks: readonly AdminHook[]): Html {
  return layout(
    { ...frame, title: "Hooks" },
    html`<h1>Hooks</h1>
      ${
        apps.length === 0
          ? html`<section class="empty">
              <h2>No app is installed</h2>
              <p>An app definition says which hooks there are. Install one with the command line:</p>
              <pre><code>posthorn apps install FILE.json</code></pre>
            </section>`
          : apps.map((app) =>
              appSection(
                app,
                hooks.filter((hook) => hook.app === app.app),
              ),
            )
      }`,
  );
}

const appSection = (app: App, hooks: readonly AdminHook[]): Html =>
  html`<section class="app" aria-labelledby="app-${app.app}">
    <header>
      <h2 id="app-${app.app}">${app.title}</h2>
      <p class="hint"><code>${app.app}</code> ${app.version}</p>
    </header>
    <ul class="hooks">
      ${hooks.map((hook) => html`<li class="card">${hookCard(hook)}</li>`)}
    </ul>
  </section>`;

const hookCard = (hook: AdminHook): Html => {
  const target = hook.address ?? hook.url ?? "";
  return html`<h3>${hook.displayEventName}</h3>
    <p class="tags">
      <span class="tag">${TYPE_IN_WORDS[hook.type]}</span>
      <span class="tag state-${hook.state}">${STATE_IN_WORDS[hook.state]}</span>
      ${!reachesWorkflows(hook.eventName) && html`<span class="tag warn">does not reach workflows</span>`}
    </p>
    ${hook.description !== "" && html`<p>${hook.description}</p>`}
    <dl>
      <dt>Event</dt>
      <dd><code>${hook.eventName}</code></dd>
      <dt>${hook.address === undefined ? "URL" : "Address"}</dt>
      <dd>
        ${copyable(target, `Copy the ${hook.address === undefined ? "URL" : "address"} of ${hook.displayEventName}`)}
      </dd>
      ${hook.aliases.map(
        (alias) =>
          html`<dt>Also</dt>
            <dd>${copyable(alias, `Copy the address ${alias}`)}</dd>`,
      )}
    </dl>`;
};

/** Text that is often copied; the button appears when scripts run. */
export const copyable = (text: string, label: string): Html =>
  html`<span class="copyable"
    ><code data-copy-text>${text}</code
    ><button type="button" class="quiet copy" hidden aria-label="${label}">Copy</button></span
  >`;
