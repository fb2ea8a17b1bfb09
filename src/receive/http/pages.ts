import { createHash } from "node:crypto";

import type { RequestProblem } from "../../model/outcome.ts";
import type { Language } from "./negotiate.ts";
import type { PageProblem } from "./page-texts.ts";
import { PAGE_TEXTS } from "./page-texts.ts";

const STYLE =
  "body{font:1.1rem/1.5 system-ui,sans-serif;margin:0;padding:2rem 1rem;color:#1b1b1b;background:#fff}" +
  "main{max-width:34rem;margin:0 auto}h1{font-size:1.5rem;line-height:1.25}code{overflow-wrap:anywhere}" +
  "small{color:#555}@media(prefers-color-scheme:dark){body{color:#eee;background:#1b1b1b}small{color:#bbb}}";

/** Header fields of every page: nothing is loaded and nothing runs (Content Security Policy Level 3). */
export const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'`,
  "referrer-policy": "no-referrer",
  vary: "Accept, Accept-Language",
} as const;

/** What a person sees whose form was taken. */
export function thanksPage(language: Language): string {
  const { thanks } = PAGE_TEXTS[language];
  return page(language, thanks.title, `<p>${escape(thanks.text)}</p>`);
}

/** What a person sees who opens the address of a form. */
export function explainPage(language: Language): string {
  const { explain } = PAGE_TEXTS[language];
  return page(language, explain.title, `<p>${escape(explain.text)}</p>`);
}

/** What a person sees whose form was not taken: what is wrong, in which field, and a number to quote; never what was sent. */
export function problemPage(
  language: Language,
  problem: PageProblem,
  about: { readonly requestId: string; readonly problems: readonly RequestProblem[] },
): string {
  const texts = PAGE_TEXTS[language];
  const { title, text } = texts.problems[problem];
  const fields = problem === "fields" ? about.problems : [];
  // Pointers and what a schema says of them are English or the author's own.
  const list = fields.map(
    ({ pointer, message }) => `<li lang="en"><code>${escape(pointer || "/")}</code> ${escape(message)}</li>`,
  );
  return page(
    language,
    title,
    `<p>${escape(text)}</p>${list.length === 0 ? "" : `<ul>${list.join("")}</ul>`}<p>${escape(texts.nothingKept)}</p>` +
      `<p><small>${escape(texts.reference)}: ${escape(about.requestId)}</small></p>`,
  );
}

function page(language: Language, title: string, content: string): string {
  return (
    `<!doctype html><html lang="${language}"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">` +
    `<title>${escape(title)}</title><style>${STYLE}</style></head>` +
    `<body><main><h1>${escape(title)}</h1>${content}</main></body></html>`
  );
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
