export interface SessionDeadlineSettings {
  /** From MAIL to the final dot. */
  readonly transactionMs: number;
  /** From the greeting, or from the answer to a mail, to the next mail that has come whole. */
  readonly nextMailMs: number;
}

/**
 * The deadlines of one conversation that no byte and no NOOP moves: without them, a word a minute holds a place for ever.
 *
 * A relay that keeps its connection and sends mail after mail meets neither.
 */
export class SessionDeadlines {
  readonly #settings: SessionDeadlineSettings;
  readonly #onLateTransaction: () => void;
  readonly #onLateMail: () => void;
  #transaction: NodeJS.Timeout | undefined;
  #isInTransaction = false;
  #mail: NodeJS.Timeout | undefined;

  constructor(
    settings: SessionDeadlineSettings,
    { onLateTransaction, onLateMail }: { readonly onLateTransaction: () => void; readonly onLateMail: () => void },
  ) {
    this.#settings = settings;
    this.#onLateTransaction = onLateTransaction;
    this.#onLateMail = onLateMail;
  }

  /** A mail may come from now on: the session has begun, or the last mail was answered. */
  expectMail(): void {
    if (this.#mail === undefined) this.#mail = setTimeout(this.#onLateMail, this.#settings.nextMailMs);
    else this.#mail.refresh();
  }

  startTransaction(): void {
    this.#isInTransaction = true;
    // One timer for all transactions: it costs less to let it run on than to make one for each mail.
    if (this.#transaction === undefined)
      this.#transaction = setTimeout(
        () => (this.#isInTransaction ? this.#onLateTransaction() : undefined),
        this.#settings.transactionMs,
      );
    else this.#transaction.refresh();
  }

  endTransaction(): void {
    this.#isInTransaction = false;
  }

  /** The session is over. */
  end(): void {
    clearTimeout(this.#transaction);
    clearTimeout(this.#mail);
    this.#transaction = undefined;
    this.#mail = undefined;
  }
}
