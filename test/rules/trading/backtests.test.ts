import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import type { Bar } from '../../../subgraphs/trading/backtests/rules/bars.ts';
import { moveBacktest } from '../../../subgraphs/trading/backtests/rules/lifecycle.ts';
import { Tally } from '../../../subgraphs/trading/backtests/rules/result.ts';
import {
  type BacktestType,
  checkBars,
  feeRate,
  PARAMETERS,
  type Parameters,
  readParameters,
  slippage,
} from '../../../subgraphs/trading/backtests/rules/settings.ts';
import { createSignals } from '../../../subgraphs/trading/backtests/rules/signals.ts';
import { type SimulatedTrade, Simulation } from '../../../subgraphs/trading/backtests/rules/simulation.ts';
import { SEED } from './arbitraries.ts';

const HOUR = 3_600_000;

/** An hour's bar that opens and closes so. */
function bar(n: number, open: string | number, close: string | number): Bar {
  const [from, to] = [dec(open), dec(close)];
  return {
    start: n * HOUR,
    end: (n + 1) * HOUR,
    open: from,
    close: to,
    high: from.gt(to) ? from : to,
    low: from.lt(to) ? from : to,
  };
}

/** Bars that close so, each opening where the one before closed. */
const closing = (closes: readonly (string | number)[]) =>
  closes.map((close, n) => bar(n, closes[Math.max(0, n - 1)] as string, close));

const targets = (type: BacktestType, parameters: Record<string, unknown>, bars: readonly Bar[]) => {
  const signals = createSignals(type, readParameters(type, parameters));
  return bars.map((each) => signals.next(each));
};

describe('following a trend', () => {
  it('is long while the fast mean is above the slow one, from the first full window on', () => {
    const wanted = targets('trend_following', { fastPeriod: 2, slowPeriod: 3 }, closing([1, 2, 3, 3, 3, 1, 1]));
    // means: – – 2.5>2 3>2.67 3=3 2<2.33 1<1.67
    expect(wanted).toEqual([0, 0, 1, 1, 1, 0, 0]);
    const short = { fastPeriod: 2, slowPeriod: 3, allowShort: true };
    expect(targets('trend_following', short, closing([3, 2, 1, 5]))).toEqual([0, 0, -1, 1]);
  });
});

describe('reverting to the mean', () => {
  it('buys far below the mean and sells when it is nearly back', () => {
    const parameters = { period: 4, entryZ: '1.5', exitZ: '0.5' };
    // Of 10 10 10 6 the mean is 9 and the deviation √3: z = −1.732. Of 10 10 6 9 it is 8.75, √2.6875: z = 0.152.
    expect(targets('mean_reversion', parameters, closing([10, 10, 10, 6, 9]))).toEqual([0, 0, 0, 1, 0]);
    expect(targets('mean_reversion', parameters, closing([10, 10, 10, 14]))).toEqual([0, 0, 0, 0]);
    expect(targets('mean_reversion', { ...parameters, allowShort: true }, closing([10, 10, 10, 14, 11]))).toEqual([
      0, 0, 0, -1, 0,
    ]);
  });

  it('does nothing while nothing moves', () => {
    expect(targets('mean_reversion', { period: 3 }, closing([5, 5, 5, 5]))).toEqual([0, 0, 0, 0]);
  });
});

describe('going with a breakout', () => {
  it('buys above the highs of the bars before, never of its own, and sells below their lows', () => {
    const parameters = { entryPeriod: 3, exitPeriod: 2 };
    expect(targets('momentum', parameters, closing([5, 6, 5, 6, 7, 6, 5]))).toEqual([0, 0, 0, 0, 1, 1, 0]);
    expect(targets('momentum', { ...parameters, allowShort: true }, closing([5, 6, 5, 4, 5, 7]))).toEqual([
      0, 0, 0, -1, -1, 1,
    ]);
  });
});

const costs = { feeRate: dec('0.001'), slippageBps: dec('10') };

function run(bars: readonly Bar[], type: BacktestType, parameters: Parameters, of = costs) {
  const simulation = new Simulation(
    'BTC-USD',
    dec(1000),
    dec(String(parameters.allocation)),
    createSignals(type, parameters),
    of,
  );
  const tally = new Tally(dec(1000));
  const trades: SimulatedTrade[] = [];
  for (const each of bars) {
    const made = simulation.next(each);
    trades.push(...made);
    tally.add({ at: each.end, equity: simulation.equity }, 1, made);
  }
  return { simulation, tally, trades };
}

const shown = (trades: readonly SimulatedTrade[]) =>
  trades.map(({ side, quantity, price, commission, realizedPnl, decidedAt, executedAt }) => [
    side,
    ...[quantity, price, commission, realizedPnl].map((amount) => amount.toFixed()),
    decidedAt / HOUR,
    executedAt / HOUR,
  ]);

describe('a run', () => {
  it('trades at the next bar’s open, worse by the slippage, with its fee', () => {
    const parameters = readParameters('trend_following', { fastPeriod: 2, slowPeriod: 3 });
    const bars = [bar(0, 1, 1), bar(1, 1, 2), bar(2, 2, 3), bar(4, 10, 3), bar(5, 3, 1), bar(6, 8, 8)];
    const { simulation, trades, tally } = run(bars, 'trend_following', parameters);
    // Decided at the close of bar 2 (hour 3); there is no bar 3, so it is executed when bar 4 opens, at 10 × 1.001.
    // 1000 ÷ (10.01 × 1.001) = 99.80029960 (rounded down), worth 999.000999; fee 0.999001. Sold at 8 × 0.999 = 7.992.
    expect(shown(trades)).toEqual([
      ['buy', '99.8002996', '10.01', '0.999001', '-0.999001', 3, 4],
      ['sell', '99.8002996', '7.992', '0.79760399', '-202.19460858', 6, 6],
    ]);
    expect(simulation.equity.toFixed()).toBe('796.80639041');
    expect(simulation.closed.map((pnl) => pnl.toFixed())).toEqual(['-203.19360958']);
    const metrics = tally.metrics(simulation.closed, simulation.unrealizedPnl);
    expect(metrics).toMatchObject({
      tradeCount: 2,
      closedPositionCount: 1,
      winRate: '0',
      barCount: 6,
      unrealizedPnl: '0',
    });
  });

  it('turns a long into a short in two trades, and never borrows for either', () => {
    const parameters = readParameters('trend_following', {
      fastPeriod: 2,
      slowPeriod: 3,
      allowShort: true,
      allocation: '0.5',
    });
    const free = { feeRate: dec(0), slippageBps: dec(0) };
    const { trades, simulation } = run(closing([1, 2, 4, 2, 1, 1, 1]), 'trend_following', parameters, free);
    expect(shown(trades)).toEqual([
      ['buy', '125', '4', '0', '0', 3, 3],
      ['sell', '125', '1', '0', '-375', 5, 5],
      ['sell', '312.5', '1', '0', '0', 5, 5],
    ]);
    expect(simulation.equity.toFixed()).toBe('625');
  });

  it('stops trading once everything is lost', () => {
    const parameters = readParameters('trend_following', { fastPeriod: 2, slowPeriod: 3, allowShort: true });
    const { trades, simulation } = run(closing([4, 3, 2, 2, 20, 20, 1, 1, 30, 30]), 'trend_following', parameters);
    expect(simulation.equity.lt(0)).toBe(true);
    expect(trades.map(({ side }) => side)).toEqual(['sell', 'buy']);
  });

  const prices = fc.array(fc.integer({ min: 50, max: 150 }), { minLength: 12, maxLength: 60 });
  const kinds: [BacktestType, Record<string, unknown>][] = [
    ['trend_following', { fastPeriod: 2, slowPeriod: 5, allowShort: true }],
    ['mean_reversion', { period: 5, entryZ: '1', exitZ: '0.2', allowShort: true }],
    ['momentum', { entryPeriod: 4, exitPeriod: 2, allowShort: true }],
  ];

  it.each(kinds)('of %s knows nothing of what comes later', (type, given) => {
    const parameters = readParameters(type, given);
    fc.assert(
      fc.property(prices, fc.nat(), fc.integer({ min: 1, max: 1000 }), (closes, cut, other) => {
        const bars = closing(closes);
        const known = (cut % (bars.length - 1)) + 1;
        const whole = run(bars, type, parameters).trades;
        // Another future: every later bar opens and closes elsewhere. The bar after the cut opens as it did.
        const changed = bars.map((each, n) => {
          if (n < known) return each;
          return bar(n, n === known ? each.open.toFixed() : other, other);
        });
        const past = (trades: readonly SimulatedTrade[]) =>
          shown(trades.filter(({ executedAt }) => executedAt <= known * HOUR));
        expect(past(run(changed, type, parameters).trades)).toEqual(past(whole));
        for (const { decidedAt, executedAt, side, price } of whole) {
          expect(decidedAt).toBeLessThanOrEqual(executedAt);
          const { open } = bars[executedAt / HOUR] as Bar;
          expect(price.toFixed()).toBe(open.times(side === 'buy' ? '1.001' : '0.999').toFixed());
        }
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  it.each(kinds)(
    'of %s loses no money: equity is the capital and the P&L, but for the rounding of each trade',
    (type, given) => {
      fc.assert(
        fc.property(prices, (closes) => {
          const { simulation, trades } = run(closing(closes), type, readParameters(type, given));
          const realized = trades.reduce((sum, trade) => sum.plus(trade.realizedPnl), dec(0));
          const difference: Decimal = simulation.equity.minus(realized).minus(simulation.unrealizedPnl).minus(1000);
          expect(difference.abs().lte(dec('0.00000002').times(trades.length + 1))).toBe(true);
        }),
        { seed: SEED },
      );
    },
  );

  it('keeps at most 4000 points of its curve, the first and the last among them', () => {
    const tally = new Tally(dec(100));
    for (let n = 1; n <= 30_001; n++) tally.add({ at: n * HOUR, equity: dec(n) }, 1, []);
    const points = tally.curve();
    expect(points.length).toBeLessThanOrEqual(4_000);
    expect([points[0]?.at, points.at(-1)?.at]).toEqual([HOUR, 30_001 * HOUR]);
    expect(tally.metrics([], dec(0)).barCount).toBe(30_001);
  });
});

describe('settings', () => {
  it('have a default for every parameter', () => {
    expect(readParameters('trend_following', {})).toEqual({
      fastPeriod: 10,
      slowPeriod: 30,
      allowShort: false,
      allocation: '1',
    });
    for (const type of Object.keys(PARAMETERS) as BacktestType[]) {
      const parameters = readParameters(type, {});
      expect(readParameters(type, parameters)).toEqual(parameters);
    }
  });

  const bad: [BacktestType, Record<string, unknown>, string][] = [
    ['trend_following', { fast: 3 }, 'are fastPeriod, slowPeriod, allowShort, allocation, but got "fast"'],
    ['trend_following', { constructor: 3 }, 'but got "constructor"'],
    ['trend_following', { fastPeriod: 30 }, 'fastPeriod must be shorter'],
    ['trend_following', { fastPeriod: 2.5 }, 'must be a whole number from 2 to 1000, but got 2.5'],
    ['trend_following', { slowPeriod: 1001 }, 'from 2 to 1000, but got 1001'],
    ['trend_following', { allowShort: 'yes' }, 'must be true or false, but got "yes"'],
    [
      'momentum',
      { allocation: 0.5 },
      'must be a decimal as text, with at most 8 fractional digits, from 0.01 to 1, but got 0.5',
    ],
    ['momentum', { allocation: '1.01' }, 'but got "1.01"'],
    ['momentum', { allocation: '1e-1' }, 'but got "1e-1"'],
    ['mean_reversion', { exitZ: '2' }, 'exitZ must be below entryZ'],
    ['mean_reversion', { entryZ: '-1' }, 'but got "-1"'],
  ];
  it.each(bad)('of %s refuse %j', (type, given, message) => {
    expect(() => readParameters(type, given)).toThrow(message);
  });

  it('of a strategy may hold more than a backtest knows', () => {
    const own = { fastPeriod: 5, venueHint: 'okx' };
    expect(readParameters('trend_following', own, { isStrict: false })).toMatchObject({
      fastPeriod: 5,
      slowPeriod: 30,
    });
  });

  it('bound the window, the fee and the slippage', () => {
    expect(() => checkBars('2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z', 'D1', 1)).toThrow('from must be before to');
    expect(() => checkBars('0001-01-01T00:00:00Z', '9999-01-01T00:00:00Z', 'M1', 10)).toThrow('at most 200000');
    expect(() => checkBars('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', 'D1', 10)).not.toThrow();
    expect(() => feeRate('0.11')).toThrow('feeRate must be from 0 to 0.1, but got 0.11.');
    expect(() => slippage('-1')).toThrow('slippageBps must be from 0 to 1000, but got -1.');
  });
});

describe('the life of a backtest', () => {
  it('ends in three ways, and for good', () => {
    expect(moveBacktest('pending', 'cancelled')).toBe('cancelled');
    expect(moveBacktest('running', 'completed')).toBe('completed');
    for (const status of ['completed', 'failed', 'cancelled'] as const) {
      expect(() => moveBacktest(status, 'cancelled')).toThrow('final');
    }
  });
});
