import { SETTINGS } from "../../src/config/settings.ts";
import { DEAD_LETTER_TITLES } from "../../src/model/dead-letter.ts";
import { REFUSED, REQUEST_REFUSED, TRY_LATER } from "../../src/receive/answers.ts";
import type { OptionName } from "../../src/registry/app-definition-schema.ts";
import { OPTION_SCHEMAS, OPTION_TYPES } from "../../src/registry/app-definition-schema.ts";

/** What each option of a hook means; the compiler asks for a sentence for each. */
const OPTION_MEANINGS: Readonly<Record<OptionName, string>> = {
  schema: "JSON Schema (2020-12) the payload must meet: else mail is dead-lettered, HTTP gets 422",
  select:
    'which item becomes `data.payload`: `{ "type": "Order" }`, `{ "format": "json" }` or `{ "filename": "*.json" }`',
  jsonld: 'form of JSON-LD: `as-sent`, `compact`, `expand`, `flatten` or `{ "frame": {…} }`',
  key: "secret that the mail must carry (`data-kustomer-key` or `X-Hook-Key`): `env:POSTHORN_SECRET_<APP>_…` or `kv`",
  empty: "mail with nothing to extract: `dead-letter`, `publish` (payload null) or `reject` (550 5.6.0)",
  senders: "globs on the From address, such as `*@shop.example`",
  automatic: "bounces and auto-replies: `publish` or `dead-letter`",
  authenticate: '`none`, `dkim`, `dmarc`, or `{ "require": …, "onFail": "dead-letter" or "reject" }`',
  attachments: "`store` in the Object Store, or `drop` (metadata only)",
  include: "which of `text`, `html`, `headers` the event carries",
  redirect: "where a browser goes after the post: a path, or a URL whose origin is in `origins`",
  origins: "browser origins that may post, such as `https://shop.example`",
  honeypot: "field that people leave empty; filled, the post is a dead letter and answered like a success",
  captcha: '`{ "provider": "turnstile", "hcaptcha" or "recaptcha", "secret": … }`',
  signature: 'instead of an API key: `{ "scheme": …, "secret": … }`',
  handshake: "answers the provider's ownership check",
  deliveryId:
    'where the sender writes its delivery id: `{ "header": "X-…" }`, or `{ "pointer": "/id" }` into the payload',
  rateLimit: '`{ "perMinute": 60 }`, a sliding minute',
};
const EVERY_TYPE = 3;

/** The tables of the README that are made of tables in code, by their heading. */
function readmeTables(): ReadonlyMap<string, string> {
  return new Map([
    ["### Options", table(["option", "for", "default", "meaning"], optionRows())],
    ["### Settings", table(["variable", "default", "what it is", "allowed"], settingRows())],
    ["### Answers", table(["cause", "SMTP, LMTP", "HTTP", "text"], answerRows())],
    [
      "### Dead letters",
      table(
        ["code", "title"],
        Object.entries(DEAD_LETTER_TITLES).map(([code, title]) => [`\`${code}\``, title]),
      ),
    ],
  ]);
}

/** The README with each table put in place of the one that follows its heading. */
export function withTables(readme: string): string {
  let text = readme;
  for (const [heading, rows] of readmeTables()) {
    const at = text.indexOf(`\n${heading}\n`);
    if (at < 0) throw new Error(`the README has no heading ${heading}`);
    const start = text.indexOf("\n|", at) + 1;
    const end = /\n(?!\|)/.exec(text.slice(start));
    if (start === 0 || end === null) throw new Error(`no table follows ${heading}`);
    text = text.slice(0, start) + rows + text.slice(start + end.index);
  }
  return text;
}

function optionRows(): string[][] {
  return Object.entries(OPTION_SCHEMAS).map(([name, schema]) => {
    const types = OPTION_TYPES[name as OptionName];
    const fallback = "default" in schema ? `\`${JSON.stringify(schema.default)}\`` : "";
    const use = types.length === EVERY_TYPE ? "all" : types.join(", ");
    return [`\`${name}\``, use, fallback, OPTION_MEANINGS[name as OptionName]];
  });
}

function settingRows(): string[][] {
  return Object.values(SETTINGS).map(({ variable, default: fallback, meaning, allowed }) => [
    `\`${variable}\``,
    fallback === "" ? "" : `\`${fallback}\``,
    meaning,
    allowed,
  ]);
}

function answerRows(): string[][] {
  const rows: Readonly<Record<string, { readonly smtp?: string; readonly http: number; readonly text: string }>> = {
    ...TRY_LATER,
    ...REFUSED,
    ...REQUEST_REFUSED,
  };
  return Object.entries(rows).map(([cause, { smtp, http, text }]) => [`\`${cause}\``, smtp ?? "", String(http), text]);
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(heads), `|${heads.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
