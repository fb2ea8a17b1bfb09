import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

// Each MUST of the mail RFCs that applies to a server which receives and never sends, and the test that shows it.

type Row = readonly [section: string, requirement: string, file: string, title: string];

const RFC = "doors/rfc.test.ts";
const DOOR = "receive/smtp/door.test.ts";
const ANSWERS = "doors/answers-smtp.test.ts";
const STORAGE = "doors/answers-smtp-storage.test.ts";
const TLS = "doors/tls.test.ts";

const TABLE: readonly Row[] = [
  [
    "5321 §2.3.8",
    "only CRLF ends a line; a bare CR or LF is not one",
    ANSWERS,
    "550 5.5.2 and close for a bare LF or CR in a command or in the mail; nothing behind it is a command",
  ],
  [
    "5321 §2.4",
    "verbs and keywords in any case",
    RFC,
    "commands and keywords are taken in any case, an enhanced code stands in every reply but greeting and EHLO's",
  ],
  [
    "5321 §2.4",
    "the local part is kept as it was written",
    "doors/trust-senders.test.ts",
    "an envelope sender rewritten by %s arrives as it was sent",
  ],
  [
    "5321 §3.1, §4.2",
    "220 first, or 554 and nothing but QUIT",
    "doors/trust-relays.test.ts",
    "with POSTHORN_ALLOWED_CLIENTS others hear 554 5.7.1 instead of a greeting",
  ],
  [
    "5321 §3.2, §4.1.1.1",
    "HELO is taken where EHLO is not spoken",
    RFC,
    "HELO is taken like EHLO, without extensions, and the mail says so",
  ],
  [
    "5321 §3.3, §4.1.4",
    "MAIL, RCPT and DATA out of order are 503 and change nothing",
    RFC,
    "commands out of order are 503, and leave what was said before as it was",
  ],
  [
    "5321 §3.5.3, §7.3",
    "VRFY tells nothing it should not: 252",
    RFC,
    "VRFY is no oracle: a hook and a stranger get the same answer, EXPN and unknown commands 5xx",
  ],
  ["5321 §4.1.1.1, §4.1.1.5", "EHLO and RSET clear every buffer", RFC, "RSET and EHLO in a transaction throw it away"],
  [
    "5321 §4.1.1.3, appendix C",
    "a source route is taken and ignored",
    "receive/smtp/address-command.test.ts",
    "MAIL FROM:%s is %j",
  ],
  [
    "5321 §4.1.1.4",
    "CRLF.CRLF ends a mail, and nothing else",
    DOOR,
    "any cut of the byte stream into chunks gives the same mail",
  ],
  [
    "5321 §4.1.1.10",
    "QUIT is 221, then the server closes",
    RFC,
    "NOOP, RSET, HELP, VRFY and QUIT are answered before EHLO, MAIL is not",
  ],
  [
    "5321 §4.1.1.11",
    "unknown parameters of MAIL and RCPT are 555",
    RFC,
    "parameters of extensions that were not announced are 555, damaged ones 501",
  ],
  [
    "5321 §4.1.2",
    "quoted local parts, address literals, dot-atoms",
    "receive/smtp/address-command.test.ts",
    "MAIL FROM:%s is %j",
  ],
  [
    "5321 §4.1.4",
    "NOOP, HELP, VRFY, RSET and QUIT without EHLO",
    RFC,
    "NOOP, RSET, HELP, VRFY and QUIT are answered before EHLO, MAIL is not",
  ],
  [
    "5321 §4.2.4",
    "an unknown command is 500 or 502",
    RFC,
    "VRFY is no oracle: a hook and a stranger get the same answer, EXPN and unknown commands 5xx",
  ],
  [
    "5321 §4.5.1",
    "postmaster of every domain of ours, and without a domain",
    RFC,
    "postmaster is taken with and without a domain, in any case",
  ],
  [
    "5321 §4.5.2",
    "the first of two dots at the start of a line is taken off",
    DOOR,
    "a mail arrives byte for byte with its dots unstuffed, and its reply names the event",
  ],
  [
    "5321 §4.5.3.1",
    "local part 64, domain 255, command 512, text line 1000 octets",
    RFC,
    "lines of a thousand octets and longer, and a command of 512, are taken; a command without an end is not",
  ],
  [
    "5321 §4.5.3.1.8",
    "100 recipients; the ones past them 452",
    ANSWERS,
    "452 4.5.3 for each recipient past the hundredth, and the hundred are taken",
  ],
  [
    "5321 §4.5.3.2.7",
    "silence ends a connection with 421; five minutes by default",
    ANSWERS,
    "421 4.4.2 and close for a silent connection, and for a transaction that never ends",
  ],
  [
    "5321 §4.5.5",
    "the null sender is taken",
    "doors/trust-senders.test.ts",
    "%s is marked, and a dead letter where the hook says so",
  ],
  [
    "5321 §6.1",
    "250 after DATA takes the mail over: it is stored by then",
    "doors/held-ack.test.ts",
    "no 250 for an event whose ack is held back, and one event when it comes",
  ],
  [
    "5321 §6.3",
    "a loop is found by its Received fields",
    ANSWERS,
    "554 5.4.6 for a mail with over 100 Received fields",
  ],
  ["5321 §7.1, §7.9", "no relaying", ANSWERS, "550 5.7.1 for a domain that is not ours"],
  [
    "1870 §3, §6",
    "SIZE is announced, and 552 when it is passed, before or after DATA",
    ANSWERS,
    "552 5.3.4 at MAIL for a declared size, after DATA for one that was not, and the connection goes on",
  ],
  [
    "2033 §4.1",
    "LHLO instead of EHLO and HELO",
    RFC,
    "LMTP knows LHLO only, answers DATA without a good recipient with 503, and refuses without accepting",
  ],
  [
    "2033 §4.2",
    "one reply for each RCPT that was accepted, in order",
    ANSWERS,
    "LMTP: each recipient has its own reply, in order, a repeated one too",
  ],
  [
    "2033 §4.2",
    "DATA without an accepted recipient is 503",
    RFC,
    "LMTP knows LHLO only, answers DATA without a good recipient with 503, and refuses without accepting",
  ],
  [
    "2034 §3, §4",
    "an enhanced code in every 2xx, 4xx and 5xx but greeting and EHLO",
    RFC,
    "commands and keywords are taken in any case, an enhanced code stands in every reply but greeting and EHLO's",
  ],
  [
    "2920 §3.2",
    "pipelined commands are answered in order, none is lost",
    RFC,
    "a whole pipelined transaction in one write is answered in order, and so is the one behind it",
  ],
  [
    "3207 §4",
    "STARTTLS takes no parameter, and is not offered twice",
    TLS,
    "STARTTLS with a parameter and a second STARTTLS are refused",
  ],
  ["3207 §4", "530 for what needs TLS, when it is demanded", STORAGE, "530 5.7.0 in the clear where TLS is required"],
  [
    "3207 §4.2",
    "what was known before the handshake is thrown away",
    TLS,
    "nothing said before STARTTLS counts behind it: the client has to say EHLO again (RFC 3207 §4.2)",
  ],
  [
    "3207 §6 (CVE-2011-0411)",
    "what was written in the clear behind STARTTLS is no command",
    TLS,
    "what was written in the clear behind STARTTLS is not read as commands of the TLS session",
  ],
  [
    "4954 §4",
    "AUTH twice or in a transaction is 503; over TLS or loopback only",
    RFC,
    "AUTH in the middle of a transaction is refused",
  ],
  [
    "4954 §4, §6",
    "535 for wrong credentials, * ends an exchange with 501",
    "doors/auth.test.ts",
    "what is no AUTH is refused and changes nothing",
  ],
  [
    "6152 §2",
    "8BITMIME is announced and every octet kept",
    RFC,
    "addresses and headers in UTF-8 come through as they were sent (SMTPUTF8, 8BITMIME)",
  ],
  [
    "6531 §3.1",
    "SMTPUTF8 with 8BITMIME, addresses in UTF-8 in MAIL and RCPT",
    RFC,
    "addresses and headers in UTF-8 come through as they were sent (SMTPUTF8, 8BITMIME)",
  ],
  [
    "6531 §3.2",
    "A-labels and U-labels name the same domain",
    RFC,
    "domains below a wildcard are ours and the wildcard's own name is not; a domain with umlauts is, either way it is written",
  ],
  [
    "3030, 3461",
    "CHUNKING and DSN are not announced, because they are not carried out",
    RFC,
    "EHLO names exactly the extensions that are carried out",
  ],
];

test.each(TABLE)("RFC %s: %s", (_section, _requirement, file, title) => {
  expect(readFileSync(join(import.meta.dirname, "..", file), "utf8")).toContain(title);
});
