import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { parseAllDocuments } from "yaml";

import { DnsLookups } from "../../../src/authenticate/dns-lookups.ts";
import { evaluateSpf } from "../../../src/authenticate/spf.ts";
import type { Zone } from "../../support/dns-server.ts";
import { startDnsServer } from "../../support/dns-server.ts";
import type { ConformanceCase, ConformanceSuite } from "../suite.ts";
import { fail, pass } from "../suite.ts";

// openspf's suite for RFC 7208, over a name server of our own on loopback and the resolver the daemon uses.

interface Scenario {
  readonly description: string;
  readonly tests: Readonly<Record<string, { helo: string; host: string; mailfrom: string; result: string | string[] }>>;
  readonly zonedata: Readonly<Record<string, readonly (string | Readonly<Record<string, unknown>>)[]>>;
}

const LIMITS = {
  timeoutMs: 3_000,
  cacheMs: 60_000,
  troubleMs: 1,
  cachedAnswers: 1_000,
  lookupsPerMail: 200,
  inFlight: 100,
};

export const suite: ConformanceSuite = {
  name: "SPF, RFC 7208",
  folder: "spf",
  argued: {
    "Initial processing/null-text":
      "a TXT record of no strings is illegal, and c-ares takes the whole answer for damaged",
    ...Object.fromEntries(
      [
        "A mechanism syntax/a-colon-domain",
        "A mechanism syntax/a-colon-domain-ip4mapped",
        "MX mechanism syntax/mx-colon-domain",
        "MX mechanism syntax/mx-colon-domain-ip4mapped",
        "Macro expansion rules/macro-mania-in-domain",
      ].map((name) => [
        name,
        "c-ares asks for no name with : / ! or ( in it; such a name counts as one that nobody has",
      ]),
    ),
  },
  cases,
};

async function* cases(folder: string): AsyncGenerator<ConformanceCase> {
  const text = await readFile(join(folder, "rfc7208-tests.yml"), "utf8");
  for (const document of parseAllDocuments(text)) {
    const scenario = document.toJS() as Scenario | null;
    if (scenario === null) continue;
    await using server = await startDnsServer(zoneOf(scenario));
    using dns = new DnsLookups({ servers: [server.address], ...LIMITS });
    for (const [name, { helo, host, mailfrom, result }] of Object.entries(scenario.tests))
      yield {
        name: `${scenario.description}/${name}`,
        run: async () => {
          const question = { from: mailfrom, helo, remoteAddress: host };
          const verdict = await evaluateSpf(question, dns.forMail(Date.now() + 20_000));
          const wanted = [result].flat();
          return wanted.includes(verdict.result) ? pass : fail(`${verdict.result} instead of ${wanted.join(" or ")}`);
        },
      };
  }
}

/** The suite's records; an SPF record stands for a TXT record too, unless there is one. */
function zoneOf({ zonedata }: Scenario): Zone {
  const zone: Record<string, Record<string, unknown>> = {};
  for (const [name, entries] of Object.entries(zonedata)) {
    const records: Record<string, unknown[]> & { fails?: unknown } = {};
    for (const entry of entries) {
      if (typeof entry === "string") records.fails = "servfail" as never;
      else for (const [type, value] of Object.entries(entry)) (records[type] ??= []).push(valueOf(type, value));
    }
    const { SPF = [], TXT = SPF, ...others } = records as Record<string, unknown[]>;
    zone[name] = { ...others, TXT: TXT.filter((text) => text !== "NONE") };
  }
  return zone as Zone;
}

function valueOf(type: string, value: unknown): unknown {
  if (type !== "MX") return value;
  const [priority, exchange] = value as [number, string];
  return { priority, exchange };
}
