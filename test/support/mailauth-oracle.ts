import { createRequire } from "node:module";

import type { Lookup } from "../../src/authenticate/dns-lookups.ts";

// What mailauth 7.1.0 finds, for comparison: its own DKIM and ARC code is slow on hostile input, but right on all other.

const require = createRequire(import.meta.url);

interface Hasher {
  update(chunk: Buffer): void;
  digest(encoding: "base64"): string;
  readonly canonicalizedLength: number;
}
interface Row {
  readonly key: string | null;
  readonly line: Buffer;
}
interface Tags {
  readonly parsed: Readonly<Record<string, { readonly value: string | number } | undefined>>;
}
interface VerifyResult {
  readonly results: readonly {
    readonly signingDomain?: string;
    readonly status: { readonly result: string; readonly underSized?: number };
  }[];
  readonly headerFrom: readonly string[];
  readonly arc: unknown;
}
interface ArcResult {
  readonly i: number | false;
  readonly status: { readonly result: string };
  readonly authenticationResults?: {
    readonly mta?: string;
    readonly dmarc?: { readonly result?: string; readonly header?: { readonly from?: string } };
  };
}

export const { dkimBody } = require("mailauth/lib/dkim/body/index.js") as {
  readonly dkimBody: (canonicalization: string, algorithm: string, maxBodyLength: number | false) => Hasher;
};
export const { formatRelaxedLine, stripSignatureValue, parseHeaders } = require("mailauth/lib/tools.js") as {
  readonly formatRelaxedLine: (line: Buffer) => Buffer;
  readonly stripSignatureValue: (line: Buffer) => Buffer;
  readonly parseHeaders: (header: Buffer) => { readonly parsed: readonly Row[] };
};
export const parseDkimHeaders = require("mailauth/lib/parse-dkim-headers.js") as (line: Buffer) => Tags;
const { dkimVerify } = require("mailauth/lib/dkim/verify.js") as {
  readonly dkimVerify: (mail: Buffer, options: object) => Promise<VerifyResult>;
};
const { arc } = require("mailauth/lib/arc/index.js") as {
  readonly arc: (data: unknown, options: object) => Promise<ArcResult>;
};

export interface OracleReading {
  /** Of each signature that it can read; "policy" where it holds for part of the body only. */
  readonly signatures: readonly string[];
  readonly arc: string;
  readonly claimed: { readonly by: string | null; readonly dmarc: string | null; readonly from: string | null } | null;
  readonly headerFrom: readonly string[];
}

/** mailauth's verdicts in our words. */
export async function mailauthReading(mail: Buffer, resolver: Lookup): Promise<OracleReading> {
  const options = { resolver, sender: "a@b.example", minBitLength: 1024, rejectRsaSha1: true };
  const verified = await dkimVerify(mail, options);
  const chain = await arc(verified.arc, options);
  const found = chain.authenticationResults;
  const signatures = verified.results
    .filter(({ signingDomain }) => signingDomain !== undefined)
    .map(({ status }) => (status.result === "pass" && (status.underSized ?? 0) > 0 ? "policy" : status.result));
  return {
    signatures,
    arc: chain.status.result,
    claimed:
      found === undefined
        ? null
        : { by: found.mta ?? null, dmarc: found.dmarc?.result ?? null, from: found.dmarc?.header?.from ?? null },
    headerFrom: verified.headerFrom,
  };
}
