/**
 * A mistake of the operator, at start or in a command. `main.ts` ends it as one line: what is wrong, and what to do.
 *
 * `exitCode` 1 is a failure, 2 wrong usage, 78 a wrong configuration (contract §8; sysexits.h EX_CONFIG).
 */
export class OperatorError extends Error {
  readonly hint: string;
  readonly exitCode: 1 | 2 | 78;

  constructor(message: string, hint: string, options: ErrorOptions & { readonly exitCode?: 1 | 2 | 78 } = {}) {
    super(message, options);
    this.name = "OperatorError";
    this.hint = hint;
    this.exitCode = options.exitCode ?? 1;
  }
}
