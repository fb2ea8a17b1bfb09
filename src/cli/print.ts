import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Text in a style, on a terminal only; NO_COLOR is respected. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** One line on stdout. Does not mind a reader that has gone away (`| head`). */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A value on stdout as JSON, for machines. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** What was done all the same and somebody should know, a line each, on stderr. */
export function printWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) process.stderr.write(`${styled("yellow", "warning:")} ${warning}\n`);
}

/** Rows in columns as wide as they need to be, with a heading; an empty table says `nothing` instead. */
export function printTable(
  rows: readonly Readonly<Record<string, string>>[],
  columns: readonly string[],
  nothing: string,
): void {
  if (rows.length === 0) return print(nothing);
  const widths = columns.map((column) => Math.max(column.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd();
  print(styled("bold", line(columns.map((column) => column.toUpperCase()))));
  for (const row of rows) print(line(columns.map((column) => row[column] ?? "")));
}
