import { setTimeout as delay } from "node:timers/promises";

import type { ClientLimits } from "../client-limits.ts";
import {
  MAX_UNKNOWN_DELAY_MS,
  MAX_UNKNOWN_RECIPIENTS,
  MAX_WRONG_LOGINS,
  UNKNOWN_DELAY_MS,
  UNKNOWN_RECIPIENTS_AT_FULL_SPEED,
} from "./limits.ts";

/** What one connection got wrong so far: passwords, and recipients nobody knows. */
export class Guesses {
  #wrongLogins = 0;
  #unknownRecipients = 0;

  /** Counts a password that was wrong; whether those were too many for one connection. */
  countWrongLogin(): boolean {
    this.#wrongLogins += 1;
    return this.#wrongLogins >= MAX_WRONG_LOGINS;
  }

  /**
   * Counts a recipient nobody knows. From the eleventh on the answer takes longer each time; true when the connection
   * shall end, because it, its address or its network has asked for too many.
   */
  async countUnknownRecipient(remoteAddress: string, limits: ClientLimits): Promise<boolean> {
    this.#unknownRecipients += 1;
    const isWithin = limits.tryUnknown(remoteAddress, Date.now());
    if (!isWithin || this.#unknownRecipients > MAX_UNKNOWN_RECIPIENTS) return true;
    const tooMany = this.#unknownRecipients - UNKNOWN_RECIPIENTS_AT_FULL_SPEED;
    if (tooMany > 0) await delay(Math.min(MAX_UNKNOWN_DELAY_MS, tooMany * UNKNOWN_DELAY_MS));
    return false;
  }
}
