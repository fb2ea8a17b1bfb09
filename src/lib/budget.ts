/** A sum that may not pass its limit: bytes in flight over all connections, say. */
export class Budget {
  #used = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** Whether `amount` would fit now. */
  fits(amount: number): boolean {
    return this.#used + amount <= this.#limit;
  }

  /** Takes `amount` when there is room for it. */
  tryTake(amount: number): boolean {
    if (!this.fits(amount)) return false;
    this.#used += amount;
    return true;
  }

  give(amount: number): void {
    this.#used -= amount;
  }
}
