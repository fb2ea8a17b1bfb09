import { Latest } from "../lib/latest.ts";
import { DOS_PAGES, LABELS, PAGES } from "./charset-table.ts";
import { QUOTES_AND_BLANKS, trimAll } from "./trim.ts";

/**
 * What a label says: a charset by the name that our decoders know; `careless`, a name that mailers write without looking
 * (plain ASCII, the Western sets), believed only where UTF-8 is not plainer; `unknown`, a name that nobody here knows or
 * that says itself that nobody knows it.
 */
export type LabelReading =
  | { readonly kind: "known"; readonly charset: string }
  | { readonly kind: "careless"; readonly charset: string }
  | { readonly kind: "unknown" };

const PAGE =
  /^(?:x|cs)?(?:windows|windowscp|win|wincp|ms|mscp|microsoftcp|codepage|cp|xcp|cpage|ansi|ibm|ibmcp|dos|oem|msdos|pc|ccsid)?0{0,3}(\d{3,5})[cp]?$/;
const PART_OF_8859 = /^(?:x|cs)?(?:iso|isoiec|isocs|en)?8859(\d{1,2})$/;
const LATIN = /^(?:cs)?(?:iso)?l(?:atin)?(\d{1,2})$/;
/** Latin-N is not ISO 8859-N from 5 on: Cyrillic, Arabic, Greek, Hebrew and Thai stand between. */
const LATINS = [1, 2, 3, 4, 9, 10, 13, 14, 15, 16];
/** Registered sets of ISO 2375 that are parts of ISO 8859. */
const REGISTERED: Readonly<Record<string, number>> = {
  isoir100: 1,
  isoir101: 2,
  isoir109: 3,
  isoir110: 4,
  isoir144: 5,
  isoir127: 6,
  isoir126: 7,
  isoir138: 8,
  isoir148: 9,
  isoir157: 10,
  isoir179: 13,
  isoir199: 14,
  isoir203: 15,
  isoir226: 16,
};
const PARTS_OF_8859 = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16]);
/** Some read more than what they are named after: ISO 8859-1 is Windows-1252 everywhere (WHATWG Encoding §4.2). */
const WIDER: Readonly<Record<string, string>> = {
  "iso-8859-1": "windows-1252",
  "iso-8859-9": "windows-1254",
  "iso-8859-11": "windows-874",
};
const CARELESS = new Set(["us-ascii", "windows-1252"]);
const UNKNOWN: LabelReading = { kind: "unknown" };
const MAX_LABEL_LENGTH = 80;

/** A table of charsets and their names, the other way round. */
function byName(table: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(table).flatMap(([charset, names]) => names.split(/\s+/).map((name) => [name, charset] as const)),
  );
}

const CHARSETS = byName(LABELS);
const CHARSETS_OF_PAGES = new Map([
  ...byName(PAGES),
  ...DOS_PAGES.split(" ").map((page) => [page, `cp${page}`] as const),
]);
const READ = new Latest<LabelReading>(500);

/**
 * Reads the label of a charset, the same for mail and HTTP. Never throws; whatever is no name of the table is `unknown`, also
 * words such as "base64" that a decoder would take.
 *
 * Letter case, punctuation, quotes, years (`:1987`), languages (`*en`, RFC 2231 §5) and what iconv adds (`//TRANSLIT`) do
 * not count.
 */
export function readLabel(label: string): LabelReading {
  if (label.length > MAX_LABEL_LENGTH) return UNKNOWN;
  const known = READ.get(label);
  if (known !== undefined) return known;
  const reading = readAnew(label);
  READ.set(label, reading);
  return reading;
}

function readAnew(label: string): LabelReading {
  const [plain = ""] = trimAll(label.toLowerCase(), `${QUOTES_AND_BLANKS};,<>`).split(/\/\/|\*|:(?:19|20)\d\d$/, 1);
  // "charset=3D…" is left over from quoted-printable, "charset=charset=…" from a form letter.
  const bare = plain.replace(/^(?:charset=)?(?:3d)?["']?/, "");
  const charset = charsetOfKey(keyOf(bare)) ?? charsetOfKey(keyOf(/^[^\s,;"'()]*/.exec(bare)?.[0] ?? ""));
  if (charset === undefined) return UNKNOWN;
  const decoder = WIDER[charset] ?? charset;
  return { kind: CARELESS.has(decoder) ? "careless" : "known", charset: decoder };
}

const keyOf = (label: string) => label.replace(/[^a-z0-9]+/g, "");

function charsetOfKey(key: string): string | undefined {
  const named = CHARSETS.get(key);
  if (named !== undefined) return named;
  const part = PART_OF_8859.exec(key)?.[1] ?? REGISTERED[key] ?? LATINS[Number(LATIN.exec(key)?.[1] ?? 0) - 1];
  if (part !== undefined) return PARTS_OF_8859.has(Number(part)) ? `iso-8859-${Number(part)}` : undefined;
  const page = PAGE.exec(key)?.[1];
  return page === undefined ? undefined : charsetOfPage(Number(page));
}

function charsetOfPage(page: number): string | undefined {
  if (page >= 1250 && page <= 1258) return `windows-${page}`;
  if (page >= 5346 && page <= 5354) return `windows-${page - 4096}`;
  if (page > 28_590 && page <= 28_606) return charsetOfKey(`8859${page - 28_590}`);
  return CHARSETS_OF_PAGES.get(String(page));
}
