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
};
const SHAPE =
  /^(?:[a-z]{3,9}\.?,?\s+)?(\d{1,2})[\s-]+([a-z]{3})[a-z]*[\s-]+(\d{2,4})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([+-]\d{4}|[a-z]{1,5})?/i;

/** The Date header as RFC 3339 in UTC; `null` when it cannot be read. Source: RFC 5322 §3.3, obsolete forms §4.3. */
export function parseMailDate(value: string | undefined): string | null {
  if (value === undefined) return null;
  const [whole, day, monthName = "", yearText = "", hour, minute, second, zone = "+0000"] =
    SHAPE.exec(value.replace(/\([^)]{0,100}\)/g, " ").trim()) ?? [];
  if (whole === undefined) return null;
  const month = MONTHS.indexOf(monthName.toLowerCase());
  const offset = zoneMinutes(zone);
  if (month < 0 || offset === undefined) return null;
  const time =
    Date.UTC(fullYear(yearText), month, Number(day), Number(hour), Number(minute), Number(second ?? 0)) -
    offset * 60_000;
  const date = new Date(time);
  return Number.isNaN(time) || Number(hour) > 23 || Number(minute) > 59 || Number(day) > 31 || Number(day) < 1
    ? null
    : date.toISOString();
}

function fullYear(text: string): number {
  const year = Number(text);
  if (text.length >= 4) return year;
  // Two digits: 00 to 49 are this century; three digits: since 1900 (RFC 5322 §4.3).
  return text.length === 3 || year >= 50 ? 1900 + year : 2000 + year;
}

function zoneMinutes(zone: string): number | undefined {
  const [, sign, hours, minutes] = /^([+-])(\d{2})(\d{2})$/.exec(zone) ?? [];
  if (sign !== undefined) return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  // An unknown name is taken as UTC, as RFC 5322 §4.3 says.
  return ZONES[zone.toLowerCase()] ?? 0;
}
