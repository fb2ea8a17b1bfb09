import type { Html } from "../html.ts";
import { html } from "../html.ts";
import { pathWith } from "./parts.ts";
import type { Person } from "../session.ts";
import { layout } from "./layout.ts";

/** The sign-in form; it also stands in place of every page that somebody asks for without being signed in. */
export function loginPage({
  next,
  problem,
  hasProvider,
}: {
  readonly next: string;
  readonly problem?: string;
  /** People may sign in at an OpenID Connect provider too. */
  readonly hasProvider: boolean;
}): Html {
  return layout(
    { title: "Sign in", person: null },
    html`<section class="card narrow">
      <h1>Sign in</h1>
      ${hasProvider && html`<p><a class="button" href="${pathWith("/login/oidc", { next })}">Sign in with your account</a></p>`}
      <form method="post" action="/login" class="stack">
        <input type="hidden" name="next" value="${next}" />
        <input
          class="visually-hidden"
          name="username"
          value="admin"
          autocomplete="username"
          tabindex="-1"
          aria-hidden="true"
          readonly
        />
        <label for="token">Admin token</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="current-password"
          required
          autofocus
          ${problem !== undefined && html`aria-invalid="true" aria-describedby="problem"`}
        />
        ${problem !== undefined && html`<p id="problem" class="problem" role="alert">${problem}</p>`}
        <button>Sign in</button>
      </form>
      <p class="hint">
        It is the value of <code>POSTHORN_ADMIN_TOKEN</code>, or stands in the file <code>admin-token</code> of the data
        directory.
      </p>
    </section>`,
  );
}

/** Between the provider and the page that was asked for. */
export const welcomePage = (person: Person, next: string): Html =>
  layout(
    { title: "Signed in", person },
    html`<section class="card narrow">
      <h1>Signed in</h1>
      <p>${person.name}, ${person.role}.</p>
      <p><a class="button" href="${next}">Go on</a></p>
    </section>`,
  );
