/** Business days and expected dates of settlement, with the calendars that are shipped. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Calendars,
  expectedSettlement,
  isBusinessDay,
  RAILS,
  type Rail,
  type Region,
  regionsOf,
} from '../../../subgraphs/custodian/calendar/business-days.ts';
import { newYorkInstant, newYorkTime } from '../../../subgraphs/custodian/calendar/new-york.ts';

const shipped = readFileSync(
  new URL('../../../prisma/custodian/migrations/20261121000200_calendars/migration.sql', import.meta.url),
  'utf8',
);
const calendars: Calendars = new Map(
  [...shipped.matchAll(/\('([A-Z_]+)', '(\d{4}-\d{2}-\d{2})'/g)].map(([, region, date]) => [`${region} ${date}`, true]),
);

const NEW_YORK: Region[] = ['US_NY'];

describe('the shipped calendars', () => {
  it.each<[Region, string]>([
    [
      'US_NY',
      '2024-01-01 2024-01-15 2024-02-19 2024-05-27 2024-06-19 2024-07-04 2024-09-02 2024-10-14 2024-11-11 2024-11-28 2024-12-25',
    ],
    [
      'US_NY',
      '2026-01-01 2026-01-19 2026-02-16 2026-05-25 2026-06-19 2026-09-07 2026-10-12 2026-11-11 2026-11-26 2026-12-25',
    ],
    ['GB', '2026-01-01 2026-04-03 2026-04-06 2026-05-04 2026-05-25 2026-08-31 2026-12-25 2026-12-28'],
    ['GB', '2027-01-01 2027-03-26 2027-03-29 2027-05-03 2027-05-31 2027-08-30 2027-12-27 2027-12-28'],
    ['EU_TARGET', '2024-01-01 2024-03-29 2024-04-01 2024-05-01 2024-12-25 2024-12-26'],
    ['EU_TARGET', '2025-01-01 2025-04-18 2025-04-21 2025-05-01 2025-12-25 2025-12-26'],
    [
      'JP',
      '2026-01-01 2026-01-02 2026-01-12 2026-02-11 2026-02-23 2026-03-20 2026-04-29 2026-05-04 2026-05-05 2026-05-06 2026-07-20 2026-08-11 2026-09-21 2026-09-22 2026-09-23 2026-10-12 2026-11-03 2026-11-23 2026-12-31',
    ],
  ])('of %s are those of the banks: %s', (region, dates) => {
    const year = dates.slice(0, 4);
    const known = [...calendars.keys()]
      .filter((day) => day.startsWith(`${region} ${year}`))
      .map((day) => day.slice(-10));
    expect(known.join(' ')).toBe(dates);
  });

  it('let a holiday that falls on a Saturday be no holiday in New York, and one on a Sunday the Monday after', () => {
    expect(isBusinessDay('2026-07-03', NEW_YORK, calendars)).toBe(true); // the 4th is a Saturday
    expect(isBusinessDay('2027-07-05', NEW_YORK, calendars)).toBe(false); // the 4th is a Sunday
  });

  it('may open a Saturday', () => {
    const open = new Map([...calendars, ['US_NY 2026-11-21', false] as const]);
    expect(isBusinessDay('2026-11-21', NEW_YORK, open)).toBe(true);
  });
});

describe('New York’s clock', () => {
  it.each([
    ['in winter', '2026-01-15', '16:00:00', '2026-01-15T21:00:00.000Z'],
    ['in summer', '2026-07-15', '16:00:00', '2026-07-15T20:00:00.000Z'],
    ['on the day it goes forward', '2026-03-08', '16:00:00', '2026-03-08T20:00:00.000Z'],
    ['on the day it goes back', '2026-11-01', '16:00:00', '2026-11-01T21:00:00.000Z'],
    ['in the hour that comes twice, the first', '2026-11-01', '01:30:00', '2026-11-01T05:30:00.000Z'],
    ['in the hour that is left out, one later', '2026-03-08', '02:30:00', '2026-03-08T07:30:00.000Z'],
  ])('%s', (_, date, time, instant) => {
    expect(newYorkInstant({ date, time }).toISOString()).toBe(instant);
  });

  it('leads there and back, but for the hour that comes twice', () => {
    const seconds = fc.integer({ min: Date.UTC(2024, 0) / 1000, max: Date.UTC(2028, 0) / 1000 });
    fc.assert(
      fc.property(seconds, (second) => {
        const shown = newYorkTime(new Date(second * 1000));
        expect(newYorkTime(newYorkInstant(shown))).toEqual(shown);
      }),
    );
  });
});

/** An instant by New York's clock. */
const at = (text: string) => newYorkInstant({ date: text.slice(0, 10), time: text.slice(11) });

describe('an instruction is settled', () => {
  it.each<[string, Rail, string, string, string]>([
    ['on the day', 'CRYPTO_INTERNAL', '2026-11-18 10:00:00', '2026-11-18', '2026-11-18'],
    ['on the day in the last second', 'CRYPTO_INTERNAL', '2026-11-18 23:58:59', '2026-11-18', '2026-11-18'],
    ['the day after from the cut-off on', 'CRYPTO_INTERNAL', '2026-11-18 23:59:00', '2026-11-19', '2026-11-19'],
    ['on Monday from Saturday', 'CRYPTO_INTERNAL', '2026-11-21 10:00:00', '2026-11-23', '2026-11-23'],
    ['T+1', 'CRYPTO_EXTERNAL', '2026-11-18 15:59:59', '2026-11-18', '2026-11-19'],
    ['T+1 from the day after', 'CRYPTO_EXTERNAL', '2026-11-18 16:00:00', '2026-11-19', '2026-11-20'],
    ['T+1 over a weekend', 'CRYPTO_EXTERNAL', '2026-11-20 12:00:00', '2026-11-20', '2026-11-23'],
    ['T+1 over Thanksgiving', 'CRYPTO_EXTERNAL', '2026-11-25 12:00:00', '2026-11-25', '2026-11-27'],
    [
      'from the next business day, when asked on a holiday',
      'CRYPTO_EXTERNAL',
      '2026-11-26 12:00:00',
      '2026-11-27',
      '2026-11-30',
    ],
    ['T+2', 'ACH', '2026-11-17 14:59:59', '2026-11-17', '2026-11-19'],
    ['T+2 past the cut-off on Friday', 'ACH', '2026-11-20 15:00:00', '2026-11-23', '2026-11-25'],
    ['T+2 by wire', 'WIRE_DOMESTIC', '2026-11-24 13:59:59', '2026-11-24', '2026-11-27'],
    ['T+3', 'WIRE_INTERNATIONAL', '2026-11-16 11:59:59', '2026-11-16', '2026-11-19'],
    ['T+3 over Thanksgiving and a weekend', 'WIRE_INTERNATIONAL', '2026-11-25 12:00:00', '2026-11-27', '2026-12-02'],
    ['T+1 on the day the clock goes forward', 'CRYPTO_EXTERNAL', '2026-03-08 15:00:00', '2026-03-09', '2026-03-10'],
  ])('%s: %s, asked at %s', (_, rail, asked, tradeDate, date) => {
    expect(expectedSettlement(rail, at(asked), NEW_YORK, calendars)).toMatchObject({ tradeDate, date });
  });

  it.each<[string, Region[], string]>([
    ['New York alone', ['US_NY'], '2026-12-28'],
    ['London too, where Boxing Day is observed on Monday', ['US_NY', 'GB'], '2026-12-29'],
    ['Tokyo too', ['US_NY', 'JP'], '2026-12-28'],
  ])('on a day on which both ends are open: %s', (_, regions, date) => {
    expect(expectedSettlement('CRYPTO_EXTERNAL', at('2026-12-24 10:00:00'), regions, calendars).date).toBe(date);
  });

  it('by the clock of the season', () => {
    const dueAt = (asked: string) =>
      expectedSettlement('CRYPTO_EXTERNAL', at(asked), NEW_YORK, calendars).dueAt.toISOString();
    expect(dueAt('2026-10-30 10:00:00')).toBe('2026-11-02T14:00:00.000Z'); // the clock went back between
    expect(dueAt('2026-03-06 10:00:00')).toBe('2026-03-09T13:00:00.000Z');
  });

  it('within minutes, where it stays inside', () => {
    const { dueAt, deadlineAt } = expectedSettlement('CRYPTO_INTERNAL', at('2026-11-18 10:00:00'), NEW_YORK, calendars);
    expect([dueAt.toISOString(), deadlineAt.toISOString()]).toEqual([
      '2026-11-18T15:05:00.000Z',
      '2026-11-18T15:15:00.000Z',
    ]);
  });

  it('on a business day at both ends, never before it was asked for, and in the order in which it was', () => {
    const minute = fc.integer({ min: Date.UTC(2024, 0) / 60_000, max: Date.UTC(2027, 11) / 60_000 });
    const rail = fc.constantFrom(...(Object.keys(RAILS) as Rail[]));
    const regions = fc
      .uniqueArray(fc.constantFrom<Region>('GB', 'EU_TARGET', 'JP'))
      .map((more) => [...NEW_YORK, ...more]);
    fc.assert(
      fc.property(minute, fc.integer({ min: 0, max: 10_000 }), rail, regions, (asked, later, how, open) => {
        const first = expectedSettlement(how, new Date(asked * 60_000), open, calendars);
        const second = expectedSettlement(how, new Date((asked + later) * 60_000), open, calendars);
        expect(isBusinessDay(first.tradeDate, open, calendars) && isBusinessDay(first.date, open, calendars)).toBe(
          true,
        );
        expect(first.dueAt.getTime()).toBeGreaterThanOrEqual(asked * 60_000);
        expect(first.deadlineAt.getTime()).toBeGreaterThan(first.dueAt.getTime());
        expect(second.date >= first.date).toBe(true);
      }),
    );
  });
});

it('takes the calendars of both jurisdictions, and New York’s', () => {
  expect(regionsOf(['GB', 'US-NY', null])).toEqual(['US_NY', 'GB']);
  expect(regionsOf(['DE', 'JP', 'CH'])).toEqual(['US_NY', 'EU_TARGET', 'JP']);
});
