import type { ExtractedItem, ExtractedPart, ExtractResult, ItemSource } from "../library.ts";
import type { JsonText } from "../model/mail.ts";
import { arrayOf, objectOf, toJson } from "../event/json.ts";
import { itemsJson } from "../event/items-json.ts";
import { indentJson } from "./indent-json.ts";
import { styled } from "./print.ts";

const MAX_PREVIEW_LINES = 24;
const MAX_PARTS = 100;
// eslint-disable-next-line no-control-regex -- what would move the cursor, colour the terminal or turn the text around
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** The answer for machines: `{ "items", "payload", "deadLetter" }`, digits as sent (contract §8). */
export function extractJson({ items, payload, deadLetter }: ExtractResult): JsonText {
  return objectOf([
    [
      "items",
      arrayOf(items.map((item) => itemsJson([{ ...item, value: item.json as JsonText }]).slice(1, -1) as JsonText)),
    ],
    ["payload", (payload?.json ?? "null") as JsonText],
    ["deadLetter", toJson(deadLetter?.code ?? null)],
  ]);
}

/** A sender's words as a terminal may show them: escape sequences in a file name or subject do nothing. */
export function plainText(text: string): string {
  return text.replace(CONTROL, "\uFFFD");
}

/**
 * The answer for people: the parts as a tree, in each what was found, what was mended and what was skipped and why; then
 * what would be published, or why nothing would.
 */
export function extractReport(name: string, result: ExtractResult): string {
  const { parts, payload, deadLetter } = result;
  const lines = [`${styled("bold", name)}  ${styled("dim", plainText(headline(result)))}`];
  for (const [index, part] of parts.slice(0, MAX_PARTS).entries()) {
    const isLast = index === parts.length - 1;
    const inside = insideOf(part, result);
    lines.push(`${isLast ? "└─" : "├─"} ${partInWords(part, inside.length === 0)}`);
    for (const [place, [head = "", ...rest]] of inside.entries()) {
      const stem = isLast ? "   " : "│  ";
      const isLastInside = place === inside.length - 1;
      lines.push(`${stem}${isLastInside ? "└─" : "├─"} ${head}`);
      lines.push(...rest.map((line) => `${stem}${isLastInside ? "  " : "│ "}   ${line}`));
    }
  }
  if (parts.length > MAX_PARTS) lines.push(styled("dim", `   … ${parts.length - MAX_PARTS} more parts`));
  if (payload !== null) lines.push("", styled("green", "payload"), ...preview(payload.json as JsonText));
  if (deadLetter !== null)
    lines.push(
      "",
      `${styled("yellow", "dead letter")} ${deadLetter.code}: ${deadLetter.title}`,
      ...plainText(deadLetter.detail)
        .split("; ")
        .map((line) => `  ${line}`),
    );
  return lines.join("\n");
}

/** The items and failures of one part, each as a line and what stands below it. */
function insideOf({ part }: ExtractedPart, result: ExtractResult): string[][] {
  const { items, skipped } = result;
  return [
    ...items.filter(({ source }) => source.part === part).map((item) => itemLines(item, isPayload(item, result))),
    ...items.flatMap(({ format, alsoIn }) =>
      alsoIn
        .filter((source) => source.part === part)
        .map((source) => [styled("dim", plainText(`${format} again${insideInWords(source)}`))]),
    ),
    ...skipped.filter(({ source }) => source.part === part).map(skippedLines),
  ];
}

function partInWords(
  { part, mediaType, filename, size, forwarded, encrypted }: ExtractedPart,
  isEmpty: boolean,
): string {
  const marks = [
    ...(filename === null ? [] : [filename]),
    sizeInWords(size),
    ...(forwarded ? ["of a forwarded mail"] : []),
    ...(encrypted ? ["encrypted, cannot be read"] : isEmpty ? ["no data"] : []),
  ];
  const text = `part ${part}  ${mediaType}  ${marks.join(", ")}`;
  return isEmpty ? styled("dim", plainText(text)) : plainText(text);
}

function sizeInWords(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(1)} KB` : `${(bytes / 1_048_576).toFixed(1)} MB`;
}

function headline({ kind, mail, items, skipped }: ExtractResult): string {
  const from = mail === null ? kind : `mail "${mail.subject ?? ""}" from ${mail.from ?? "nobody"}`;
  const count = `${items.length} item${items.length === 1 ? "" : "s"}`;
  return `${from}, ${count}${skipped.length === 0 ? "" : `, ${skipped.length} skipped`}`;
}

function itemLines(item: ExtractedItem, isChosen: boolean): string[] {
  const { format, types, source, repaired, duplicateKeys, context } = item;
  const name =
    types.length === 0
      ? format
      : `${format}  ${types.map((type) => type.replace("https://schema.org/", "")).join(", ")}`;
  return [
    `${styled("cyan", plainText(name))}${plainText(insideInWords(source))}${isChosen ? styled("green", "  ← payload") : ""}`,
    ...(repaired.length === 0 ? [] : [styled("yellow", `mended: ${repaired.join(", ")}`)]),
    ...(duplicateKeys === undefined
      ? []
      : [styled("yellow", plainText(`names that stand twice: ${duplicateKeys.join(", ")}`))]),
    ...(context === undefined ? [] : [styled("yellow", "its context is not bundled, so its types stay as sent")]),
  ];
}

function skippedLines({ source, reason, line, column }: ExtractResult["skipped"][number]): string[] {
  const where = line === undefined ? "" : ` at line ${line}, column ${column}`;
  return [`${styled("red", "skipped")}${plainText(insideInWords(source))}`, `${reason}${where}`];
}

/** Where inside its part: `  in a script, in a quote`. */
function insideInWords({ element, quoted, forwarded }: ItemSource): string {
  const marks = [
    ...(element === null || element === "microdata" ? [] : [element === "text" ? "in its text" : `in <${element}>`]),
    ...(quoted === true ? ["quoted"] : []),
    ...(forwarded ? ["forwarded"] : []),
  ];
  return marks.length === 0 ? "" : `  ${marks.join(", ")}`;
}

function isPayload(item: ExtractedItem, { payload }: ExtractResult): boolean {
  return payload !== null && item.json === payload.item.json;
}

function preview(json: JsonText): string[] {
  const lines = plainText(indentJson(json)).split("\n");
  const shown = lines.slice(0, MAX_PREVIEW_LINES).map((line) => `  ${line}`);
  const more = lines.length - shown.length;
  return more > 0 ? [...shown, styled("dim", `  … ${more} more lines, all of them with --json`)] : shown;
}
