import type { Html } from "../html.ts";
import { html } from "../html.ts";
import { parseJsonTree } from "../json-tree.ts";
import type { AdminHook, FoundItem, MailReport, SendAnswer, TakeOptions } from "../services.ts";
import { hookPath, option } from "./hooks.ts";
import { jsonView } from "./json.ts";
import type { Frame } from "./layout.ts";
import { layout } from "./layout.ts";
import { pathWith } from "./parts.ts";

export interface BenchView {
  /** What is looked at: as text where it is text, else as base64, which carries any bytes through the form. */
  readonly input: { readonly text: string } | { readonly base64: string } | { readonly tooLarge: true } | undefined;
  readonly options: TakeOptions;
  readonly hooks: readonly AdminHook[];
  readonly kind?: string;
  readonly report?: MailReport;
  readonly sent?: { readonly eventName: string; readonly answer: SendAnswer };
  readonly maySend: boolean;
}

/** Paste or drop a mail, page or JSON, and see what Posthorn would make of it. */
export function benchPage(frame: Omit<Frame, "title">, view: BenchView): Html {
  const { report, sent } = view;
  return layout(
    { ...frame, title: "Test bench" },
    html`<h1>Test bench</h1>
      ${sent !== undefined && sentNotice(sent)} ${report !== undefined && result(view, report)} ${form(view)}`,
  );
}

const form = ({ input, options, hooks, maySend, report }: BenchView): Html =>
  html`<form method="post" action="/bench" enctype="multipart/form-data" class="stack drop" data-drop="input">
    <label for="input">A mail with its headers, a page's HTML, or JSON</label>
    ${
      input !== undefined && "base64" in input
        ? html`<p class="hint">These bytes are no plain text; they are kept as they came.</p>
            <input type="hidden" name="base64" value="${input.base64}" />`
        : html`<textarea
            id="input"
            name="input"
            rows="12"
            class="mono"
            spellcheck="false"
            aria-describedby="input-hint"
          >
${input !== undefined && "text" in input ? input.text : ""}</textarea>`
    }
    <p class="hint" id="input-hint">
      Paste it, drop a file here, or choose one. Nothing is stored or published unless you send it.
      ${input !== undefined && "tooLarge" in input && html` <strong>It was too large to keep here: choose it again to try other options.</strong>`}
    </p>
    <label for="file">…or a file (.eml, .html, .json)</label>
    <input id="file" type="file" name="file" />
    <details class="more" ${Object.values(options).some(Boolean) && html` open`}>
      <summary>As which hook, with which options</summary>
      <div class="filter">
        <label class="grow"
          >Options of the hook <input name="eventName" list="bench-hooks" value="${options.eventName}" class="mono"
        /></label>
        <datalist id="bench-hooks">
          ${hooks.map(({ eventName, displayEventName }) => html`<option value="${eventName}">${displayEventName}</option>`)}
        </datalist>
        <label>Select by type <input name="selectType" value="${options.selectType}" placeholder="Order" /></label>
        <label
          >Select by file name <input name="selectFilename" value="${options.selectFilename}" placeholder="*.json"
        /></label>
        <label
          >JSON-LD form
          <select name="jsonld">
            ${["", "as-sent", "compact", "expand", "flatten"].map((name) => option(name, name === "" ? "the hook's" : name, options.jsonld ?? ""))}
          </select>
        </label>
      </div>
    </details>
    <div class="actions">
      <button name="do" value="look">Look</button>
      ${maySend && report?.kind === "read" && html`<button class="quiet" name="do" value="send">Send it for real to the hook named above</button>`}
    </div>
  </form>`;

const result = (view: BenchView, report: MailReport): Html =>
  report.kind === "unread"
    ? html`<section class="card bad" role="alert">
        <h2>It was not read</h2>
        <p>${report.why}.</p>
      </section>`
    : html`<section aria-labelledby="outcome">
          <h2 id="outcome">${report.payload === null ? "It would be a dead letter" : "This would be published"}</h2>
          <p class="hint">
            Read as
            ${view.kind === "mail" ? "a mail" : `a bare ${view.kind ?? "text"}`}${report.subject !== null && html`, “${report.subject}” from ${report.from ?? "nobody"}`}.
          </p>
          ${
            report.deadLetter !== null
              ? html`<div class="card attention">
                  <h3>${report.deadLetter.title} <span class="tag warn">${report.deadLetter.code}</span></h3>
                  <p>${report.deadLetter.detail}</p>
                </div>`
              : html`<div class="card">${tree(report.payload ?? "")}</div>`
          }
        </section>
        ${report.items.length > 0 && found(report.items)} ${changes(view, report)} ${notes(report)}`;

const tree = (json: string): Html => {
  const parsed = parseJsonTree(json);
  return parsed === undefined ? html`<pre>${json}</pre>` : jsonView(parsed);
};

const found = (items: readonly FoundItem[]): Html =>
  html`<section aria-labelledby="found">
    <h2 id="found">${items.length === 1 ? "One item" : `${items.length} items`} found</h2>
    ${items.map(
      ({ format, types, place, repaired, json, isPayload }) =>
        html`<details class="more">
          <summary>
            ${format} ${types.map((type) => type.replace("https://schema.org/", "")).join(", ")}
            <span class="hint">${place}</span>
            ${isPayload && html`<span class="tag good">the payload</span>`}
            ${repaired.map((repair) => html`<span class="tag warn">mended: ${repair}</span>`)}
          </summary>
          ${tree(json)}
        </details>`,
    )}
  </section>`;

/** Which options would make another payload of it. */
const changes = ({ options }: BenchView, report: MailReport & { kind: "read" }): Html | null => {
  const others = report.items.filter(({ isPayload }) => !isPayload);
  const types = [...new Set(others.flatMap((item) => item.types))].map((type) =>
    type.replace("https://schema.org/", ""),
  );
  const hints = [
    ...types.map((type) => html`<code>"select": { "type": "${type}" }</code> takes an item of the type ${type}.`),
    ...(others.some(({ format }) => format === "json")
      ? [html`<code>"select": { "format": "json" }</code> takes the first plain JSON.`]
      : []),
    ...(report.items.some(({ format, isPayload }) => isPayload && format !== "json") && !options.jsonld
      ? [
          html`<code>"jsonld": "expand"</code>, <code>"compact"</code> or <code>"flatten"</code> bring the payload into
            another form.`,
        ]
      : []),
    ...(report.items.length === 0 && report.deadLetter?.code === "nothing-extracted"
      ? [html`<code>"empty": "publish"</code> makes an event of such mails too, with a payload of null.`]
      : []),
  ];
  return hints.length === 0
    ? null
    : html`<section aria-labelledby="changes">
        <h2 id="changes">Options that would change it</h2>
        <ul class="words">
          ${hints.map((hint) => html`<li>${hint}</li>`)}
        </ul>
      </section>`;
};

const notes = ({ notes: looked, skipped }: MailReport & { kind: "read" }): Html | null =>
  looked.length + skipped.length === 0
    ? null
    : html`<section aria-labelledby="notes">
        <h2 id="notes">What was looked at</h2>
        <ul class="words">
          ${looked.map((note) => html`<li>${note}</li>`)}
          ${skipped.map(({ place, reason }) => html`<li><span class="tag bad">skipped</span> ${place}: ${reason}</li>`)}
        </ul>
      </section>`;

const sentNotice = ({ eventName, answer: { kind, detail } }: NonNullable<BenchView["sent"]>): Html =>
  kind === "stored"
    ? html`<p class="notice" role="status">
        Sent: it is the event <a href="${pathWith("/events", { hook: eventName, q: detail })}">${detail}</a> of
        <a href="${hookPath(eventName)}">${eventName}</a>.
      </p>`
    : kind === "deadLettered"
      ? html`<p class="notice warn" role="status">
          Sent: it became a <a href="/dead-letters">dead letter</a>, ${detail}.
        </p>`
      : html`<p class="notice bad" role="alert">
          Not taken: ${kind === "refused" ? "refused" : "try later"}, ${detail}.
        </p>`;
