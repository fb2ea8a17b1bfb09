import type { Html } from "../html.ts";
import { html } from "../html.ts";
import type { Frame } from "./layout.ts";
import { layout } from "./layout.ts";
import { emptyState } from "./parts.ts";

/** What is not there, or not any more. */
export const notFoundPage = (frame: Omit<Frame, "title">, sentence: string): Html =>
  layout(
    { ...frame, title: "Not found" },
    html`<h1>Not found</h1>
      ${emptyState(sentence, html`<p><a href="/">All hooks</a></p>`)}`,
  );

/** What could not be done, and what to do. */
export const failurePage = (frame: Omit<Frame, "title">, sentence: string, hint: string): Html =>
  layout(
    { ...frame, title: "Not done" },
    html`<h1>Not done</h1>
      <section class="card bad" role="alert">
        <h2>${sentence}</h2>
        <p>${hint}</p>
      </section>`,
  );
