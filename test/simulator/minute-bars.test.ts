import { describe, expect, it } from 'vitest';
import { createMinuteBars } from '../../clients/simulator/minute-bars.ts';

const NOON_MS = Date.parse('2026-01-01T12:00:00Z');
const at = (seconds: number) => NOON_MS + seconds * 1_000;
const print = (seconds: number, price: string, quantity = '1') => ({ atMs: at(seconds), price, quantity });

describe('one-minute bars', () => {
  it('sum up the prints of a minute', () => {
    const bars = createMinuteBars('test');
    for (const one of [print(1, '10', '1'), print(20, '12', '2'), print(59, '9', '1')]) bars.add('BTC-USD', one);
    expect(bars.due(at(59)).map(({ candle }) => candle)).toEqual([
      {
        symbol: 'BTC-USD',
        interval: 'M1',
        startTime: '2026-01-01T12:00:00.000Z',
        open: '10',
        high: '12',
        low: '9',
        close: '9',
        volume: '4',
        vwap: '10.75',
        numTrades: 3,
        source: 'test',
      },
    ]);
  });

  it('are handed out again only when they changed', () => {
    const bars = createMinuteBars('test');
    bars.add('BTC-USD', print(1, '10'));
    bars.settle(bars.due(at(5)));
    expect(bars.due(at(6))).toEqual([]);
    bars.add('BTC-USD', print(7, '11'));
    expect(bars.due(at(8))).toHaveLength(1);
  });

  it('stay changed when a print came while they were reported', () => {
    const bars = createMinuteBars('test');
    bars.add('BTC-USD', print(1, '10'));
    const reported = bars.due(at(5));
    bars.add('BTC-USD', print(6, '11'));
    bars.settle(reported);
    expect(bars.due(at(7))[0]?.candle.close).toBe('11');
  });

  it('are handed out until they were taken once they are over, whether prints follow or not', () => {
    const bars = createMinuteBars('test');
    bars.add('BTC-USD', print(1, '10'));
    bars.settle(bars.due(at(5)));
    bars.add('ETH-USD', print(2, '3'));
    bars.add('ETH-USD', print(61, '4'));
    const over = () => bars.due(at(63)).map(({ candle }) => `${candle.symbol} ${candle.close}`);
    expect(over()).toEqual(['ETH-USD 3', 'BTC-USD 10', 'ETH-USD 4']);
    expect(over()).toHaveLength(3);
    bars.settle(bars.due(at(63)));
    expect(over()).toEqual([]);
  });

  it('are held back for a moment when they are over', () => {
    const bars = createMinuteBars('test');
    bars.add('BTC-USD', print(1, '10'));
    expect([59, 60, 61, 62].map((second) => bars.isHoldingBack(at(second)))).toEqual([false, true, true, false]);
    expect([59, 60, 61, 62].map((second) => bars.due(at(second)).length)).toEqual([1, 0, 0, 1]);
  });

  it('take no print any more once they are over', () => {
    const bars = createMinuteBars('test');
    bars.add('BTC-USD', print(1, '10'));
    bars.settle(bars.due(at(63)));
    bars.add('BTC-USD', print(59, '11'));
    expect(bars.due(at(64))).toEqual([]);
  });

  it('go on from a bar that is stored', () => {
    const bars = createMinuteBars('test');
    const prices = { open: '10', high: '20', low: '5', close: '11' };
    bars.resume('BTC-USD', {
      startTime: '2026-01-01T12:00:00Z',
      ...prices,
      volume: '3',
      vwap: '12',
      numTrades: 2,
    });
    bars.add('BTC-USD', print(30, '16', '1'));
    expect(bars.due(at(31))[0]?.candle).toMatchObject({
      ...prices,
      close: '16',
      volume: '4',
      vwap: '13',
      numTrades: 3,
    });
  });

  it('know better than what is stored', () => {
    const bars = createMinuteBars('test');
    bars.add('BTC-USD', print(1, '10'));
    const stored = { open: '3', high: '3', low: '3', close: '3', volume: '1', vwap: null, numTrades: null };
    bars.resume('BTC-USD', { startTime: '2026-01-01T12:00:00Z', ...stored });
    expect(bars.due(at(31)).map(({ candle }) => candle.close)).toEqual(['10']);
  });
});
