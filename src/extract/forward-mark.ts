const DASHES = "-----";
/** Gmail, Yahoo, Thunderbird and older Outlook write a line between dashes, in any language; a header field follows. */
const DASHED_LINE = /-{5,80} ?[^\s<>-][^<>\n-]{2,60} ?-{5,80}[ \t]{0,40}(?=\r?\n|<)/y;
/** `From: …`, `Von: …` within two lines; in HTML behind tags. */
const FIELD_FOLLOWS = /(?:[\s>]|<[^<>]{0,300}>){1,40}\*{0,2}[\p{L}-]{2,20}\*{0,2} ?:/uy;
const ARMOUR = /-{5}(?:BEGIN|END) /y;
const MAX_INDENT = 80;

/** What Apple Mail writes above, in the languages seen. Behind it everything is quoted, in HTML as `type="cite"`. */
const APPLE = [
  "Begin forwarded message:",
  "Anfang der weitergeleiteten Nachricht:",
  "Anfang der weitergeleiteten E-Mail:",
  "Début du message réexpédié",
  "Début du message transféré",
  "Inicio del mensaje reenviado:",
  "Inizio messaggio inoltrato:",
  "Begin doorgestuurd bericht:",
  "Início da mensagem encaminhada:",
  "Início da mensagem reenviada:",
  "Vidarebefordrat brev:",
  "Start på videresendt besked:",
  "Videresendt melding:",
  "Välitetty viesti alkaa:",
  "Początek przekazywanej wiadomości:",
  "Начало переадресованного сообщения:",
  "転送されたメッセージ",
  "开始转发的邮件",
] as const;

/** Outlook's header block in a text: a From line, and directly below it the line with the date, in its languages. */
const OUTLOOK_FIELDS =
  /^[ \t>]{0,40}\*{0,2}(?:From|Von|De|Da|Van|Från|Fra|Od|От)\*{0,2} ?:[^\n]{1,300}\n[ \t>]{0,40}\*{0,2}(?:Sent|Gesendet|Envoyé|Enviado|Enviada em|Inviato|Verzonden|Skickat|Sendt|Wysłano|Отправлено)\*{0,2} ?:/m;
/** The same in HTML: what Outlook on the web and the new Outlook call it, and the line that the old one draws above. */
const OUTLOOK_HTML = /<div[^<>]{0,200}(?:\bid=["']?(?:x_)*divRplyFwdMsg|border-top: ?solid #(?:E1E1E1|B5C4DF) 1)/i;

/**
 * Where an inline forward begins in a text (what HTML shows is one, too), `undefined` when there is none: what stands behind
 * it was written by somebody else, earlier. Outlook heads the mail that a reply quotes in the same way. Linear.
 */
export function forwardMarkIn(text: string): number | undefined {
  return first(dashedLineIn(text), appleLineIn(text, /^[ \t]*>/m.test(text)), OUTLOOK_FIELDS.exec(text)?.index);
}

/** The same in the source of HTML. */
export function forwardMarkInHtml(html: string): number | undefined {
  const outlook = /divRplyFwdMsg|border-top: ?solid/i.test(html) ? OUTLOOK_HTML.exec(html)?.index : undefined;
  return first(dashedLineIn(html), appleLineIn(html, html.includes('type="cite"')), outlook);
}

function first(...marks: readonly (number | undefined)[]): number | undefined {
  const found = marks.filter((mark) => mark !== undefined);
  return found.length === 0 ? undefined : Math.min(...found);
}

function dashedLineIn(text: string): number | undefined {
  for (let at = text.indexOf(DASHES); at >= 0;) {
    DASHED_LINE.lastIndex = at;
    ARMOUR.lastIndex = at;
    if (beginsLine(text, at) && !ARMOUR.test(text) && DASHED_LINE.test(text)) {
      FIELD_FOLLOWS.lastIndex = DASHED_LINE.lastIndex;
      if (FIELD_FOLLOWS.test(text)) return at;
    }
    let end = at + DASHES.length;
    while (text[end] === "-") end += 1;
    at = text.indexOf(DASHES, end);
  }
  return undefined;
}

/** Apple Mail quotes what it forwards, so in other texts only the commonest form is looked for. */
function appleLineIn(text: string, quotes: boolean): number | undefined {
  for (const phrase of quotes ? APPLE : APPLE.slice(0, 1)) {
    const at = lineWith(text, phrase);
    if (at !== undefined) return at;
  }
  return undefined;
}

function lineWith(text: string, phrase: string): number | undefined {
  for (let at = text.indexOf(phrase); at >= 0; at = text.indexOf(phrase, at + phrase.length))
    if (beginsLine(text, at)) return at;
  return undefined;
}

/** Only blanks and quote marks before it in its line; in HTML a tag. */
function beginsLine(text: string, at: number): boolean {
  const least = Math.max(0, at - MAX_INDENT);
  for (let before = at - 1; before >= least; before -= 1) {
    const character = text[before];
    if (character === "\n" || character === ">") return true;
    if (character !== " " && character !== "\t") return false;
  }
  return least === 0;
}
