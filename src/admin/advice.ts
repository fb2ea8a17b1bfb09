import type { DeadLetterCode } from "../model/dead-letter.ts";

/** What would turn a dead letter of this reason into an event, in words. */
const ADVICE = {
  "nothing-extracted":
    "If the sender does put data into its mails, look at the raw mail: a forward by hand often strips the markup. If mails without data should become events too, set “empty” to “publish”.",
  "schema-failed":
    "Either the sender changed its data, or the hook's schema is too strict. Correct the schema in the app definition, install it again, then replay.",
  "invalid-json": "The sender's JSON is damaged beyond the repairs that are known. The sender has to mend it.",
  "limit-exceeded":
    "The mail is larger or deeper than what is read. If it is what you expect of this sender, it has to send less at once.",
  unparseable: "The mail is damaged. Ask the sender to send it again, and look at what relays it.",
  "parse-timeout": "Reading took too long: replay it when the machine is less busy, or raise POSTHORN_PARSE_TIMEOUT.",
  "sender-not-allowed":
    "If the sender is one of yours, add its address to “senders” in the app definition, install it again, then replay.",
  "authentication-failed":
    "SPF, DKIM and DMARC say that the mail does not come from its From domain. If it does, its sender has to mend DNS or signing.",
  "key-mismatch": "The mail does not carry the hook's key, or an old one. Check the secret on both sides, then replay.",
  honeypot:
    "Most likely a robot filled in the form. If a person did, a browser filled in the hidden field: give it another name.",
  "forwarding-confirmation":
    "A mailbox provider wants to know whether mail may be forwarded to this address. If you set that up, follow its link or copy its code; then discard this.",
  automatic: "The hook keeps automatic mail as dead letters. Set “automatic” to “publish” if it should become events.",
  system:
    "Mail for the postmaster of your mail domain. Read it; give the address postmaster an alias if it should go to a hook.",
} as const satisfies Record<DeadLetterCode, string>;

/** The advice for a reason that stands in a stored letter; undefined for one that this version does not know. */
export const adviceFor = (code: string): string | undefined =>
  Object.hasOwn(ADVICE, code) ? ADVICE[code as DeadLetterCode] : undefined;
