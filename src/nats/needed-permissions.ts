import { INBOX_PREFIX } from "./inbox.ts";
import { BACKING_STREAMS, BUCKETS, STREAMS } from "./stream-names.ts";
import { subjectCovers } from "./subject-covers.ts";

/** Whose NATS user it is. */
export const PERMISSION_ROLES = ["daemon", "cli", "subscriber"] as const;
export type PermissionRole = (typeof PERMISSION_ROLES)[number];

/** Something that a NATS user has to be allowed. */
export interface NeededPermission {
  readonly operation: "publish" | "subscribe";
  /** May hold wildcards, which stand for whole tokens. */
  readonly subject: string;
  /** What it is for. */
  readonly why: string;
  /** Mail is not taken without it. */
  readonly isVital?: true;
  /** Everything works without it, but what is missing cannot be said beforehand. */
  readonly isOptional?: true;
}

/** Every user may ask this of itself, where its permissions let it publish there. */
export const OWN_PERMISSIONS = "$SYS.REQ.USER.INFO";

const WORKFLOW_SUBJECTS = "kustomer.app.>";
const EVERY_STREAM = "*";

export interface PermissionWish {
  /** Subjects of events beside `kustomer.app.>`; for a subscriber, those that it may read instead of all. */
  readonly subjects?: readonly string[];
  /** The JetStream domain, where there is one. */
  readonly domain?: string | undefined;
}

/**
 * Everything that a NATS user needs to be allowed: the one list that `posthorn permissions` prints, `doctor` compares with what
 * the user has, and errors quote.
 *
 * Which request of the client asks for which subject was found by running everything on a server with exactly this list.
 * Source: NATS documentation, "JetStream wire API reference"; clients 3.4.0.
 */
export function neededPermissions(
  role: PermissionRole,
  { subjects = [], domain }: PermissionWish = {},
): NeededPermission[] {
  const api = domain === undefined ? "$JS.API" : `$JS.${domain}.API`;
  if (role === "subscriber") return ofSubscriber(api, subjects);
  const isDaemon = role === "daemon";
  const may = (subject: string, why: string, more: Pick<NeededPermission, "isVital" | "isOptional"> = {}) => ({
    operation: "publish" as const,
    subject,
    why,
    ...more,
  });
  const vital = { isVital: true } as const;
  // In a domain the client writes to a bucket by way of the domain's API.
  const kv = domain === undefined ? "$KV" : `${api}.$KV`;
  return [
    ...[WORKFLOW_SUBJECTS, ...subjects].map((subject) => may(subject, "events", vital)),
    may("posthorn.dead.>", "dead letters", vital),
    ...(isDaemon ? [may("posthorn.refused.*", "refused calls")] : []),
    may("posthorn.audit.>", "the audit log"),
    may(`$O.${BUCKETS.objects}.>`, "mails, files and the data of big events", vital),
    may(`${kv}.${BUCKETS.registry}.>`, "apps and hooks"),
    may(`${kv}.${BUCKETS.keys}.>`, "API keys"),
    may(`${kv}.${BUCKETS.secrets}.>`, "signing secrets"),
    ...(isDaemon ? [may(`${kv}.${BUCKETS.unfinished}.>`, "ids whose senders come again")] : []),
    may(`${api}.INFO`, "how much the account may store"),
    may(`${api}.STREAM.INFO.${EVERY_STREAM}`, "whether streams are there, and how full", vital),
    ...(isDaemon ? [may(`${api}.STREAM.CREATE.${EVERY_STREAM}`, "creating the streams that are missing")] : []),
    may(`${api}.STREAM.UPDATE.${STREAMS.events}`, "event names outside kustomer.app"),
    may(`${api}.STREAM.MSG.GET.${EVERY_STREAM}`, "reading the registry, objects and single messages", vital),
    may(`${api}.STREAM.MSG.DELETE.${STREAMS.deadLetters}`, "dead letters that were replayed or discarded"),
    may(`${api}.STREAM.PURGE.${BACKING_STREAMS.objects}`, "objects that nothing names"),
    may(`${api}.CONSUMER.CREATE.${EVERY_STREAM}`, "reading streams, several subjects at once"),
    may(`${api}.CONSUMER.CREATE.${EVERY_STREAM}.>`, "reading streams, and following the registry"),
    may(`${api}.CONSUMER.INFO.${EVERY_STREAM}.*`, "reading streams"),
    may(`${api}.CONSUMER.MSG.NEXT.${EVERY_STREAM}.*`, "reading streams"),
    may(`${api}.CONSUMER.DELETE.${EVERY_STREAM}.*`, "consumers that are done"),
    may(`${api}.CONSUMER.LIST.${STREAMS.events}`, "how far subscribers are behind"),
    may("$JS.FC.>", "flow control while objects and the registry are read"),
    may(OWN_PERMISSIONS, "saying beforehand which of these are missing", { isOptional: true }),
    { operation: "subscribe", subject: `${INBOX_PREFIX}.>`, why: "answers", isVital: true },
  ];
}

/** Which of the daemon's permissions stands for what the server has denied; undefined for the name of an event, say. */
export function neededFor(denied: {
  readonly operation: string;
  readonly subject: string;
}): NeededPermission | undefined {
  const operation = denied.operation === "publish" ? "publish" : "subscribe";
  return neededPermissions("daemon").find(
    (needed) => needed.operation === operation && subjectCovers(needed.subject, denied.subject),
  );
}

/** Reads events, and what they keep elsewhere; writes nothing that Posthorn reads. */
function ofSubscriber(api: string, subjects: readonly string[]): NeededPermission[] {
  const may = (subject: string, why: string) => ({ operation: "publish" as const, subject, why });
  const { events } = STREAMS;
  const { objects } = BACKING_STREAMS;
  const create = `${api}.CONSUMER.CREATE.${events}`;
  return [
    may(`${api}.INFO`, "what clients ask first"),
    may(`${api}.STREAM.INFO.${events}`, "finding the stream of events"),
    ...(subjects.length === 0
      ? [may(`${create}.>`, "consumers of all events")]
      : subjects.map((subject) => may(`${create}.*.${subject}`, "consumers of these events and no others"))),
    may(`${api}.CONSUMER.INFO.${events}.*`, "reading through a consumer"),
    may(`${api}.CONSUMER.MSG.NEXT.${events}.*`, "reading through a consumer"),
    may(`$JS.ACK.${events}.>`, "acknowledging what was read"),
    may(`$JS.FC.${events}.>`, "flow control"),
    may(
      `${api}.STREAM.INFO.${objects}`,
      "data and files of big events: leave out these last five where they are not read",
    ),
    may(`${api}.STREAM.MSG.GET.${objects}`, "which object has a name; raw mails too"),
    may(`${api}.DIRECT.GET.${objects}.>`, "the same, for clients in other languages"),
    may(`${api}.CONSUMER.CREATE.${objects}.>`, "reading an object"),
    may(`$JS.FC.${objects}.>`, "flow control while an object is read"),
    { operation: "subscribe", subject: "_INBOX.>", why: "answers" },
  ];
}
