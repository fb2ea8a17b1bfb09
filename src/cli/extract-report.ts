import type { ExtractedItem, ExtractResult } from "../library.ts";
import { DEAD_LETTER_TITLES } from "../model/dead-letter.ts";
import type { JsonText } from "../model/mail.ts";
import { placeInWords } from "../extract/place-in-words.ts";
import { arrayOf, objectOf, toJson } from "../event/json.ts";
import { itemsJson } from "../event/items-json.ts";
import { indentJson } from "./indent-json.ts";
import { styled } from "./print.ts";

const MAX_PREVIEW_LINES = 12;
// eslint-disable-next-line no-control-regex -- what would move the cursor or colour the terminal
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g;

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

/** The answer for people: what was found where, what was mended, what was skipped and why, and what would be published. */
export function extractReport(name: string, result: ExtractResult): string {
  const { items, payload, deadLetter, skipped } = result;
  const lines = [`${styled("bold", name)}  ${styled("dim", plainText(headline(result)))}`];
  const branches = [...items.map((item) => itemLines(item, isPayload(item, result))), ...skipped.map(skippedLines)];
  for (const [index, [first = "", ...rest]] of branches.entries()) {
    const isLast = index === branches.length - 1;
    lines.push(`${isLast ? "└─" : "├─"} ${first}`, ...rest.map((line) => `${isLast ? "  " : "│ "}   ${line}`));
  }
  if (payload !== null) lines.push("", styled("green", "payload"), ...preview(payload.json as JsonText));
  if (deadLetter !== null)
    lines.push(
      "",
      `${styled("yellow", "dead letter")} ${deadLetter.code}: ${DEAD_LETTER_TITLES[deadLetter.code]}`,
      `  ${plainText(deadLetter.detail)}`,
    );
  return lines.join("\n");
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
    `${styled("cyan", plainText(name))}  ${plainText(placeInWords(source))}${isChosen ? styled("green", "  ← payload") : ""}`,
    ...(repaired.length === 0 ? [] : [styled("yellow", `mended: ${repaired.join(", ")}`)]),
    ...(duplicateKeys === undefined
      ? []
      : [styled("yellow", plainText(`names that stand twice: ${duplicateKeys.join(", ")}`))]),
    ...(context === undefined ? [] : [styled("yellow", "its context is not bundled, so its types stay as sent")]),
  ];
}

function skippedLines({ source, reason, line, column }: ExtractResult["skipped"][number]): string[] {
  const where = line === undefined ? "" : ` at line ${line}, column ${column}`;
  return [`${styled("red", "skipped")}  ${plainText(placeInWords(source))}`, `${reason}${where}`];
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
