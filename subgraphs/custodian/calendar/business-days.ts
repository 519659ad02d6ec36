/** Business days and expected dates of settlement (domain.md §4.5). Dates are texts such as "2026-11-23". */
import { newYorkInstant, newYorkTime } from './new-york.ts';

export type Region = 'US_NY' | 'GB' | 'EU_TARGET' | 'JP';
export type Rail = 'CRYPTO_INTERNAL' | 'CRYPTO_EXTERNAL' | 'ACH' | 'WIRE_DOMESTIC' | 'WIRE_INTERNATIONAL';
export type Cycle = 'T0' | 'T1' | 'T2' | 'T3';

/** Days that are not what their weekday says: true for a holiday, false for a working day; by "<region> <date>". */
export type Calendars = ReadonlyMap<string, boolean>;

interface RailTerms {
  cycle: Cycle;
  /** Business days after the trade date. */
  days: number;
  /** What comes before this, New York time, is of the same day. */
  cutOff: string;
  /** Between which times of the expected date it is done, New York time… */
  window?: { opens: string; closes: string };
  /** …or how many minutes after the request. */
  minutes?: { least: number; most: number };
}

export const RAILS: Record<Rail, RailTerms> = {
  CRYPTO_INTERNAL: { cycle: 'T0', days: 0, cutOff: '23:59:00', minutes: { least: 5, most: 15 } },
  CRYPTO_EXTERNAL: { cycle: 'T1', days: 1, cutOff: '16:00:00', window: { opens: '09:00:00', closes: '17:00:00' } },
  ACH: { cycle: 'T2', days: 2, cutOff: '15:00:00', window: { opens: '09:00:00', closes: '17:00:00' } },
  WIRE_DOMESTIC: { cycle: 'T2', days: 2, cutOff: '14:00:00', window: { opens: '09:00:00', closes: '15:00:00' } },
  WIRE_INTERNATIONAL: { cycle: 'T3', days: 3, cutOff: '12:00:00', window: { opens: '09:00:00', closes: '14:00:00' } },
};

export interface Expected {
  cycle: Cycle;
  tradeDate: string;
  /** When it is to be settled. */
  date: string;
  /** From when on it may be worked on. */
  dueAt: Date;
  /** By when it should be done. */
  deadlineAt: Date;
}

const MINUTE_MS = 60_000;

/**
 * When an instruction of that instant is settled. A day counts only where it is a business day in every region: both
 * ends must be open. The request's own day is the trade date when it comes before the cut-off on such a day.
 */
export function expectedSettlement(rail: Rail, at: Date, regions: readonly Region[], calendars: Calendars): Expected {
  const { cycle, days, cutOff, window, minutes } = RAILS[rail];
  const local = newYorkTime(at);
  const isSameDay = local.time < cutOff && isBusinessDay(local.date, regions, calendars);
  const tradeDate = isSameDay ? local.date : nextBusinessDay(local.date, regions, calendars);
  let date = tradeDate;
  for (let day = 0; day < days; day++) date = nextBusinessDay(date, regions, calendars);
  if (minutes) {
    const begins = isSameDay ? at : newYorkInstant({ date, time: '00:00:00' });
    const after = (count: number) => new Date(begins.getTime() + count * MINUTE_MS);
    return { cycle, tradeDate, date, dueAt: after(minutes.least), deadlineAt: after(minutes.most) };
  }
  const { opens = '00:00:00', closes = '23:59:59' } = window ?? {};
  const dueAt = newYorkInstant({ date, time: opens });
  return { cycle, tradeDate, date, dueAt, deadlineAt: newYorkInstant({ date, time: closes }) };
}

/** Whether the day is a business day in every one of the regions. */
export function isBusinessDay(date: string, regions: readonly Region[], calendars: Calendars): boolean {
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
  const isWeekend = weekday === 0 || weekday === 6;
  return regions.every((region) => !(calendars.get(`${region} ${date}`) ?? isWeekend));
}

/** A year without a business day is a calendar gone wrong. */
const LOOK_AHEAD_DAYS = 366;

export function nextBusinessDay(date: string, regions: readonly Region[], calendars: Calendars): string {
  let next = date;
  for (let day = 0; day < LOOK_AHEAD_DAYS; day++) {
    next = dayAfter(next);
    if (isBusinessDay(next, regions, calendars)) return next;
  }
  throw new Error(`There is no business day within a year of ${date} in ${regions.join(', ')}`);
}

function dayAfter(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

const EURO = 'AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK'.split(' ');

/** The regions whose banks must be open for accounts of these jurisdictions; New York's always, by whose clock all is done. */
export function regionsOf(jurisdictions: readonly (string | null)[]): Region[] {
  const regions = new Set<Region>(['US_NY']);
  for (const jurisdiction of jurisdictions) {
    const country = jurisdiction?.slice(0, 2) ?? 'US';
    if (country === 'GB') regions.add('GB');
    if (country === 'JP') regions.add('JP');
    if (EURO.includes(country)) regions.add('EU_TARGET');
  }
  return [...regions];
}
