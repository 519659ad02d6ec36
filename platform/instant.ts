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
  if (!isCalendarDay(date as string) || !isTimeOfDay(time as string)) {
    return { problem: 'must be a day and time that exist' };
  }
  const utc = toUtc(`${date}T${time}`, offset.toUpperCase());
  if (utc === null) return { problem: 'must lie in the years 0001 to 9999, with an offset of at most a day' };
  const kept = fraction.replace(/0+$/, '');
  return { instant: `${utc}${kept && `.${kept}`}Z` };
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Arithmetic instead of a Date: bulk commands read tens of thousands of instants a second. */
function isCalendarDay(date: string): boolean {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
  return year > 0 && day >= 1 && day <= days;
}

function isTimeOfDay(time: string): boolean {
  const [hour = 0, minute = 0, second = 0] = time.split(':').map(Number);
  return hour <= 23 && minute <= 59 && second <= 59;
}

/** The whole second in UTC, or null when the offset is none or leads out of the years of four digits. */
function toUtc(local: string, offset: string): string | null {
  if (offset === 'Z') return local;
  const moved = new Date(`${local}${offset}`);
  if (Number.isNaN(moved.getTime())) return null;
  const utc = moved.toISOString();
  return /^(?!0000)\d{4}-/.test(utc) ? utc.slice(0, 19) : null;
}

/** The instant so many microseconds later, fewer than a million. */
export function microsecondsLater(instant: string, microseconds: number): string {
  if (microseconds === 0) return instant;
  const [, second = '', fraction = ''] = /^([^.Z]*)(?:\.(\d+))?Z$/.exec(instant) ?? [];
  const sum = Number(fraction.padEnd(FRACTION_DIGITS, '0')) + microseconds;
  const whole = sum < 1e6 ? second : new Date(Date.parse(`${second}Z`) + 1_000).toISOString().slice(0, 19);
  const kept = String(sum % 1e6)
    .padStart(FRACTION_DIGITS, '0')
    .replace(/0+$/, '');
  return `${whole}${kept && `.${kept}`}Z`;
}

/** The order of canonical instants: that of their texts once the Z that ends them, above any digit, is out of the way. */
export function compareInstants(a: string, b: string): number {
  const [left, right] = [a.slice(0, -1), b.slice(0, -1)];
  if (left === right) return 0;
  return left > right ? 1 : -1;
}

/** A price is stale once its source has been silent for longer. */
const STALE_AFTER_MS = 30_000; // 30 seconds

const MAX_AGE_MS = 2_147_483_647; // the largest Int of GraphQL

/** Age of an instant in milliseconds, never negative, at most the largest Int. */
export function ageMs(instant: string, now: Date): number {
  return Math.min(Math.max(now.getTime() - Date.parse(instant), 0), MAX_AGE_MS);
}

/** Whether a price of that instant is too old to be relied on. */
export function isStale(instant: string, now: Date): boolean {
  return ageMs(instant, now) > STALE_AFTER_MS;
}
