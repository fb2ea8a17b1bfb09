/** A small HTML form for a form hook, ready to paste into a page; the honeypot stays empty for people. */
export function formSnippet(url: string, honeypot: string): string {
  return [
    `<form method="post" action="${escaped(url)}" accept-charset="utf-8">`,
    '  <label>Your e-mail <input type="email" name="email" autocomplete="email" required></label>',
    '  <label>Message <textarea name="message" required></textarea></label>',
    `  <input type="text" name="${escaped(honeypot)}" tabindex="-1" autocomplete="off" aria-hidden="true" hidden>`,
    "  <button>Send</button>",
    "</form>",
  ].join("\n");
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);
}
