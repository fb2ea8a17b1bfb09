import type { Hook } from "../model/hook.ts";
import type { Recipient } from "../model/mail.ts";

/** What one mail means for one hook under one tag: exactly one event or dead letter. */
export interface Delivery {
  readonly hook: Hook;
  readonly tag: string | null;
  /** The recipients that led here, as the relay wrote them. */
  readonly addresses: readonly string[];
}

/**
 * Groups recipients into deliveries; `indexOf[i]` is the delivery of recipient `i`.
 *
 * One hook named twice is one event; under two tags it is two, because relays may split recipients (contract §7).
 */
export function deliveriesOf(recipients: readonly Recipient[]): {
  deliveries: readonly Delivery[];
  indexOf: readonly number[];
} {
  const deliveries: { hook: Hook; tag: string | null; addresses: string[] }[] = [];
  const known = new Map<string, number>();
  const indexOf = recipients.map(({ hook, tag, address }) => {
    const key = `${hook.hookId} ${tag ?? ""}`;
    const index = known.get(key);
    if (index !== undefined) {
      deliveries[index]?.addresses.push(address);
      return index;
    }
    known.set(key, deliveries.length);
    return deliveries.push({ hook, tag, addresses: [address] }) - 1;
  });
  return { deliveries, indexOf };
}
