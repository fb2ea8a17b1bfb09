import { expect, test } from "vitest";

import { forwardMarkIn, forwardMarkInHtml } from "../../src/extract/forward-mark.ts";

test.each([
  ["Gmail", "See below.\n\n---------- Forwarded message ---------\nFrom: Shop <shop@shop.example>\nDate: Mon\n"],
  ["Gmail in German", "---------- Forwarded message ---------\nVon: Shop <shop@shop.example>\n"],
  ["Gmail's HTML", '<div class="gmail_attr">---------- Forwarded message ---------<br>From: <b>Shop</b>'],
  ["Thunderbird", "-------- Weitergeleitete Nachricht --------\nBetreff: \tOrder\n"],
  ["Yahoo", "   ----- Forwarded Message -----\nFrom: Shop\n"],
  ["old Outlook", "-----Original Message-----\r\nFrom: Shop\r\nSent: Monday\r\n"],
  ["old Outlook in French", "-----Message d'origine-----\nDe : Shop\n"],
  ["Outlook on the web, text", "FYI\n________________________________\nFrom: Shop <s@shop.example>\nSent: Monday\n"],
  ["Outlook in Markdown-like text", "*From:* Shop\n*Sent:* Monday\n"],
  ["Outlook in German", "________________________________\nVon: Shop\nGesendet: Montag\n"],
  ["Outlook on the web", '<hr style="width:98%"><div id="divRplyFwdMsg" dir="ltr"><b>From:</b> Shop<br>'],
  ["Outlook", "<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in'><p><b>From:</b>"],
  ["Apple Mail", "\n> Begin forwarded message:\n> \n> From: Shop\n"],
  ["Apple Mail in German", "Hallo\n\n> Anfang der weitergeleiteten Nachricht:\n> \n> Von: Shop\n"],
  ["Apple Mail's HTML", '<blockquote type="cite"><div>Inicio del mensaje reenviado:</div><br>'],
])("an inline forward of %s is seen", (_, text) => {
  const find = text.includes("<div") ? forwardMarkInHtml : forwardMarkIn;
  expect(find(text)).toBeGreaterThanOrEqual(0);
});

test.each([
  ["a rule of dashes", "-------------------------\nFrom: here on\n"],
  ["a signature's armour", "-----BEGIN PGP SIGNATURE-----\nVersion: 1\n"],
  ["a heading between dashes", "----- Your order -----\nTwo pieces\n"],
  ["a sentence", "Please read: Begin forwarded message: and so on"],
  ["a field alone", "From: me\nTo: you\n"],
  ["a line of another kind", "<div style='border-top:solid red 1px'>From: here"],
])("%s is no forward", (_, text) => {
  expect(forwardMarkIn(text)).toBeUndefined();
  expect(forwardMarkInHtml(text)).toBeUndefined();
});
