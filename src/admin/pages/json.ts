import type { Html } from "../html.ts";
import { html } from "../html.ts";
import type { JsonTree } from "../json-tree.ts";

/** Levels that are open at first, and levels that are shown at all: browsers give up at about 500 nested elements. */
const OPEN_LEVELS = 3;
const SHOWN_LEVELS = 60;
/** Members of one level that are shown; the raw text has the rest. */
const SHOWN_MEMBERS = 500;

/** JSON as a tree that opens and closes without scripts; every number as it was sent. */
export function jsonView(tree: JsonTree, level = 0): Html {
  if (tree.kind === "scalar") return scalar(tree.text);
  const entries: readonly { readonly name: string; readonly value: JsonTree }[] =
    tree.kind === "array"
      ? tree.items.map((value, index) => ({ name: String(index), value }))
      : tree.members.map(({ key, value }) => ({ name: key, value }));
  const [open, close] = tree.kind === "array" ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) return html`<span class="j-mark">${open}${close}</span>`;
  if (level >= SHOWN_LEVELS)
    return html`<span class="j-mark">${open} … deeper levels are in the raw text ${close}</span>`;
  const words = `${entries.length} ${tree.kind === "array" ? "item" : "member"}${entries.length === 1 ? "" : "s"}`;
  return html`<details class="json" ${level < OPEN_LEVELS && html` open`}>
    <summary><span class="j-mark">${open}</span> <span class="hint">${words}</span></summary>
    <ul>
      ${entries
        .slice(0, SHOWN_MEMBERS)
        .map(
          ({ name, value }) =>
            html`<li>
              <span class="${tree.kind === "array" ? "j-index" : "j-key"}">${name}</span>: ${jsonView(value, level + 1)}
            </li>`,
        )}
      ${entries.length > SHOWN_MEMBERS && html`<li class="hint">${entries.length - SHOWN_MEMBERS} more are in the raw text</li>`}
    </ul>
    <span class="j-mark">${close}</span>
  </details>`;
}

const scalar = (text: string): Html =>
  html`<span class="${text.startsWith('"') ? "j-string" : "j-literal"}">${text}</span>`;
