import { createRequire } from "node:module";

import { pino } from "pino";
import type PinoPretty from "pino-pretty";

/** Names and values that stand beside a log sentence. Never bodies, payloads, keys or signature secrets. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A constant sentence plus fields. `warn` when the sender must retry, `error` only when a person should act. */
export interface Log {
  debug(sentence: string, fields?: LogFields): void;
  info(sentence: string, fields?: LogFields): void;
  warn(sentence: string, fields?: LogFields): void;
  error(sentence: string, fields?: LogFields): void;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** The log of the process on stderr: JSON lines, or coloured lines when stderr is a terminal. */
export function createLog(level: LogLevel): Log {
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    process.stderr.isTTY ? prettyLines() : gatheredLines(),
  );
  return {
    debug: (sentence, fields = {}) => logger.debug(fields, sentence),
    info: (sentence, fields = {}) => logger.info(fields, sentence),
    warn: (sentence, fields = {}) => logger.warn(fields, sentence),
    error: (sentence, fields = {}) => logger.error(fields, sentence),
  };
}

/** Lines of a few milliseconds are written together: a write for each mail costs a tenth of it. */
const GATHER_MS = 4;
const GATHERED_BYTES = 8 * 1024;

/** Standard error, in few writes; at the end of the process, after a fault too, what is gathered is written. */
function gatheredLines(): { write(line: string): void } {
  const lines = pino.destination({ fd: 2, sync: true, minLength: GATHERED_BYTES });
  let timer: NodeJS.Timeout | undefined;
  process.on("exit", () => lines.flushSync());
  return {
    write: (line) => {
      lines.write(line);
      timer ??= setTimeout(() => {
        timer = undefined;
        lines.flushSync();
      }, GATHER_MS);
    },
  };
}

/** Loaded for a person at a terminal only: services and containers have none. */
function prettyLines(): NodeJS.WritableStream {
  const pretty = createRequire(import.meta.url)("pino-pretty") as typeof PinoPretty;
  return pretty({ destination: 2, colorize: process.env["NO_COLOR"] === undefined, translateTime: "HH:MM:ss.l" });
}
