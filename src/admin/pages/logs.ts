import { textAt } from "../event-view.ts";
import type { Html } from "../html.ts";
import { html } from "../html.ts";
import type { JsonTree } from "../json-tree.ts";
import { memberOf, parseJsonTree } from "../json-tree.ts";
import type { Entry, EntryPage } from "../services.ts";
import type { Frame } from "./layout.ts";
import { layout } from "./layout.ts";
import { emptyState, moment, pager, pathWith } from "./parts.ts";

export interface LogView extends EntryPage {
  readonly q: string | undefined;
  readonly before: number | undefined;
}

/** Calls and mails that were refused: the first place to look when a sender says "I sent it". */
export const refusedPage = (frame: Omit<Frame, "title">, view: LogView): Html =>
  logPage(frame, view, {
    path: "/refused",
    title: "Refused",
    hint: "Every 4xx and 5xx that a sender heard in the last 24 hours, newest first. The sender still has what it sent, or knows that it failed.",
    empty: html`<p>
      Nobody was refused in the last 24 hours. If a sender says “I sent it”, it did not reach this machine.
    </p>`,
    search: "Address, hook, answer, reason",
    columns: ["Time", "Door", "From", "Hook", "Answer", "Reason"],
    cells: (letter) => {
      const count = memberOf(letter, "count");
      return [
        textAt(letter, "door"),
        [textAt(letter, "remoteAddress"), textAt(letter, "sender")].filter(Boolean).join(" "),
        textAt(letter, "hook") ?? textAt(letter, "recipient"),
        html`<code>${textAt(letter, "answer")}</code>`,
        count === undefined
          ? textAt(letter, "reason")
          : `${scalarOf(count)} more in this minute: ${answersOf(memberOf(letter, "answers"))}`,
      ];
    },
  });

/** Who changed what, and when. */
export const auditPage = (frame: Omit<Frame, "title">, view: LogView): Html =>
  logPage(frame, view, {
    path: "/audit",
    title: "Audit log",
    hint: "Who changed what and when, by this page, the API or the command line; kept for 400 days.",
    empty: html`<p>
      Nothing was changed yet. Whatever is installed, rotated, paused, replayed or revoked stands here.
    </p>`,
    search: "Who, what, to what",
    columns: ["Time", "Who", "By", "What", "To what", "More"],
    cells: (letter) => [
      textAt(letter, "actor"),
      textAt(letter, "via"),
      html`<code>${textAt(letter, "action")}</code>`,
      html`<code>${textAt(letter, "target")}</code>`,
      textAt(letter, "detail"),
    ],
  });

interface LogShape {
  readonly path: string;
  readonly title: string;
  readonly hint: string;
  readonly empty: Html;
  readonly search: string;
  readonly columns: readonly string[];
  readonly cells: (letter: JsonTree | undefined) => readonly (Html | string | undefined)[];
}

function logPage(frame: Omit<Frame, "title">, view: LogView, shape: LogShape): Html {
  const { entries, next, q, before } = view;
  const { path, title, hint, empty, search, columns, cells } = shape;
  return layout(
    { ...frame, title },
    html`<h1>${title}</h1>
      <p class="hint">${hint}</p>
      <form class="filter" method="get" action="${path}" role="search" aria-label="${title}">
        <label class="grow">Text <input type="search" name="q" value="${q}" placeholder="${search}" /></label>
        <button class="quiet">Filter</button>
      </form>
      ${
        entries.length === 0
          ? q !== undefined
            ? emptyState("Nothing is like that", html`<p><a href="${path}">Show all</a></p>`)
            : emptyState("Nothing here", empty)
          : html`<div class="scroll">
              <table class="list">
                <caption class="visually-hidden">
                  ${title}, newest first
                </caption>
                <thead>
                  <tr>
                    ${columns.map((column) => html`<th scope="col">${column}</th>`)}
                  </tr>
                </thead>
                <tbody>
                  ${entries.map((entry) => row(entry, cells))}
                </tbody>
              </table>
            </div>`
      }
      ${pager(next === null ? null : pathWith(path, { q, before: next }), before === undefined ? null : pathWith(path, { q }))}`,
  );
}

const row = ({ storedAt, text }: Entry, cells: LogShape["cells"]): Html => {
  const letter = parseJsonTree(text);
  return html`<tr>
    <td class="nowrap">${moment(textAt(letter, "time") ?? storedAt)}</td>
    ${cells(letter).map((cell) => html`<td>${cell}</td>`)}
  </tr>`;
};

const scalarOf = (tree: JsonTree): string => (tree.kind === "scalar" ? tree.text : "");

const answersOf = (tree: JsonTree | undefined): string =>
  tree?.kind === "object" ? tree.members.map(({ key, value }) => `${key} ${scalarOf(value)} times`).join(", ") : "";
