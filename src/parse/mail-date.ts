const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const ZONES: Readonly<Record<string, number>> = {
  ut: 0,
  gmt: 0,
  utc: 0,
  z: 0,
  est: -300,
  edt: -240,
  cst: -360,
  cdt: -300,
  mst: -420,
  mdt: -360,
  pst: -480,
  pdt: -420,
  akst: -540,
  akdt: -480,
  hst: -600,
  wet: 0,
  west: 60,
  cet: 60,
  met: 60,
  cest: 120,
  mest: 120,
  eet: 120,
  eest: 180,
  msk: 180,
  jst: 540,
  kst: 540,
  nzst: 720,
  nzdt: 780,
};
const MAX_LENGTH = 200;
const SHAPE =
  /^(?:[a-z]{3,9}\.?,?\s*)?(\d{1,2})(?:st|nd|rd|th)?[\s-]+([a-z]{3})[a-z]*[\s,.-]+(\d{2,4})[\s,]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:\.\d{1,9})?)?\s*([ap]m)?\s*(?:(?:gmt|utc)?([+-]\d{1,2}:?\d{2})|([a-z]{1,5}))?/i;
/** `Thu Jan  2 15:04:05 2025`, as C's asctime and mailbox files write it. */
const ASCTIME =
  /^[a-z]{3,9},?\s+([a-z]{3})[a-z]*\s+(\d{1,2}),?\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s+(?:([+-]\d{4}|[a-z]{1,5})\s+)?(\d{4})(?:\s+([+-]\d{4}))?/i;
const ISO = /^(\d{4})-(\d{2})-(\d{2})[T\s](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?\s*(z|[+-]\d{2}:?\d{2})?$/i;

/**
 * The Date header as RFC 3339 in UTC; `null` when it cannot be read, or names no day that ever was.
 *
 * Source: RFC 5322 §3.3, obsolete forms §4.3; the forms of asctime and ISO 8601 because programs write them.
 */
export function parseMailDate(value: string | undefined): string | null {
  if (value === undefined || value.length > MAX_LENGTH) return null;
  const text = value.replace(/\([^)]{0,100}\)/g, " ").trim();
  const [mail, day, monthName, year, hour, minute, second, half, offset, zone] = SHAPE.exec(text) ?? [];
  if (mail !== undefined)
    return rfc3339(fullYear(year ?? ""), monthOf(monthName), day, hourOf(hour, half), minute, second, offset ?? zone);
  const [c, cMonth, cDay, cHour, cMinute, cSecond, cZone, cYear, cOffset] = ASCTIME.exec(text) ?? [];
  if (c !== undefined)
    return rfc3339(Number(cYear), monthOf(cMonth), cDay, Number(cHour), cMinute, cSecond, cOffset ?? cZone);
  const [iso, isoYear, isoMonth, isoDay, isoHour, isoMinute, isoSecond, isoZone] = ISO.exec(text) ?? [];
  if (iso === undefined) return null;
  return rfc3339(Number(isoYear), Number(isoMonth) - 1, isoDay, Number(isoHour), isoMinute, isoSecond, isoZone);
}

function rfc3339(
  year: number,
  month: number,
  dayText: string | undefined,
  hour: number,
  minuteText: string | undefined,
  secondText: string | undefined,
  zone: string | undefined,
): string | null {
  const day = Number(dayText);
  const minute = Number(minuteText);
  const second = Number(secondText ?? 0);
  const local = new Date(Date.UTC(year, month, day, hour, minute, second));
  // 31 February would be read as 3 March. A leap second becomes the next minute's first.
  const isReal = month >= 0 && local.getUTCMonth() === month && local.getUTCDate() === day;
  if (hour > 23 || minute > 59 || second > 60 || !(isReal || second === 60)) return null;
  const time = local.getTime() - zoneMinutes(zone ?? "z") * 60_000;
  const date = new Date(time);
  return Number.isNaN(time) || date.getUTCFullYear() > 9_999 || date.getUTCFullYear() < 0 ? null : date.toISOString();
}

function monthOf(name: string | undefined): number {
  return MONTHS.indexOf((name ?? "").toLowerCase());
}

function hourOf(text: string | undefined, half: string | undefined): number {
  const hour = Number(text);
  if (half === undefined || hour > 12) return hour;
  return (hour % 12) + (half.toLowerCase() === "pm" ? 12 : 0);
}

function fullYear(text: string): number {
  const year = Number(text);
  if (text.length >= 4) return year;
  // Two digits: 00 to 49 are this century; three digits: since 1900 (RFC 5322 §4.3).
  return text.length === 3 || year >= 50 ? 1900 + year : 2000 + year;
}

function zoneMinutes(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d{1,2}):?(\d{2})$/.exec(zone) ?? [];
  if (sign !== undefined) return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  // An unknown name is taken as UTC, as RFC 5322 §4.3 says.
  return ZONES[zone.toLowerCase()] ?? 0;
}
