/** Instants as text: RFC 3339 in UTC with up to six fractional digits, which a JavaScript Date would lose. */

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})?$/;
const FRACTION_DIGITS = 6;

/** The instant in canonical form ("2026-01-01T08:30:00.25Z"), or what is wrong with the text ("must have …"). */
export function parseInstant(text: string): { instant: string } | { problem: string } {
  const match = RFC_3339.exec(text);
  if (!match) return { problem: 'must be RFC 3339, for example "2026-01-01T09:30:00.25Z"' };
  const [, date, time, fraction = '', offset] = match;
  if (offset === undefined) return { problem: 'must have an offset, "Z" or for example "+01:00"' };
  if (fraction.length > FRACTION_DIGITS) return { problem: 'takes at most microseconds' };
  const seconds = new Date(`${date}T${time}${offset.toUpperCase()}`);
  if (Number.isNaN(seconds.getTime()) || !isCalendarDay(date as string))
    return { problem: 'must be a day and time that exist' };
  const utc = seconds.toISOString();
  if (!/^(?!0000)\d{4}-/.test(utc)) return { problem: 'must lie in the years 0001 to 9999' };
  const kept = fraction.replace(/0+$/, '');
  return { instant: `${utc.slice(0, 19)}${kept && `.${kept}`}Z` };
}

/** Date rolls 30 February over to March; a caller's typing error must not become another day. */
function isCalendarDay(date: string): boolean {
  return new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
}
