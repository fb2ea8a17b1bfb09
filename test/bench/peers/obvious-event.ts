import { createHash, randomUUID } from "node:crypto";

import { load } from "cheerio";
import type { AddressObject, ParsedMail } from "mailparser";

export const EVENT_NAME = "kustomer.app.shop.order";

/** The event as the obvious program makes it: every script of JSON-LD parsed, the first one is the payload. */
export function eventOf(
  mail: ParsedMail,
  from: string,
  to: readonly string[],
): { readonly id: string; readonly text: string } {
  const items: unknown[] = [];
  if (typeof mail.html === "string") {
    const $ = load(mail.html);
    $('script[type="application/ld+json"]').each((_, element) => {
      const value: unknown = JSON.parse($(element).text());
      items.push({ format: "json-ld", source: { mediaType: "text/html", element: "script" }, value });
    });
  }
  const id = createHash("sha256")
    .update(`${mail.messageId ?? randomUUID()}\n${EVENT_NAME}`)
    .digest("hex")
    .slice(0, 26);
  const addresses = (field: AddressObject | AddressObject[] | undefined) =>
    [field ?? []].flat().flatMap(({ value }) => value);
  const text = JSON.stringify({
    specversion: "1.0",
    id,
    source: "/apps/shop/hooks/order",
    type: EVENT_NAME,
    subject: mail.subject,
    time: new Date().toISOString(),
    datacontenttype: "application/json",
    app: "shop",
    hooktype: "email",
    data: {
      payload: (items[0] as { readonly value?: unknown } | undefined)?.value ?? null,
      items,
      mail: {
        from: addresses(mail.from)[0],
        to: addresses(mail.to),
        cc: addresses(mail.cc),
        subject: mail.subject,
        date: mail.date,
        messageId: mail.messageId,
        text: mail.text,
        envelope: { from, to },
        attachments: mail.attachments.map(({ filename, contentType, size, checksum }) => ({
          filename,
          mediaType: contentType,
          size,
          sha256: checksum,
        })),
      },
    },
  });
  return { id, text };
}
