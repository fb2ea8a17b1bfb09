import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";

import { Command, InvalidArgumentError, Option } from "commander";

import type { ExtractCallOptions, ExtractResult } from "../library.ts";
import { extract } from "../library.ts";
import type { JsonSchema } from "../model/hook-options.ts";
import { OperatorError } from "../model/operator-error.ts";
import { wantsJson } from "./context.ts";
import { optionsOfHook } from "./extract-hook.ts";
import { extractJson, extractReport, plainText } from "./extract-report.ts";
import { indentJson } from "./indent-json.ts";
import { print, styled } from "./print.ts";

type Flags = {
  base?: string;
  strict?: boolean;
  explain?: boolean;
  type?: string;
  filename?: string;
  format?: string;
  frame?: string;
  jsonld?: string;
  schema?: string;
  key?: string;
  app?: string;
  event?: string;
};

const KINDS: Readonly<Record<string, ExtractCallOptions["as"]>> = {
  eml: "mail",
  html: "html",
  htm: "html",
  xhtml: "html",
  json: "json",
  jsonld: "json",
  ndjson: "ndjson",
  jsonl: "ndjson",
};
const FORMS = ["as-sent", "compact", "expand", "flatten"] as const;

/** Where the command has its input from, and where its answer goes: a program's, or somebody else's who runs it in process. */
export interface ExtractIo {
  readonly read: (file: string) => Promise<Uint8Array>;
  readonly show: (result: ExtractResult, about: { file: string; explain: boolean; json: boolean }) => void;
}

/** `posthorn extract`: what would be extracted from a mail, a page or a text. Needs no NATS; exit 0 also when nothing is found. */
export function extractCommand({ read, show }: ExtractIo = { read: readInput, show: showResult }): Command {
  return new Command("extract")
    .description("show what would be extracted from a mail, a page, JSON or text")
    .argument("[file]", "a .eml, .html, .json or any other file; - is standard input", "-")
    .option("--base <url>", "address of the page, for relative ones in it", urlOf)
    .option("--strict", "without the repairs of damaged JSON")
    .option("--explain", "why each candidate was or was not taken")
    .option("--type <type>", "as the hook option select: { type }")
    .option("--filename <glob>", "as the hook option select: { filename }")
    .addOption(new Option("--format <format>", "as the hook option select: { format }").choices(["json"]))
    .addOption(new Option("--jsonld <form>", "as the hook option jsonld").choices(FORMS))
    .option("--frame <file>", "as the hook option jsonld: { frame }, a JSON-LD frame file")
    .option("--schema <file>", "as the hook option schema: a JSON Schema file")
    .option("--key <key>", "as the hook option key: only items under this key count")
    .option("--app <file>", "with the options of the email hook in this app definition; flags go before them")
    .option("--event <name>", "which hook of the app, by its event name")
    .addHelpText(
      "after",
      "\nExamples:\n  posthorn extract order.eml\n  posthorn extract page.html --base https://shop.example/ --explain\n  posthorn extract order.eml --app shop.json --event kustomer.app.shop.order\n  posthorn extract --strict --json < order.eml",
    )
    .action(async (file: string, flags: Flags, command: Command) => {
      const result = await extract(await read(file), await callOptions(file, flags));
      show(result, { file, explain: flags.explain === true, json: wantsJson(command) });
    });
}

function showResult(result: ExtractResult, { file, explain, json }: Parameters<ExtractIo["show"]>[1]): void {
  // A pipe wants JSON, a person a picture; --explain goes beside the JSON, not into it.
  const machine = json || process.stdout.isTTY !== true;
  print(machine ? indentJson(extractJson(result)) : extractReport(file === "-" ? "standard input" : file, result));
  if (explain) explainNotes(result.notes, machine ? process.stderr : process.stdout);
}

function explainNotes(notes: readonly string[], stream: NodeJS.WriteStream): void {
  stream.write(`\n${styled("bold", "looked at")}\n${notes.map((note) => `  ${plainText(note)}\n`).join("")}`);
}

async function readInput(file: string): Promise<Buffer> {
  if (file !== "-") return readOrFail(file);
  if (process.stdin.isTTY)
    throw new OperatorError("nothing to read", "name a file, or pipe one in: posthorn extract order.eml", {
      exitCode: 2,
    });
  return buffer(process.stdin);
}

async function readOrFail(file: string): Promise<Buffer> {
  return readFile(file).catch((error: unknown) => {
    throw new OperatorError(`cannot read ${file}`, "check the path and its permissions", { cause: error });
  });
}

async function callOptions(
  file: string,
  { base, strict, type, filename, format, jsonld, frame, schema, key, app, event }: Flags,
): Promise<ExtractCallOptions> {
  const as = KINDS[/\.([A-Za-z0-9]+)$/.exec(file)?.[1]?.toLowerCase() ?? ""];
  const form = FORMS.find((name) => name === jsonld);
  const env = key === undefined ? process.env : undefined;
  const ofHook = app === undefined ? {} : optionsOfHook((await readOrFail(app)).toString("utf8"), app, event, env);
  return {
    ...ofHook,
    strict: strict === true,
    ...(as !== undefined && { as }),
    ...(base !== undefined && { baseUrl: base }),
    ...(type !== undefined && { select: { type } }),
    ...(filename !== undefined && { select: { filename } }),
    ...(format !== undefined && { select: { format: "json" } }),
    ...(form !== undefined && { jsonld: form }),
    ...(frame !== undefined && {
      jsonld: { frame: (await readJsonFile(frame, "a JSON-LD frame")) as Readonly<Record<string, unknown>> },
    }),
    ...(schema !== undefined && { schema: (await readJsonFile(schema, "a JSON Schema")) as JsonSchema }),
    ...(key !== undefined && { key }),
  };
}

async function readJsonFile(file: string, what: string): Promise<unknown> {
  const text = (await readOrFail(file)).toString("utf8");
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new OperatorError(`${file} is no JSON`, `give ${what} file`, { cause: error });
  }
}

function urlOf(text: string): string {
  const url = URL.parse(text);
  if (url === null) throw new InvalidArgumentError("an absolute URL is expected, such as https://shop.example/");
  return url.href;
}
