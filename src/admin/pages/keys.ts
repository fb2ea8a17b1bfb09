import type { App } from "../../model/hook.ts";
import type { Html } from "../html.ts";
import { html } from "../html.ts";
import type { AdminHook, AdminKey } from "../services.ts";
import { option } from "./hooks.ts";
import type { Frame } from "./layout.ts";
import { layout } from "./layout.ts";
import { copyableBlock, emptyState, moment } from "./parts.ts";

export interface KeysView {
  readonly keys: readonly AdminKey[];
  readonly apps: readonly App[];
  readonly webHooks: readonly AdminHook[];
  readonly mayChange: boolean;
  readonly now: number;
  /** Just made: shown now and never again. */
  readonly made?: { readonly keyId: string; readonly key: string };
  readonly problem?: string;
}

/** API keys of web hooks. */
export function keysPage(frame: Omit<Frame, "title">, view: KeysView): Html {
  const { keys, apps, made, mayChange } = view;
  return layout(
    { ...frame, title: "Keys" },
    html`<h1>Keys</h1>
      <p class="hint">
        Callers of web hooks show one, as <code>Authorization: Bearer</code>, <code>X-API-Key</code> or Basic password.
      </p>
      ${
        made !== undefined &&
        html`<section class="card attention" role="status" aria-labelledby="made">
          <h2 id="made">Keep this key now</h2>
          <p>It is not shown again: only its SHA-256 is stored.</p>
          ${copyableBlock(made.key, "The new key")}
        </section>`
      }
      ${
        keys.length === 0
          ? emptyState(
              "No key yet",
              html`<p>
                ${apps.length === 0 ? "Install an app first; keys belong to one." : "Make one below and give it to the caller."}
              </p>`,
            )
          : table(view)
      }
      ${mayChange && apps.length > 0 && form(view)}`,
  );
}

const table = ({ keys, mayChange, now }: KeysView): Html =>
  html`<div class="scroll">
    <table class="list">
      <caption class="visually-hidden">
        API keys
      </caption>
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">App</th>
          <th scope="col">Opens</th>
          <th scope="col">Made</th>
          <th scope="col">Expires</th>
          <th scope="col">Last used</th>
          ${mayChange && html`<th scope="col"><span class="visually-hidden">Actions</span></th>`}
        </tr>
      </thead>
      <tbody>
        ${keys.map(({ keyId, app, eventNames, createdAt, expires, lastUsed }) => {
          const isExpired = expires !== null && Date.parse(expires) <= now;
          return html`<tr>
            <th scope="row"><code>phk_${keyId}_…</code></th>
            <td data-label="App">${app}</td>
            <td data-label="Opens">
              ${eventNames === null ? "every hook of the app" : eventNames.map((name) => html`<code>${name}</code> `)}
            </td>
            <td data-label="Made">${moment(createdAt)}</td>
            <td data-label="Expires">
              ${expires === null ? "never" : moment(expires)} ${isExpired && html`<span class="tag bad">expired</span>`}
            </td>
            <td data-label="Last used">${lastUsed === null ? "never" : moment(lastUsed)}</td>
            ${mayChange && html`<td><a class="button quiet" href="/keys/${keyId}/revoke" aria-label="Revoke ${keyId}">Revoke…</a></td>`}
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;

const form = ({ apps, webHooks, problem }: KeysView): Html =>
  html`<section aria-labelledby="new-key">
    <h2 id="new-key">Make a key</h2>
    <form method="post" action="/keys" class="stack card form">
      ${problem !== undefined && html`<p class="problem" role="alert">${problem}</p>`}
      <label for="key-app">App</label>
      <select id="key-app" name="app">
        ${apps.map(({ app, title }) => option(app, `${title} (${app})`, undefined))}
      </select>
      <label for="key-hook">Only for one hook <span class="hint">(may be left empty)</span></label>
      <input id="key-hook" name="eventName" list="web-hooks" class="mono" />
      <datalist id="web-hooks">
        ${webHooks.map(({ eventName, displayEventName }) => html`<option value="${eventName}">${displayEventName}</option>`)}
      </datalist>
      <label for="key-days">Expires after days <span class="hint">(empty: never)</span></label>
      <input id="key-days" name="days" type="number" min="1" max="3650" value="90" />
      <button>Make the key</button>
    </form>
  </section>`;

/** Asks before a key stops opening anything. */
export const revokePage = (frame: Omit<Frame, "title">, { keyId, app }: AdminKey): Html =>
  layout(
    { ...frame, title: "Revoke a key" },
    html`<section class="card narrow">
      <h1>Revoke this key?</h1>
      <p>
        <code>phk_${keyId}_…</code> of the app ${app} opens nothing any more, everywhere within a second. Callers hear
        401.
      </p>
      <form method="post" action="/keys/${keyId}/revoke" class="actions">
        <button class="danger">Revoke</button>
        <a class="button quiet" href="/keys">Keep it</a>
      </form>
    </section>`,
  );
