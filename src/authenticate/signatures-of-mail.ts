import { arc } from "mailauth/lib/arc/index.js";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";

import type { Verdict } from "../model/verdicts.ts";
import type { Lookup } from "./dns-lookups.ts";

/** RFC 8301 §3.2: shorter RSA keys are not acceptable. */
const MIN_KEY_BITS = 1024;

export interface SignatureReading {
  readonly dkim: Verdict;
  readonly arc: Verdict;
  /** Addresses in From, and how many From fields there are, as the verifier read them. */
  readonly headerFrom: readonly string[];
  readonly fromFields: number;
  /** Signatures that hold. */
  readonly passed: readonly { readonly id?: string; readonly domain: string; readonly underSized?: number }[];
  /** A signature could not be judged because DNS was in trouble. */
  readonly isDnsTrouble: boolean;
}

interface HiddenChain {
  readonly chain?:
    | readonly {
        readonly "arc-seal"?: { readonly parsed?: { readonly d?: { readonly value?: string } } };
      }[]
    | false;
}

/**
 * Verifies the DKIM signatures and the ARC chain over the bytes as they came in.
 *
 * `mail` may be the header block alone when there is no signature and only From is asked for. A signature that covers
 * less than the body (`l=`) does not pass: what follows could be anybody's (RFC 6376 §8.2).
 */
export async function readSignatures(
  mail: Uint8Array,
  envelopeFrom: string,
  lookup: Lookup,
): Promise<SignatureReading> {
  const resolver = lookup as (name: string, type: string) => Promise<string[]>;
  const bytes = Buffer.from(mail.buffer, mail.byteOffset, mail.byteLength);
  const reading = await dkimVerify(bytes, {
    resolver,
    sender: envelopeFrom,
    minBitLength: MIN_KEY_BITS,
    rejectRsaSha1: true,
  });
  const results = reading.results.filter(({ signingDomain }) => signingDomain !== undefined);
  const whole = (result: (typeof results)[number]) => !(Number(result.status.underSized ?? 0) > 0);
  const signatures = results.map((result) => ({
    result: result.status.result === "pass" && !whole(result) ? "policy" : String(result.status.result),
    domain: result.signingDomain ?? null,
    selector: result.selector ?? null,
    algorithm: result.algo ?? null,
  }));
  const passed = results.flatMap((result) =>
    result.status.result === "pass" && whole(result) && result.signingDomain !== undefined
      ? [{ ...(result.id !== undefined && { id: result.id }), domain: result.signingDomain }]
      : [],
  );
  return {
    dkim: { result: "none", domain: null, signatures },
    arc: reading.arc === undefined ? NO_CHAIN : await readChain(reading.arc as Parameters<typeof arc>[0], resolver),
    headerFrom: reading.headerFrom,
    fromFields: reading.fromFields,
    passed,
    isDnsTrouble: signatures.some(({ result }) => result === "temperror"),
  };
}

const NO_CHAIN: Verdict = { result: "none", domain: null };

async function readChain(
  data: Parameters<typeof arc>[0],
  resolver: (name: string, type: string) => Promise<string[]>,
): Promise<Verdict> {
  const result = await arc(data, { resolver, minBitLength: MIN_KEY_BITS });
  const { chain } = result as HiddenChain;
  const last = Array.isArray(chain) ? chain.at(-1) : undefined;
  const sealer = last?.["arc-seal"]?.parsed?.d?.value ?? null;
  const found = result.authenticationResults as
    | {
        readonly mta?: string;
        readonly dmarc?: { readonly result?: string; readonly header?: { readonly from?: string } };
      }
    | undefined;
  return {
    result: String(result.status.result),
    domain: sealer,
    instance: result.i === false ? 0 : result.i,
    // What the last sealer says it found; worth as much as the sealer is.
    claimed:
      found === undefined
        ? null
        : { by: found.mta ?? null, dmarc: found.dmarc?.result ?? null, from: found.dmarc?.header?.from ?? null },
  };
}
