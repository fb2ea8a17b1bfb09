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
    this.endTransaction();
    this.#transaction = setTimeout(this.#onLateTransaction, this.#settings.transactionMs);
  }

  endTransaction(): void {
    clearTimeout(this.#transaction);
  }

  /** The session is over. */
  end(): void {
    this.endTransaction();
    clearTimeout(this.#mail);
    this.#mail = undefined;
  }
}
