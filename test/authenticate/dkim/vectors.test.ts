import { expect, test } from "vitest";

import { headerRowsOf } from "../../../src/authenticate/header-rows.ts";
import { senderFieldsOf } from "../../../src/authenticate/sender-fields.ts";
import { readSignatures } from "../../../src/authenticate/signatures-of-mail.ts";

// The examples of the RFCs themselves, with the keys that they print.

const KEYS: Readonly<Record<string, string>> = {
  // RFC 6376, appendix C.
  "brisbane._domainkey.example.com":
    "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB",
  // RFC 8463, appendix A.2.
  "brisbane._domainkey.football.example.com": "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
  "test._domainkey.football.example.com":
    "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
};

const MESSAGE = [
  "From: Joe SixPack <joe@football.example.com>",
  "To: Suzie Q <suzie@shopping.example.net>",
  "Subject: Is dinner ready?",
  "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)",
  "Message-ID: <20030712040037.46341.5F8J@football.example.com>",
  "",
  "Hi.",
  "",
  "We lost the game.  Are you hungry yet?",
  "",
  "Joe.",
  "",
];

/** RFC 6376, appendix A.2. */
const RFC_6376 = [
  "DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;",
  "      c=simple/simple; q=dns/txt; i=joe@football.example.com;",
  "      h=Received : From : To : Subject : Date : Message-ID;",
  "      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;",
  "      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB",
  "      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut",
  "      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV",
  "      4bmp/YzhwvcubU4=;",
  "Received: from client1.football.example.com  [192.0.2.1]",
  "      by submitserver.example.com with SUBMISSION;",
  "      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)",
  ...MESSAGE,
]
  .join("\r\n")
  // As it was signed, though not as it is printed there.
  .replace("game.  Are", "game. Are");

/** RFC 8463, appendix A.3. */
const RFC_8463 = [
  "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;",
  " d=football.example.com; i=@football.example.com;",
  " q=dns/txt; s=brisbane; t=1528637909; h=from : to :",
  " subject : date : message-id : from : subject : date;",
  " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;",
  " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus",
  " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==",
  "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;",
  " d=football.example.com; i=@football.example.com;",
  " q=dns/txt; s=test; t=1528637909; h=from : to : subject :",
  " date : message-id : from : subject : date;",
  " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;",
  " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3",
  " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz",
  " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=",
  ...MESSAGE,
].join("\r\n");

async function resultsOf(text: string): Promise<unknown> {
  const mail = Buffer.from(text);
  const header = headerRowsOf(mail);
  const lookup = (name: string) => Promise.resolve([[KEYS[name]]]);
  const { dkim } = await readSignatures({ mail, header, ...senderFieldsOf(mail, header) }, lookup, Date.now());
  return (dkim["signatures"] as { domain: string; algorithm: string; result: string }[]).map(
    ({ domain, algorithm, result }) => `${domain} ${algorithm} ${result}`,
  );
}

test("the example of RFC 6376 holds, and breaks with any byte that it covers", async () => {
  expect(await resultsOf(RFC_6376)).toEqual(["example.com rsa-sha256 pass"]);
  for (const changed of [
    RFC_6376.replace("Hi.", "Hi!"),
    RFC_6376.replace("Subject: Is", "Subject:  Is"),
    RFC_6376.replace("\r\nFrom: Joe", "\r\nfrom: Joe"),
    RFC_6376.replace("q=dns/txt", "q=dns/tx"),
    RFC_6376.replace("football.example.com  [", "football.example.com ["),
  ])
    expect(await resultsOf(changed)).not.toEqual(["example.com rsa-sha256 pass"]);
});

test("the example of RFC 8463 holds in both algorithms, whatever happens to its blanks", async () => {
  const both = ["football.example.com ed25519-sha256 pass", "football.example.com rsa-sha256 pass"];
  expect(await resultsOf(RFC_8463)).toEqual(both);
  for (const changed of [
    RFC_8463.replace("game.  Are", "game. \t Are"),
    RFC_8463.replace("yet?", "yet? \t"),
    `${RFC_8463}\r\n \t\r\n\r\n`,
    RFC_8463.replace("Subject: Is dinner", "SUBJECT \t: \r\n Is\r\n\tdinner").replace("ready?", "ready? "),
    RFC_8463.replaceAll("\r\n", "\n"),
  ])
    expect(await resultsOf(changed)).toEqual(both);
  expect(await resultsOf(RFC_8463.replace("yet?", "yet ?"))).toEqual(
    both.map((line) => line.replace("pass", "neutral")),
  );
  // Named twice, so that there may be no second one.
  expect(await resultsOf(RFC_8463.replace("Date:", "Subject: x\r\nDate:"))).toEqual(
    both.map((line) => line.replace("pass", "fail")),
  );
});
