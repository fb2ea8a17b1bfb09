import { cutKnownHookIds } from "../model/cut-hook-ids.ts";
import type { AdminHook, Entry, EntryPage, EntryWish, HookServices, MailReport } from "./services.ts";
import type { Person } from "./session.ts";

/** What one person may see. Pages and API ask here, and nowhere else. */
export interface Sight {
  /** Raw mail, and what is read from it: it holds addresses, and keys that never reach an event. */
  readonly rawMail: boolean;
  readonly hook: (hook: AdminHook) => AdminHook;
  /** JSON of an event, a dead letter or a refused call; still JSON, digits as sent. */
  readonly text: (text: string) => string;
  readonly entry: (entry: Entry) => Entry;
  readonly page: (page: EntryPage) => EntryPage;
  /** The same wish, held against what may be seen: nobody finds out by searching what is not shown. */
  readonly wish: (wish: EntryWish) => EntryWish;
  /** What was read from a raw mail of ours, not from one that the person brought. */
  readonly report: (report: MailReport) => MailReport;
  /** Whether a file of an event may be downloaded. */
  readonly file: (bytes: Uint8Array) => boolean;
}

/**
 * An administrator sees everything. Operators and viewers see events, dead letters and what became of them, but no address,
 * URL or id of a hook, no raw mail and no key (contract §2, §5): whoever knows an address can send to it.
 */
export function sightOf(person: Person | null, { isHookId }: Pick<HookServices, "isHookId">): Sight {
  if (person?.role === "administrator") return WHOLE;
  const text = (whole: string) => cutKnownHookIds(whole, isHookId);
  const entry = (whole: Entry): Entry => ({ ...whole, text: text(whole.text) });
  return {
    rawMail: false,
    hook: withoutAddresses,
    text,
    entry,
    page: (page) => ({ ...page, entries: page.entries.map(entry) }),
    wish: (wish) => ({ ...wish, seen: text }),
    report: withoutContent,
    file: (bytes) => !HOOK_KEY.test(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")),
  };
}

const same = <T>(value: T): T => value;
const WHOLE: Sight = {
  rawMail: true,
  hook: same,
  text: same,
  entry: same,
  page: same,
  wish: same,
  report: same,
  file: () => true,
};

/** Where a mail's key stands: the attribute of a script, and the header field of a mail that was attached. */
const HOOK_KEY = /data-kustomer-key|^x-hook-key:/im;

function withoutAddresses({ id: _id, address: _address, url: _url, ...hook }: AdminHook): AdminHook {
  return { ...hook, aliases: [] };
}

/** What was looked at and why it was or was not taken; nothing of what the mail says. */
function withoutContent(report: MailReport): MailReport {
  if (report.kind === "unread") return report;
  const { kind, skipped, notes, deadLetter } = report;
  const nothing = { subject: null, from: null, text: null, html: null, headers: [], attachments: [], items: [] };
  return { kind, ...nothing, payload: null, skipped, notes, deadLetter };
}
