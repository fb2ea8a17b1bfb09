import { expect, test } from "vitest";

import { readSettings } from "../../src/config/settings.ts";
import { checkMailDoor, tlsCheck } from "../../src/daemon/health-mail.ts";
import { makeCertificate, writeCertificate } from "../support/certificate.ts";
import { startDnsServer } from "../support/dns-server.ts";
import { temporaryFolder } from "../support/folder.ts";

const NAME = "hooks.example";

test.each([
  ["one that is good", makeCertificate(NAME, 90).cert, /^until \d{4}-\d\d-\d\d, 1 certificate, signed by itself/],
  ["one that has ended", makeCertificate(NAME, -2).cert, /ended on .*Renew it/],
  ["one that ends soon", makeCertificate(NAME, 5).cert, /ends on .* in [45] days/],
  [
    "one for another name",
    makeCertificate("other.example", 90).cert,
    /is for DNS:other\.example.*none of hooks\.example/,
  ],
  [
    "a chain whose parts do not belong together",
    makeCertificate(NAME, 90).cert + makeCertificate("ca.example", 90).cert,
    /certificate 1 of the chain is not signed by the one behind it/,
  ],
])("of a certificate doctor says: %s", (_what, pem, detail) => {
  expect(tlsCheck(pem, [NAME], Date.now()).detail).toMatch(detail);
});

test("doctor looks at the files and asks the name server; a key of another certificate is a failure, never an exception", async () => {
  await using folder = await temporaryFolder();
  await using dns = await startDnsServer({ [NAME]: { MX: [{ priority: 10, exchange: "mx.hooks.example" }] } });
  const env = { POSTHORN_MAIL_DOMAIN: NAME, POSTHORN_DNS_SERVERS: dns.address };
  const files = await writeCertificate(folder.path, makeCertificate(NAME, 90));
  expect(await checkMailDoor(readSettings({ ...env, ...files }), Date.now())).toMatchObject([
    { name: "tls", ok: true, detail: expect.stringMatching(/^until /) },
    { name: "dns", ok: true, detail: "mail for hooks.example goes to mx.hooks.example" },
  ]);
  const wrong = await writeCertificate(folder.path, {
    cert: makeCertificate(NAME).cert,
    key: makeCertificate(NAME).key,
  });
  const down = { ...env, ...wrong, POSTHORN_DNS_SERVERS: "127.0.0.1:1" };
  expect(await checkMailDoor(readSettings(down), Date.now())).toMatchObject([
    { name: "tls", ok: false, detail: expect.stringContaining("cannot be used together: ") },
    { name: "dns", warning: true, detail: expect.stringContaining("no answer (ECONNREFUSED)") },
  ]);
  const open = { ...env, POSTHORN_SMTP_LISTEN: "0.0.0.0:2525" };
  expect(await checkMailDoor(readSettings(open), Date.now())).toMatchObject([
    { name: "tls", warning: true, detail: expect.stringContaining("from other machines too") },
    { name: "dns", ok: true },
  ]);
});
