const MEGABYTE = 1_000_000;
const SIZE = 25 * MEGABYTE;

const head = (type: string, encoding = "7bit") =>
  Buffer.from(`Subject: x\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`);

function filled(start: Buffer, unit: string, end = ""): Buffer {
  const mail = Buffer.allocUnsafe(SIZE);
  start.copy(mail);
  mail.fill(unit, start.length, SIZE - end.length, "latin1");
  mail.write(end, SIZE - end.length, "latin1");
  return mail;
}

const base64Line = `${"JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZURl".slice(0, 76)}\r\n`;
const MIXED =
  'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: application/json\r\n\r\n{"a":1.10}\r\n';

/** Mails of 25 MB, each heavy in another place. */
export const SHAPES: Readonly<Record<string, () => Buffer>> = {
  "an attachment in base64": () =>
    filled(
      Buffer.from(`${MIXED}--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n`),
      base64Line,
      "\r\n--b--\r\n",
    ),
  "an attachment as it is": () =>
    filled(Buffer.from(`${MIXED}--b\r\nContent-Type: application/pdf\r\n\r\n`), "%PDF\u00e9\r\n", "\r\n--b--\r\n"),
  "forty attachments in base64": () => {
    const part = `\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64Line.repeat(8_000)}`;
    return filled(Buffer.from(MIXED), part, "\r\n--b--\r\n");
  },
  "a text": () => filled(head("text/plain; charset=utf-8"), "All this is prose, and it goes on and on.\r\n"),
  "a text in base64": () =>
    filled(
      head("text/plain; charset=utf-8", "base64"),
      `${Buffer.from("All this is prose, and it goes on and on, so long.\n".slice(0, 57).padStart(57)).toString("base64")}\r\n`,
    ),
  "a text in quoted-printable": () =>
    filled(head("text/plain; charset=utf-8", "quoted-printable"), "Gr=C3=BC=C3=9Fe, and it goes on and =\r\non.\r\n"),
  "JSON of many members": () => {
    const unit = '{"id":12345678901234567890,"name":"Stone","price":1.10},\r\n';
    const start = Buffer.concat([head("application/json"), Buffer.from("[")]);
    const mail = filled(start, unit, '{"id":1}]');
    // The last unit was cut somewhere: blanks from its start on.
    return mail.fill(" ", SIZE - 9 - ((SIZE - 9 - start.length) % unit.length), SIZE - 9);
  },
  "JSON of many members, damaged": () => filled(head("application/json"), '{"id":1,"name":"Stone","price":1.10},\r\n'),
  "a page": () =>
    filled(head("text/html; charset=utf-8"), "<p class=x>All this is prose, <b>and</b> it goes on.</p>\r\n"),
  "a page with a script": () =>
    filled(
      head("text/html; charset=utf-8"),
      "<p class=x>All this is prose.</p>\r\n",
      '<script type="application/ld+json">{"@type":"Order"}</script>',
    ),
};
