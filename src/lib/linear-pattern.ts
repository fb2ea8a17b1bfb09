import { RE2JS } from "re2js";

/** A pattern that is compiled. */
export interface LinearPattern {
  readonly test: (text: string) => boolean;
}

/** A pattern that cannot be compiled; `advice` says what to write instead. */
export class PatternError extends Error {
  readonly advice: string;

  constructor(message: string, advice: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PatternError";
    this.advice = advice;
  }
}

/**
 * Compiles a pattern as ECMA-262 writes it for RE2, whose time is linear in the text. Throws {@link PatternError}.
 *
 * What RE2 does not have is refused, named references to groups too: they would be taken for the letter k.
 *
 * Source: google/re2, "Syntax"; ECMA-262 §22.2.1.
 */
export function compileLinear(pattern: string): LinearPattern {
  try {
    if (NAMED_REFERENCE.test(pattern)) throw new SyntaxError("a reference to a group");
    const expression = RE2JS.compile(RE2JS.translateRegExp(pattern));
    return { test: (text) => expression.matcher(text).find() };
  } catch (cause) {
    const foreign = FOREIGN.find(({ isIn }) => isIn.test(pattern));
    const message = cause instanceof Error ? cause.message.replace(/^error parsing regexp: /, "") : String(cause);
    throw new PatternError(
      foreign?.what ?? message,
      foreign?.advice ?? "write it in the syntax of RE2 (github.com/google/re2/wiki/Syntax)",
      { cause },
    );
  }
}

interface Foreign {
  readonly isIn: RegExp;
  readonly what: string;
  readonly advice: string;
}

/** re2js 2.10 translates it into something else instead of refusing it. */
const NAMED_REFERENCE = /(?<!\\)(?:\\\\)*\\k</;
const SPLIT = 'write each condition as a pattern of its own under "allOf"';
const NOT = 'write what must not match as "not": { "pattern": … }';

/** What authors bring from other engines, and what to write instead. An escaped backslash before it makes it none. */
const FOREIGN: readonly Foreign[] = [
  { isIn: /(?<!\\)(?:\\\\)*\(\?=/, what: "a lookahead, (?=…), is not supported", advice: SPLIT },
  { isIn: /(?<!\\)(?:\\\\)*\(\?!/, what: "a negative lookahead, (?!…), is not supported", advice: NOT },
  { isIn: /(?<!\\)(?:\\\\)*\(\?<=/, what: "a lookbehind, (?<=…), is not supported", advice: SPLIT },
  { isIn: /(?<!\\)(?:\\\\)*\(\?<!/, what: "a negative lookbehind, (?<!…), is not supported", advice: NOT },
  {
    isIn: NAMED_REFERENCE,
    what: "a reference to a group, \\k<…>, is not supported",
    advice: "list what may stand there, with | between",
  },
  {
    isIn: /(?<!\\)(?:\\\\)*\\[1-9]/,
    what: "a reference to a group, such as \\1, is not supported",
    advice: "list what may stand there, with | between",
  },
  {
    isIn: /(?<!\\)(?:\\\\)*\\[pP]\{[^}]*=/,
    what: "a property with a name and a value is not supported",
    advice: "write the value alone: \\p{Greek}, \\p{Lu}",
  },
  {
    isIn: /\{\d{4,}|\{\d{2,}.*\{\d{2,}/s,
    what: "repeats more than 1000 times",
    advice: 'bound the length by "minLength" and "maxLength"',
  },
];
