import type { Budget } from "../../lib/budget.ts";

/** What one mail has taken of the bytes in flight over all connections. */
export class TransactionBytes {
  readonly #budget: Budget;
  #taken = 0;
  /** Of those taken, the ones that were announced and have not come yet. */
  #ahead = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Takes what is announced before it comes, where there is room: of ten large mails at once all would be turned away at their last bytes. */
  reserve(count: number): void {
    if (this.take(count)) this.#ahead = count;
  }

  /** Takes bytes that have come; false when there is no room. */
  take(count: number): boolean {
    const more = Math.max(0, count - this.#ahead);
    if (!this.#budget.tryTake(more)) return false;
    this.#ahead -= count - more;
    this.#taken += more;
    return true;
  }

  /** The mail is gone, or was never whole. */
  giveAll(): void {
    this.#budget.give(this.#taken);
    this.#taken = 0;
    this.#ahead = 0;
  }
}
