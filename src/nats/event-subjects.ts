import type { JetStreamManager } from "@nats-io/jetstream";
import { JetStreamApiError } from "@nats-io/jetstream";

const EVENT_STREAM = "POSTHORN_EVENTS";
const WORKFLOW_SUBJECTS = "kustomer.app.";
/** Past a few thousand exact subjects, adding one stalls publishing for seconds (contract §2). */
const MAX_EXACT_NAMES = 500;
const OVERLAP_CODES: ReadonlySet<number> = new Set([10052, 10065]);
const MAX_TRIES = 5;

export type SubjectsResult =
  | { readonly kind: "extended" }
  | { readonly kind: "foreign-stream"; readonly names: readonly string[] }
  | { readonly kind: "too-many"; readonly limit: number };

/**
 * Adds the names outside `kustomer.app.` to the event stream, as subjects of their own. A name inside the wildcard must
 * not be added (10052). Other settings of the stream stay as the operator has them.
 */
export function addEventSubjects(jsm: JetStreamManager, names: readonly string[]): Promise<SubjectsResult> {
  return change(jsm, (subjects) => [
    ...new Set([...subjects, ...names.filter((name) => !name.startsWith(WORKFLOW_SUBJECTS))]),
  ]);
}

/**
 * Streams of somebody else that take names outside `kustomer.app.`, by name; looked for only. What cannot be looked up is
 * left out: adding the name says it too.
 */
export async function streamsOnSubjects(
  jsm: JetStreamManager,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const outside = names.filter((name) => !name.startsWith(WORKFLOW_SUBJECTS)).slice(0, MAX_EXACT_NAMES);
  const found = await Promise.all(
    outside.map(async (name): Promise<[string, string][]> => {
      // The client's `find` throws when there is none, and asks for the right to list names, which may be missing.
      const stream = await jsm.streams.find(name).catch(() => undefined);
      return stream === undefined || stream === EVENT_STREAM ? [] : [[name, stream]];
    }),
  );
  return new Map(found.flat());
}

/** Takes names off again; their stored events stay. */
export function removeEventSubjects(jsm: JetStreamManager, names: readonly string[]): Promise<SubjectsResult> {
  const gone = new Set(names.filter((name) => !name.startsWith(WORKFLOW_SUBJECTS)));
  return change(jsm, (subjects) => subjects.filter((subject) => !gone.has(subject)));
}

/** An update replaces the whole configuration: read, change, write, read again, and once more when somebody wrote between. */
async function change(jsm: JetStreamManager, edit: (subjects: readonly string[]) => string[]): Promise<SubjectsResult> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const { config } = await jsm.streams.info(EVENT_STREAM);
    const before = config.subjects ?? [];
    const after = edit(before);
    if (sameSubjects(before, after)) return { kind: "extended" };
    if (after.filter((subject) => !subject.startsWith(WORKFLOW_SUBJECTS)).length > MAX_EXACT_NAMES)
      return { kind: "too-many", limit: MAX_EXACT_NAMES };
    try {
      await jsm.streams.update(EVENT_STREAM, { ...config, subjects: after });
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || !OVERLAP_CODES.has(error.code)) throw error;
      return { kind: "foreign-stream", names: after.filter((subject) => !before.includes(subject)) };
    }
    if (await keptChange(jsm, edit)) return { kind: "extended" };
  }
  throw new Error(`the subjects of ${EVENT_STREAM} were changed by somebody else ${MAX_TRIES} times in a row`);
}

async function keptChange(jsm: JetStreamManager, edit: (subjects: readonly string[]) => string[]): Promise<boolean> {
  const { config } = await jsm.streams.info(EVENT_STREAM);
  const subjects = config.subjects ?? [];
  return sameSubjects(subjects, edit(subjects));
}

const sameSubjects = (one: readonly string[], other: readonly string[]) =>
  one.length === other.length && one.every((subject) => other.includes(subject));
