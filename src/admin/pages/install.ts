import type { App } from "../../model/hook.ts";
import type { Html } from "../html.ts";
import { html } from "../html.ts";
import type { AdminHook, DefinitionComplaint, HookChange, InstallPreview } from "../services.ts";
import type { Frame } from "./layout.ts";
import { layout } from "./layout.ts";
import { TYPE_IN_WORDS, actionButton } from "./parts.ts";

const SKELETON = `{
  "app": "myapp",
  "version": "0.0.1",
  "title": "My App",
  "hooks": [
    {
      "eventName": "kustomer.app.myapp.order",
      "displayEventName": "Order",
      "description": "A shop's order mails",
      "type": "email"
    }
  ]
}`;

/** Where a definition is pasted, uploaded or dropped; what is wrong in it stands beside its line. */
export function installPage(
  frame: Omit<Frame, "title">,
  text = "",
  problems: readonly DefinitionComplaint[] = [],
): Html {
  return layout(
    { ...frame, title: "Install an app" },
    html`<p class="crumbs"><a href="/">Hooks</a></p>
      <h1>Install an app</h1>
      ${problems.length > 0 && complaints(text, problems)}
      <form
        method="post"
        action="/apps/install"
        enctype="multipart/form-data"
        class="stack drop"
        data-drop="definition"
      >
        <label for="definition">App definition (JSON)</label>
        <p class="hint" id="definition-hint">
          Paste it, drop a file here, or choose one below. You see what changes before anything is installed.
        </p>
        <textarea
          id="definition"
          name="definition"
          rows="16"
          class="mono"
          spellcheck="false"
          placeholder="${SKELETON}"
          aria-describedby="definition-hint"
          ${problems.length > 0 && html`aria-invalid="true" aria-errormessage="complaints"`}
        >
${text}</textarea>
        <label for="file">…or a file</label>
        <input id="file" type="file" name="file" accept=".json,application/json" />
        <button>Check it</button>
      </form>`,
  );
}

const complaints = (text: string, problems: readonly DefinitionComplaint[]): Html => {
  const lines = text.split(/\r?\n/);
  const isWrong = new Set(problems.map(({ line }) => line));
  // The lines around each problem; a definition has thousands at most, a person reads tens.
  const near = lines.map((_, index) => [-2, -1, 0, 1].some((away) => isWrong.has(index + 1 - away)));
  return html`<section class="card bad" role="alert" id="complaints" aria-labelledby="wrong">
    <h2 id="wrong">
      ${problems.length === 1 ? "One thing is" : `${problems.length} things are`} wrong; nothing was installed
    </h2>
    <ol class="source">
      ${lines.map((line, index) => {
        const here = problems.filter((problem) => problem.line === index + 1);
        if (near[index] !== true) return null;
        return html`<li value="${index + 1}" ${here.length > 0 && html` class="wrong"`}>
          <code>${line === "" ? " " : line}</code>
          ${here.map(
            ({ pointer, message }) =>
              html`<p class="problem"><code>${pointer === "" ? "the definition" : pointer}</code> ${message}</p>`,
          )}
        </li>`;
      })}
    </ol>
  </section>`;
};

const CHANGE_IN_WORDS = { added: "new", removed: "goes away", changed: "changes", same: "stays" } as const;
const CHANGE_STYLE = { added: "good", removed: "bad", changed: "warn", same: "" } as const;

/** What an installation would do, before it does it. */
export function previewPage(
  frame: Omit<Frame, "title">,
  text: string,
  preview: InstallPreview & { kind: "ready" },
): Html {
  const { app, title, version, installed, changes, warnings } = preview;
  const verb = installed === null ? "Install" : "Upgrade";
  const removes = changes.some(({ change }) => change === "removed");
  return layout(
    { ...frame, title: `${verb} ${title}` },
    html`<p class="crumbs"><a href="/">Hooks</a> / <a href="/apps/install">Install an app</a></p>
      <h1>${verb} ${title}?</h1>
      <p>
        <code>${app}</code>
        ${installed === null ? `version ${version}, not installed yet` : `from version ${installed} to ${version}; addresses and URLs are kept`}.
      </p>
      ${
        warnings.length > 0 &&
        html`<ul class="notice warn">
          ${warnings.map((warning) => html`<li>${warning}</li>`)}
        </ul>`
      }
      <div class="scroll">
        <table>
          <caption class="visually-hidden">
            Hooks that change
          </caption>
          <thead>
            <tr>
              <th scope="col">Hook</th>
              <th scope="col">Type</th>
              <th scope="col">What happens</th>
            </tr>
          </thead>
          <tbody>
            ${changes.map(changeRow)}
          </tbody>
        </table>
      </div>
      <div class="actions">
        ${actionButton("/apps/install/confirm", verb, { fields: { definition: text }, style: removes ? "danger" : "" })}
        <a class="button quiet" href="/apps/install">Not now</a>
      </div>`,
  );
}

const changeRow = ({ eventName, displayEventName, type, change, details }: HookChange): Html =>
  html`<tr>
    <th scope="row">${displayEventName}<br /><code>${eventName}</code></th>
    <td>${TYPE_IN_WORDS[type]}</td>
    <td>
      <span class="tag ${CHANGE_STYLE[change]}">${CHANGE_IN_WORDS[change]}</span>
      ${
        details.length > 0 &&
        html`<ul class="words">
          ${details.map((detail) => html`<li>${detail}</li>`)}
        </ul>`
      }
    </td>
  </tr>`;

/** Asks before an app goes away with its hooks. */
export function uninstallPage(frame: Omit<Frame, "title">, app: App, hooks: readonly AdminHook[]): Html {
  return layout(
    { ...frame, title: `Uninstall ${app.title}` },
    html`<section class="card narrow wide">
      <h1>Uninstall ${app.title}?</h1>
      ${
        hooks.length === 0
          ? html`<p>It has no hooks.</p>`
          : html`<p>
                ${hooks.length === 1 ? "Its address or URL stops" : `Its ${hooks.length} addresses and URLs stop`}
                working at once and for good: installing the app again makes new ones. Stored events stay.
              </p>
              <ul>
                ${hooks.map(({ displayEventName, address, url }) => html`<li>${displayEventName}: <code>${address ?? url}</code></li>`)}
              </ul>`
      }
      <div class="actions">
        ${actionButton(`/apps/${encodeURIComponent(app.app)}/uninstall`, "Uninstall", { style: "danger", describes: app.title })}
        <a class="button quiet" href="/">Keep it</a>
      </div>
    </section>`,
  );
}

/** A hook without an app definition, in three fields. */
export function newHookPage(
  frame: Omit<Frame, "title">,
  given: { readonly type?: string; readonly name?: string; readonly eventName?: string } = {},
  problem?: string,
): Html {
  return layout(
    { ...frame, title: "Make a hook" },
    html`<p class="crumbs"><a href="/">Hooks</a></p>
      <h1>Make a single hook</h1>
      <form method="post" action="/hooks/new" class="stack card form">
        ${problem !== undefined && html`<p class="problem" role="alert" id="problem">${problem}</p>`}
        <fieldset>
          <legend>What it takes</legend>
          ${(["email", "form", "web"] as const).map(
            (type) =>
              html`<label class="choice"
                ><input
                  type="radio"
                  name="type"
                  value="${type}"
                  required${type === (given.type ?? "email") && html` checked`}
                />
                ${{ email: "Mail", form: "Posts of a web form, by anybody", web: "Webhook calls with an API key" }[type]}</label
              >`,
          )}
        </fieldset>
        <label for="name">Name</label>
        <input id="name" name="name" required maxlength="200" value="${given.name}" />
        <label for="event">Event name <span class="hint">(may be left empty)</span></label>
        <input
          id="event"
          name="eventName"
          class="mono"
          value="${given.eventName}"
          placeholder="kustomer.app.adhoc.…"
          aria-describedby="event-hint${problem !== undefined && " problem"}"
        />
        <p class="hint" id="event-hint">
          Without one it is made of the name. Workflows receive events whose name begins kustomer.app.
        </p>
        <button>Make the hook</button>
      </form>`,
  );
}
