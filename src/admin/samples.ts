/** A friendly mail with JSON-LD as shops send it; LF line ends. Its Message-ID is of this moment, so that each send is an event. */
export function sampleMail(to: string, now: Date): string {
  return `From: Example Shop <orders@shop.example>
To: ${to}
Subject: Your order 1001
Date: ${now.toUTCString().replace("GMT", "+0000")}
Message-ID: <sample-${now.getTime()}@shop.example>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="sample"

--sample
Content-Type: text/plain; charset=utf-8

Thank you for your order 1001.

--sample
Content-Type: text/html; charset=utf-8

<html><head><script type="application/ld+json">
{"@context": "https://schema.org", "@type": "Order", "orderNumber": "1001", "price": 19.90, "priceCurrency": "EUR"}
</script></head><body><p>Thank you for your order 1001.</p></body></html>

--sample--
`;
}

/** What a form or web hook is sent when no file is given. */
export function sampleBody(): string {
  return JSON.stringify({ orderNumber: "1001", status: "shipped", sentBy: "posthorn send" });
}
