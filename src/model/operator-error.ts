/**
 * A mistake of the operator, at start or in a command. `main.ts` ends it as one line: what is wrong, and what to do.
 *
 * `exitCode` 1 is a failure, 2 wrong usage, 78 a wrong configuration (contract §8; sysexits.h EX_CONFIG).
 */
export class OperatorError extends Error {
  readonly hint: string;
  readonly exitCode: 1 | 2 | 78;
  /** Each thing that is wrong by itself, where there are several; the message has them all. */
  readonly problems: readonly OperatorProblem[] | undefined;

  constructor(
    message: string,
    hint: string,
    options: ErrorOptions & { readonly exitCode?: 1 | 2 | 78; readonly problems?: readonly OperatorProblem[] } = {},
  ) {
    super(message, options);
    this.name = "OperatorError";
    this.hint = hint;
    this.exitCode = options.exitCode ?? 1;
    this.problems = options.problems;
  }
}

/** One thing that is wrong in a file of the operator's. */
export interface OperatorProblem {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** JSON Pointer. */
  readonly pointer: string;
  readonly message: string;
}
