import type { Log, LogFields } from "../../src/telemetry/log.ts";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly sentence: string;
  readonly fields: LogFields;
}

/** A log that keeps its lines for a test to look at. */
export function recordedLog(): Log & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const at =
    (level: LogLine["level"]) =>
    (sentence: string, fields: LogFields = {}) =>
      void lines.push({ level, sentence, fields });
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
