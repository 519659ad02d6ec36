import { describe, expect, it } from 'vitest';
import { dec } from '../../../platform/decimal.ts';
import { boundedText, storableJson } from '../../../platform/texts.ts';
import { amountFromZero, positiveAmount } from '../../../subgraphs/trading/rules/amounts.ts';
import { addToDay, dailyPnlOn } from '../../../subgraphs/trading/rules/daily-pnl.ts';
import { isBefore, pastInstant } from '../../../subgraphs/trading/rules/instants.ts';
import {
  checkVenue,
  instrumentSymbols,
  leverageLimit,
  venueNames,
} from '../../../subgraphs/trading/rules/strategy-settings.ts';
import { refusal } from './refusal.ts';

describe('amounts', () => {
  const path = ['input', 'quantity'];
  it('are above zero where they must be', () => {
    expect(refusal(() => positiveAmount('0', path))).toBe('quantity must be above zero, but got 0.');
    expect(refusal(() => positiveAmount('-1', path))).toBe('quantity must be above zero, but got -1.');
    expect(positiveAmount('0.00000001', path).toFixed()).toBe('0.00000001');
  });
  it('are zero or more where they may be', () => {
    expect(amountFromZero('0', path).toFixed()).toBe('0');
    expect(refusal(() => amountFromZero('-0.00000001', path))).toBe(
      'quantity must be zero or more, but got -0.00000001.',
    );
  });
  it('stay below what numeric(20,8) holds', () => {
    expect(positiveAmount('999999999999.99999999', path).toFixed()).toBe('999999999999.99999999');
    expect(refusal(() => positiveAmount('1000000000000', path))).toContain('must be below 1000000000000');
    expect(refusal(() => amountFromZero('1000000000000', path))).toContain('must be below 1000000000000');
  });
});

describe('texts', () => {
  it('have 1 to as many characters as allowed, counted as people do', () => {
    expect(refusal(() => boundedText('', 3, ['name']))).toBe('name must have 1 to 3 characters, but got 0.');
    expect(refusal(() => boundedText('four', 3, ['name']))).toBe('name must have 1 to 3 characters, but got 4.');
    expect(boundedText('🙂🙂🙂', 3, ['name'])).toBe('🙂🙂🙂');
  });
  it.each(['\0', 'a\0b', '\ud800'])('are refused when PostgreSQL cannot store them: %j', (text) => {
    expect(refusal(() => boundedText(text, 9, ['name']))).toContain('must be valid text');
    expect(refusal(() => storableJson({ deep: [{ [text]: 1 }] }, ['parameters']))).toContain('must hold valid text');
    expect(refusal(() => storableJson({ deep: [{ key: text }] }, ['parameters']))).toContain('must hold valid text');
  });
  it('of JSON pass otherwise', () => {
    const value = { a: [1, null, true, { b: 'text', c: '🙂 é \\u0000 \\\\ud800' }] };
    expect(storableJson(value, ['parameters'])).toBe(value);
  });
});

describe('settings of a strategy', () => {
  it('spell each symbol once', () => {
    expect(instrumentSymbols(['BTC/USD', 'btc-usd', 'ETHUSDT'])).toEqual(['BTC-USD', 'ETH-USDT']);
  });
  it('name 1 to 500 instruments', () => {
    expect(refusal(() => instrumentSymbols([]))).toContain('1 to 500 instruments, but got 0');
    expect(refusal(() => instrumentSymbols(Array.from({ length: 501 }, () => 'BTC-USD')))).toContain('but got 501');
  });
  it('name at most 100 venues', () => {
    expect(venueNames(['a', 'b', 'a'])).toEqual(['a', 'b']);
    expect(refusal(() => venueNames(Array.from({ length: 101 }, String)))).toContain('at most 100 venues');
  });
  it('hold a leverage of 4 places below a million', () => {
    expect(leverageLimit(null)).toBeNull();
    expect(leverageLimit('10.5')?.toFixed()).toBe('10.5');
    expect(refusal(() => leverageLimit('1.00001'))).toContain('at most 4 fractional digits');
    expect(refusal(() => leverageLimit('1000000'))).toContain('below 1000000');
    expect(refusal(() => leverageLimit('-1'))).toContain('zero or more');
  });
  it('allow any venue when none is named, else those named', () => {
    expect(refusal(() => checkVenue('okx', []))).toBeNull();
    expect(refusal(() => checkVenue('okx', ['okx']))).toBeNull();
    expect(refusal(() => checkVenue('kraken', ['okx', 'bitfinex']))).toContain('(okx, bitfinex)');
  });
});

describe('reported instants', () => {
  const now = new Date('2026-01-01T12:00:00Z');
  it('may be up to a minute ahead of our clock', () => {
    expect(pastInstant('2026-01-01T12:01:00Z', now, ['at'])).toBe('2026-01-01T12:01:00Z');
    expect(refusal(() => pastInstant('2026-01-01T12:01:00.001Z', now, ['at']))).toContain('must not lie in the future');
  });
});

describe('instants in order', () => {
  const cases: [string, string, boolean][] = [
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', false],
    ['2026-01-01T00:00:00.5Z', '2026-01-01T00:00:00.500000Z', false],
    ['2026-01-01T00:00:00.499999Z', '2026-01-01T00:00:00.5Z', true],
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000001Z', true],
    ['2026-01-01T00:00:00.000001Z', '2026-01-01T00:00:00Z', false],
    ['2025-12-31T23:59:59.999999Z', '2026-01-01T00:00:00Z', true],
  ];
  it.each(cases)('%s before %s: %s', (first, second, expected) => {
    expect(isBefore(first, second)).toBe(expected);
  });
});

describe('the P&L of the day', () => {
  const at = (instant: string, pnl: string, daily = { day: null as string | null, pnl: dec(0) }) =>
    addToDay(daily, instant, dec(pnl));

  it('adds within a UTC day, starts anew with the next, and leaves late reports to their own day', () => {
    const first = at('2026-01-01T00:00:00Z', '5');
    const second = at('2026-01-01T23:59:59.999999Z', '-2', first);
    expect(second).toMatchObject({ day: '2026-01-01', pnl: dec(3) });
    const next = at('2026-01-02T00:00:00Z', '7', second);
    expect(next).toMatchObject({ day: '2026-01-02', pnl: dec(7) });
    expect(at('2026-01-01T23:59:59Z', '100', next)).toEqual(next);
  });
  it('is zero on any other day', () => {
    const daily = at('2026-01-01T10:00:00Z', '5');
    expect(dailyPnlOn(daily, new Date('2026-01-01T23:59:59.999Z')).toFixed()).toBe('5');
    expect(dailyPnlOn(daily, new Date('2026-01-02T00:00:00Z')).toFixed()).toBe('0');
    expect(dailyPnlOn({ day: null, pnl: dec(0) }, new Date('2026-01-02T00:00:00Z')).toFixed()).toBe('0');
  });
});
