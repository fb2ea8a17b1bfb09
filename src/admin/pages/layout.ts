import type { Html, HtmlValue } from "../html.ts";
import { html } from "../html.ts";
import type { Person, Role } from "../session.ts";

/** What every page has besides its own content. */
export interface Frame {
  readonly title: string;
  readonly person: Person | null;
  /** The path of the entry in the menu that is shown as the current one. */
  readonly current?: string;
  /** Said once after something was done. */
  readonly notice?: string | undefined;
}

/** The menu: path and name, and the role it is for when it is not for everybody. */
const MENU: readonly (readonly [path: string, name: string, role?: Role])[] = [
  ["/", "Hooks"],
  ["/events", "Events"],
  ["/dead-letters", "Dead letters"],
  ["/refused", "Refused"],
  ["/bench", "Test bench"],
  ["/keys", "Keys"],
  ["/health", "Health"],
  ["/audit", "Audit log", "administrator"],
];

/** A whole page: head, menu, `main` with the content. Works without scripts; `page.js` only adds comfort. */
export function layout({ title, person, current, notice }: Frame, content: HtmlValue): Html {
  return html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>${title} · Posthorn</title>
      <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
      <link rel="stylesheet" href="/assets/style.css" />
      <script src="/assets/page.js" type="module"></script>
    </head>
    <body>
      <a class="skip" href="#main">Skip to the content</a>
      <header class="top">
        <a class="brand" href="/"><img src="/assets/icon.svg" alt="" width="24" height="24" />Posthorn</a>
        ${person !== null && menu(current, person)} ${person !== null && signOut(person)}
      </header>
      <main id="main" tabindex="-1">
        ${notice !== undefined && html`<p class="notice" role="status">${notice}</p>`} ${content}
      </main>
    </body>
  </html>`;
}

const menu = (current: string | undefined, person: Person): Html =>
  html`<nav aria-label="Main">
    <ul>
      ${MENU.filter(([, , role]) => role === undefined || role === person.role).map(([path, name]) => html`<li><a href="${path}" ${path === current && html` aria-current="page"`}>${name}</a></li>`)}
    </ul>
  </nav>`;

const signOut = ({ name, role }: Person): Html =>
  html`<form class="who" method="post" action="/logout">
    <span title="role: ${role}">${name}</span> <button class="quiet">Sign out</button>
  </form>`;
