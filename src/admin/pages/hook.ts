import { reachesWorkflows } from "../../model/event-name.ts";
import type { HookState } from "../../model/hook.ts";
import type { Example } from "../examples.ts";
import type { Html } from "../html.ts";
import { html } from "../html.ts";
import { optionsInWords } from "../options-in-words.ts";
import type { AdminHook } from "../services.ts";
import { hookPath, reachedAt } from "./hooks.ts";
import type { Frame } from "./layout.ts";
import { layout } from "./layout.ts";
import {
  TYPE_IN_WORDS,
  actionButton,
  copyable,
  copyableBlock,
  moment,
  pathWith,
  sparkline,
  stateTag,
} from "./parts.ts";

export interface HookView {
  readonly hook: AdminHook;
  readonly examples: readonly Example[];
  readonly lastEvent: string | undefined;
  readonly hourlyCounts: readonly number[];
  /** The person may change things. */
  readonly mayChange: boolean;
}

/** One hook: what it is, what it does, how to reach it, and what can be done with it. */
export function hookPage(frame: Omit<Frame, "title">, view: HookView): Html {
  const { hook, examples, mayChange } = view;
  return layout(
    { ...frame, title: hook.displayEventName },
    html`<p class="crumbs"><a href="/">Hooks</a></p>
      <h1>${hook.displayEventName}</h1>
      <p class="tags">
        <span class="tag">${TYPE_IN_WORDS[hook.type]}</span> ${stateTag(hook.state)}
        ${
          reachesWorkflows(hook.eventName)
            ? html`<span class="tag good">workflows receive it</span>`
            : html`<span class="tag warn">does not reach workflows: its name does not begin kustomer.app.</span>`
        }
      </p>
      ${hook.description !== "" && html`<p>${hook.description}</p>`}
      <section class="card" aria-label="The hook">${facts(hook)}</section>
      ${activity(view)} ${mayChange && actions(hook)}
      <section aria-labelledby="does">
        <h2 id="does">What it does</h2>
        <ul class="words">
          ${optionsInWords(hook.type, hook.options).map((sentence) => html`<li>${sentence}</li>`)}
        </ul>
      </section>
      ${examples.length > 0 && readyToPaste(hook, examples)}`,
  );
}

const readyToPaste = (hook: AdminHook, examples: readonly Example[]): Html =>
  html`<section aria-labelledby="use">
    <h2 id="use">Ready to paste</h2>
    ${examples.map(
      ({ title, text, fileName }) =>
        html`<h3>
            ${title}
            ${
              fileName !== undefined &&
              html` <a class="small" href="${hookPath(hook.eventName)}/${fileName}" download="${fileName}"
                >Download ${fileName}</a
              >`
            }
          </h3>
          ${copyableBlock(text, title)}`,
    )}
  </section>`;

const facts = (hook: AdminHook): Html =>
  html`<dl>
    <dt>Event</dt>
    <dd>${copyable(hook.eventName, "Copy the event name")}</dd>
    <dt>App</dt>
    <dd><a href="${pathWith("/", { app: hook.app })}">${hook.app}</a></dd>
    ${reachedAt(hook)}
    ${hook.aliases.map(
      (alias) =>
        html`<dt>Also</dt>
          <dd>${copyable(alias, `Copy the address ${alias}`)}</dd>`,
    )}
  </dl>`;

const activity = ({ hook, lastEvent, hourlyCounts }: HookView): Html => {
  const total = hourlyCounts.reduce((sum, count) => sum + count, 0);
  const words = `${total} ${total === 1 ? "event" : "events"} in the last 24 hours`;
  return html`<section class="card activity" aria-label="Activity">
    ${sparkline(hourlyCounts, `${words}, hour by hour`)}
    <p>
      ${words}. Last: ${lastEvent === undefined ? "none is stored" : moment(lastEvent)}.
      <a href="${pathWith("/events", { hook: hook.eventName })}">See its events</a>
    </p>
  </section>`;
};

const STATES: readonly (readonly [state: HookState, verb: string])[] = [
  ["enabled", "Enable"],
  ["paused", "Pause"],
  ["disabled", "Disable"],
];

const actions = (hook: AdminHook): Html =>
  html`<section aria-labelledby="do">
    <h2 id="do">Manage</h2>
    <div class="actions">
      ${STATES.filter(([state]) => state !== hook.state).map(([state, verb]) =>
        actionButton(`${hookPath(hook.eventName)}/state`, verb, { fields: { state } }),
      )}
      <a class="button quiet" href="${hookPath(hook.eventName)}/rotate">Rotate…</a>
    </div>
    ${hook.type === "email" && aliases(hook)}
    <p class="hint">
      Paused: relays hear 450 and callers 503, and try again later. Disabled: they hear 550 and 410, and give up.
    </p>
  </section>`;

const aliases = (hook: AdminHook): Html =>
  html`<form method="post" action="${hookPath(hook.eventName)}/aliases" class="filter">
      <label class="grow"
        >A second address
        <input name="address" type="email" required placeholder="orders@${hook.address?.split("@")[1]}" />
      </label>
      <button class="quiet" name="do" value="add">Add</button>
    </form>
    ${hook.aliases.map((alias) =>
      actionButton(`${hookPath(hook.eventName)}/aliases`, `Take ${alias} away`, {
        fields: { do: "remove", address: alias },
      }),
    )}`;

/** Asks before an address or URL stops working for good. */
export function rotatePage(frame: Omit<Frame, "title">, hook: AdminHook): Html {
  const kind = hook.address === undefined ? "URL" : "address";
  return layout(
    { ...frame, title: `Rotate ${hook.displayEventName}` },
    html`<section class="card narrow">
      <h1>Give ${hook.displayEventName} a new ${kind}?</h1>
      <p>
        The old ${kind} stops working at once, for everybody: <code>${hook.address ?? hook.url}</code>. Whoever sends to
        it needs the new one.
      </p>
      <div class="actions">
        ${actionButton(`${hookPath(hook.eventName)}/rotate`, `Make a new ${kind}`, { style: "danger" })}
        <a class="button quiet" href="${hookPath(hook.eventName)}">Keep the old one</a>
      </div>
    </section>`,
  );
}
