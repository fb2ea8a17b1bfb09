import { readFile } from "node:fs/promises";

import type { Settings } from "../config/settings.ts";
import { readSettings } from "../config/settings.ts";
import type { Storage } from "../daemon/storage.ts";
import { OperatorError } from "../model/operator-error.ts";
import { streamsOnSubjects } from "../nats/event-subjects.ts";
import type { AppDefinition } from "../registry/app-definition.ts";
import { namesIn, ownerInWords, readAppDefinition } from "../registry/app-definition.ts";
import type { DefinitionContext } from "../registry/definition-rules.ts";
import { withStorage } from "./context.ts";

/** A definition that is right, and what should be known of it. */
export interface ReadDefinition {
  readonly definition: AppDefinition;
  readonly warnings: readonly string[];
}

interface DefinitionFile {
  readonly file: string;
  readonly text: string;
}

/**
 * Runs `work` with the definitions of these files, none of which has a fault: each by itself, against the others, and
 * against what is installed.
 *
 * Throws `OperatorError` with every fault of every file, a line each, in the order of the files and of their texts; those
 * that can be seen without NATS also when it is away.
 */
export async function withDefinitions<T>(
  files: readonly string[],
  work: (read: readonly ReadDefinition[], storage: Storage, settings: Settings) => Promise<T>,
): Promise<T> {
  const texts = await Promise.all(files.map(async (file) => ({ file, text: await textOf(file) })));
  const offline = { isKvAllowed: readSettings(process.env).secretsKey.value !== undefined };
  let wasOpened = false;
  try {
    return await withStorage(async (storage, settings) => {
      wasOpened = true;
      const { snapshot } = storage;
      const installed = { apps: snapshot.apps().map(({ app }) => app), hooks: snapshot.hooks() };
      const read = readAll(texts, { ...offline, installed, takenBy: await ownersIn(storage, texts) });
      return await work(read, storage, settings);
    });
  } catch (error) {
    // What is wrong in the files themselves is to be mended first, and needs no NATS to be told.
    if (!wasOpened) readAll(texts, offline, "names of other apps could not be looked up");
    throw error;
  }
}

/** Reads one definition file. Throws `OperatorError` with every fault in it. */
export async function readDefinition(file: string, context: DefinitionContext): Promise<ReadDefinition> {
  const [read] = readAll([{ file, text: await textOf(file) }], context);
  if (read === undefined) throw new Error("a file that was read is not there");
  return read;
}

function textOf(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new OperatorError(`cannot read ${file}`, "check the path", { cause: error });
  });
}

function readAll(files: readonly DefinitionFile[], context: DefinitionContext, notLookedAt?: string): ReadDefinition[] {
  const readings = files.map(({ file, text }, index) => {
    const earlier = ownersAmong(files.slice(0, index));
    return readAppDefinition(text, file, {
      ...context,
      takenBy: (eventName, app) => context.takenBy?.(eventName, app) ?? earlier(eventName, app),
    });
  });
  const problems = readings.flatMap((reading) => (reading.kind === "invalid" ? reading.problems : []));
  if (problems.length === 0) return readings.flatMap((reading) => (reading.kind === "definition" ? [reading] : []));
  const lines = problems.map(
    ({ file, pointer, message }) => `${file}: ${pointer === "" ? "the definition" : pointer} ${message}`,
  );
  const note = notLookedAt === undefined ? "" : `; ${notLookedAt}`;
  throw new OperatorError(lines.join("\n"), `correct the definition; nothing was installed${note}`, { problems });
}

type TakenBy = NonNullable<DefinitionContext["takenBy"]>;

/** Names of the files before: of two apps in one command, the first has the name. */
function ownersAmong(files: readonly DefinitionFile[]): TakenBy {
  const owners = new Map<string, { readonly app: string | undefined; readonly file: string }>();
  for (const { file, text } of files) {
    const { app, eventNames } = namesIn(text);
    for (const name of eventNames) if (!owners.has(name)) owners.set(name, { app, file });
  }
  return (eventName, app) => {
    const owner = owners.get(eventName);
    if (owner === undefined || (owner.app !== undefined && owner.app === app)) return undefined;
    return owner.app === undefined ? `another app, in ${owner.file}` : `the app ${owner.app}, in ${owner.file}`;
  };
}

/** Names of the apps that are installed, and those that a stream of somebody else takes. */
async function ownersIn({ snapshot, jsm }: Storage, files: readonly DefinitionFile[]): Promise<TakenBy> {
  const names = [...new Set(files.flatMap(({ text }) => namesIn(text).eventNames))];
  const streams = await streamsOnSubjects(jsm, names);
  return (eventName, app) => {
    const stream = streams.get(eventName);
    const owner = ownerInWords(snapshot.hookByEventName(eventName)?.app, app);
    return owner ?? (stream === undefined ? undefined : `the stream ${stream}`);
  };
}
