import { textAt } from "../event-view.ts";
import type { Html, HtmlValue } from "../html.ts";
import { html } from "../html.ts";
import type { JsonTree } from "../json-tree.ts";
import { memberOf, stringOf } from "../json-tree.ts";
import { markedHtml } from "../marked-html.ts";
import type { Entry } from "../services.ts";
import { hookPath } from "./hooks.ts";
import { jsonView } from "./json.ts";
import type { Frame } from "./layout.ts";
import { layout } from "./layout.ts";
import { copyable, copyableBlock, moment } from "./parts.ts";

/** What is known of the mail itself: from the event, or from the raw mail where it was kept. */
export interface MailContent {
  readonly text: string | null;
  readonly html: string | null;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly truncated: boolean;
}

export interface EventView {
  readonly entry: Entry;
  /** The event; undefined when it is no JSON. */
  readonly event: JsonTree | undefined;
  /** `data`, from the Object Store where it is not inside; undefined when it expired. */
  readonly data: JsonTree | undefined;
  readonly content: MailContent | undefined;
  readonly hookName: string | undefined;
  readonly maySeeRaw: boolean;
}

/** One event, opened. */
export function eventPage(frame: Omit<Frame, "title">, view: EventView): Html {
  const { entry, event, data, content } = view;
  const mail = memberOf(data, "mail");
  const title = textAt(mail, "subject") ?? view.hookName ?? entry.subject;
  const payload = memberOf(data, "payload");
  return layout(
    { ...frame, title },
    html`<p class="crumbs"><a href="/events">Events</a></p>
      <h1>${title}</h1>
      <section class="card" aria-label="The event">${facts(view)}</section>
      <section aria-labelledby="payload">
        <h2 id="payload">Payload</h2>
        ${payload === undefined ? missingData(event) : html`<div class="card">${jsonView(payload)}</div>`}
      </section>
      ${itemsSection(memberOf(data, "items"))} ${skippedSection(memberOf(data, "skipped"))}
      ${content !== undefined && contentSection(`/events/${entry.sequence}/html`, content)}
      ${mail !== undefined && authentication(memberOf(mail, "authentication"))}
      ${attachments(entry.sequence, memberOf(mail, "attachments") ?? memberOf(data, "files"))}
      ${more("The whole event as a tree", event === undefined ? null : jsonView(event))}
      ${more("The raw event", copyableBlock(entry.text, "Raw event"))}`,
  );
}

const facts = ({ entry, event, data, hookName, maySeeRaw }: EventView): Html => {
  const mail = memberOf(data, "mail");
  const http = memberOf(data, "http");
  const envelope = memberOf(mail, "envelope");
  const id = textAt(event, "id") ?? "";
  const traceparent = textAt(event, "traceparent");
  const object = textAt(mail, "object");
  return html`<dl>
    <dt>Hook</dt>
    <dd>
      ${
        hookName === undefined
          ? html`<code>${entry.subject}</code> <span class="hint">no longer installed</span>`
          : html`<a href="${hookPath(entry.subject)}">${hookName}</a> <code>${entry.subject}</code>`
      }
    </dd>
    <dt>Received</dt>
    <dd>${moment(textAt(event, "time") ?? entry.storedAt)}, stored as number ${entry.sequence}</dd>
    <dt>Id</dt>
    <dd>${copyable(id, "Copy the event id")}</dd>
    ${
      traceparent !== undefined &&
      html`<dt>Trace</dt>
        <dd>${copyable(traceparent.split("-")[1] ?? traceparent, "Copy the trace id")}</dd>`
    }
    <dt>Answer given</dt>
    <dd><code>${mail === undefined ? `202, id ${id}` : `250 2.0.0 ${id}`}</code></dd>
    ${
      mail !== undefined &&
      html`<dt>From</dt>
        <dd>
          ${addressIn(memberOf(mail, "from"))}${envelope !== undefined && html` <span class="hint">by ${textAt(envelope, "remoteAddress")}, ${textAt(envelope, "protocol")}, envelope from ${textAt(envelope, "from") || "<>"}</span>`}
        </dd>`
    }
    ${
      http !== undefined &&
      html`<dt>Request</dt>
        <dd>
          ${textAt(http, "method")} from ${textAt(http, "remoteAddress")},
          ${textAt(http, "mediaType") ?? "no media type"}
        </dd>`
    }
    ${
      maySeeRaw &&
      object !== undefined &&
      html`<dt>Raw mail</dt>
        <dd><a href="/events/${entry.sequence}/raw" download>Download it</a></dd>`
    }
  </dl>`;
};

const addressIn = (tree: JsonTree | undefined): string => {
  const name = textAt(tree, "name");
  const address = textAt(tree, "address") ?? "nobody";
  return name ? `${name} <${address}>` : address;
};

const missingData = (event: JsonTree | undefined): Html => {
  const dataref = textAt(event, "dataref");
  return html`<p class="hint">
    ${
      dataref === undefined
        ? "The event has no payload."
        : html`It was stored apart, as <code>${dataref}</code>, and has expired.`
    }
  </p>`;
};

const itemsSection = (items: JsonTree | undefined): Html | null => {
  if (items?.kind !== "array" || items.items.length === 0) return null;
  return html`<section aria-labelledby="items">
    <h2 id="items">What was found</h2>
    ${items.items.map((item, index) => {
      const source = memberOf(item, "source");
      const repaired = memberOf(item, "repaired");
      const value = memberOf(item, "value");
      const types = memberOf(item, "types");
      return html`<div class="card item">
        <p class="tags">
          <span class="tag">${textAt(item, "format")}</span>
          ${listOf(types).map((type) => html`<span class="tag">${type.replace("https://schema.org/", "")}</span>`)}
          <span class="hint">${placeOf(source)}</span>
          ${listOf(repaired).map((repair) => html`<span class="tag warn">mended: ${repair}</span>`)}
        </p>
        ${value !== undefined && jsonView(value, index === 0 ? 1 : 2)}
      </div>`;
    })}
  </section>`;
};

const skippedSection = (skipped: JsonTree | undefined): Html | null =>
  skipped?.kind === "array" && skipped.items.length > 0
    ? html`<section aria-labelledby="skipped">
        <h2 id="skipped">What could not be read</h2>
        <ul class="words">
          ${skipped.items.map((item) => html`<li>${placeOf(memberOf(item, "source"))}: ${textAt(item, "reason")}</li>`)}
        </ul>
      </section>`
    : null;

/** The strings of an array. */
const listOf = (tree: JsonTree | undefined): string[] =>
  tree?.kind === "array" ? tree.items.map((item) => stringOf(item) ?? "") : [];

const placeOf = (source: JsonTree | undefined): string => {
  const filename = textAt(source, "filename");
  const element = textAt(source, "element");
  const file = filename === undefined ? "" : `, ${filename}`;
  return `part ${textAt(source, "part") ?? "?"} (${textAt(source, "mediaType") ?? "?"}${file})${element === undefined ? "" : ` ${element}`}`;
};

/** The mail as text, as safely framed HTML and as source, and its headers. */
export const contentSection = (
  htmlPath: string,
  { text, html: source, headers, truncated }: MailContent,
): Html | null =>
  text === null && source === null && headers.length === 0
    ? null
    : html`<section aria-labelledby="mail">
        <h2 id="mail">The mail</h2>
        ${truncated && html`<p class="hint">Only its first 64 KiB are kept in the event.</p>`}
        ${
          source !== null &&
          html`<details class="more">
              <summary>As HTML, with nothing loaded from elsewhere</summary>
              <iframe
                src="${htmlPath}"
                sandbox=""
                title="The mail as HTML"
                loading="lazy"
                referrerpolicy="no-referrer"
              ></iframe>
            </details>
            ${more("HTML source, data marked", html`<pre tabindex="0" class="source-text" role="region" aria-label="HTML source"><code>${markedHtml(source)}</code></pre>`)}`
        }
        ${text !== null && more("As text", html`<pre tabindex="0" role="region" aria-label="The mail as text">${text}</pre>`, source === null)}
        ${
          headers.length > 0 &&
          more(
            `${headers.length} header fields`,
            html`<dl class="headers">
              ${headers.map(
                ({ name, value }) =>
                  html`<dt>${name}</dt>
                    <dd>${value}</dd>`,
              )}
            </dl>`,
          )
        }
      </section>`;

const authentication = (verdicts: JsonTree | undefined): Html | null =>
  verdicts?.kind !== "object"
    ? null
    : html`<section aria-labelledby="auth">
        <h2 id="auth">Who sent it</h2>
        <p class="tags">
          ${["spf", "dkim", "dmarc", "arc"].map((method) => {
            const verdict = memberOf(verdicts, method);
            const result = textAt(verdict, "result") ?? "unchecked";
            const domain = textAt(verdict, "domain");
            const style = result === "pass" ? "good" : /fail/.test(result) ? "bad" : /error/.test(result) ? "warn" : "";
            return html`<span class="tag ${style}"
              >${method.toUpperCase()} ${result}${domain !== undefined && ` (${domain})`}</span
            >`;
          })}
        </p>
      </section>`;

const attachments = (sequence: number, list: JsonTree | undefined): Html | null =>
  list?.kind !== "array" || list.items.length === 0
    ? null
    : html`<section aria-labelledby="files">
        <h2 id="files">Files</h2>
        <ul>
          ${list.items.map((file, index) => {
            const name = textAt(file, "filename") ?? `file ${index + 1}`;
            const size = memberOf(file, "size");
            const isKept = textAt(file, "object") !== undefined || textAt(file, "content") !== undefined;
            return html`<li>
              ${isKept ? html`<a href="/events/${sequence}/files/${index}" download>${name}</a>` : name}
              <span class="hint"
                >${textAt(file, "mediaType")}, ${size?.kind === "scalar" && size.text}
                bytes${!isKept && ", not kept"}</span
              >
            </li>`;
          })}
        </ul>
      </section>`;

/** Something that is opened when wanted. */
export const more = (title: string, content: HtmlValue, isOpen = false): Html =>
  html`<details class="more" ${isOpen && html` open`}>
    <summary>${title}</summary>
    ${content}
  </details>`;
