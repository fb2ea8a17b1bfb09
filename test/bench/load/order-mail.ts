/** Digits of the number that makes each mail another one; the generator writes them in place. */
export const DIGITS = 10;
const ZERO = "0".repeat(DIGITS);

const ORDER = {
  "@context": "http://schema.org",
  "@type": "Order",
  merchant: { "@type": "Organization", name: "Shop Example" },
  orderNumber: "A-4711",
  priceCurrency: "EUR",
  price: "129.90",
  acceptedOffer: [1, 2, 3, 4].map((line) => ({
    "@type": "Offer",
    itemOffered: { "@type": "Product", name: `Walking shoe, size ${40 + line}`, sku: `SHOE-${line}` },
    price: "43.30",
    priceCurrency: "EUR",
    eligibleQuantity: { "@type": "QuantitativeValue", value: "1" },
  })),
  url: "https://shop.example/orders/A-4711",
  potentialAction: { "@type": "ViewAction", url: "https://shop.example/orders/A-4711" },
};

const FOOTER = [
  "You can send back what you do not like within thirty days, and we pay for the parcel.",
  "Questions? Answer this mail, or call us on working days between nine and five.",
  "Did you not order anything? Then tell us, please, at help@shop.example.",
  "Shop Example Ltd., 1 Example Street, Example Town. Registered in Example under 4711.",
];

/** An order confirmation of about 3.7 KB: multipart/alternative, plain text beside HTML with JSON-LD in its head. */
export function orderMail(to: string): Buffer {
  const rows = ORDER.acceptedOffer.map(
    ({ itemOffered, price }) => `<tr><td>${itemOffered.name}</td><td>${itemOffered.sku}</td><td>${price} EUR</td></tr>`,
  );
  const html = [
    `<html><head><title>Your order</title>`,
    `<script type="application/ld+json">`,
    ...JSON.stringify(ORDER, undefined, 1).split("\n"),
    `</script></head>`,
    `<body><h1>Thank you for your order</h1><p>We have received it and pack it today.</p>`,
    `<table>`,
    ...rows,
    `</table><p><a href="https://shop.example/orders/A-4711">See your order</a></p>`,
    ...FOOTER.map((line) => `<p style="color:#666;font-size:12px">${line}</p>`),
    `</body></html>`,
  ];
  const text = [
    "Thank you for your order A-4711.",
    "We have received it and pack it today.",
    ...ORDER.acceptedOffer.map(({ itemOffered }) => `1 x ${itemOffered.name} (43.30 EUR)`),
    ...FOOTER,
  ];
  const lines = [
    "Received: from mail.shop.example (mail.shop.example [192.0.2.7]) by relay.example with ESMTPS id 4711",
    " for <orders@relay.example>; Wed, 25 Nov 2026 10:00:00 +0000",
    "From: Shop Example <orders@shop.example>",
    `To: Orders <${to}>`,
    "Subject: Your order A-4711",
    "Date: Wed, 25 Nov 2026 10:00:00 +0000",
    `Message-ID: <order-${ZERO}@shop.example>`,
    "MIME-Version: 1.0",
    'Content-Type: multipart/alternative; boundary="=_border_4711"',
    "",
    "--=_border_4711",
    "Content-Type: text/plain; charset=utf-8",
    "",
    ...text,
    "--=_border_4711",
    "Content-Type: text/html; charset=utf-8",
    "Content-Transfer-Encoding: 7bit",
    "",
    ...html,
    "--=_border_4711--",
    "",
  ];
  return Buffer.from(lines.join("\r\n"));
}

/** The same order with a filler in its attachment, so that the whole is about `bytes` long; base64 as mail carries it. */
export function largeOrderMail(to: string, bytes: number): Buffer {
  const small = orderMail(to).toString();
  const line = `${"QUJD".repeat(19)}\r\n`;
  const count = Math.max(0, Math.floor((bytes - small.length - 400) / line.length));
  const head = small.slice(0, small.indexOf("Content-Type: multipart"));
  const inner = small.slice(small.indexOf("Content-Type: multipart"));
  return Buffer.from(
    `${head}Content-Type: multipart/mixed; boundary="=_outer_1"\r\n\r\n--=_outer_1\r\n${inner}--=_outer_1\r\n` +
      `Content-Type: application/pdf; name="invoice.pdf"\r\nContent-Disposition: attachment; filename="invoice.pdf"\r\n` +
      `Content-Transfer-Encoding: base64\r\n\r\n${line.repeat(count)}--=_outer_1--\r\n`,
  );
}

/** Where the number stands in the bytes of a mail. */
export function placeOfNumber(mail: Buffer): number {
  return mail.indexOf(`order-${ZERO}`) + "order-".length;
}

/** Writes `number` over the digits at `place`. */
export function writeNumber(mail: Buffer, place: number, number: number): void {
  for (let at = place + DIGITS - 1, rest = number; at >= place; at -= 1, rest = Math.floor(rest / 10))
    mail[at] = 48 + (rest % 10);
}
