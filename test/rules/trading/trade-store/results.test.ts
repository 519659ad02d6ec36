/** The vectors of domain.md §12.1, and what holds for every trade. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decimal, dec } from '../../../../platform/decimal.ts';
import type { ManagedTrade } from '../../../../subgraphs/trading/trade-store/rules/managed-trade.ts';
import { liquidationPrice, resultsAt } from '../../../../subgraphs/trading/trade-store/rules/results.ts';
import { adjust, close, enter, exitPart } from '../../../../subgraphs/trading/trade-store/rules/steps.ts';
import { amounts, SEED } from '../arbitraries.ts';
import { END, opened } from './trades.ts';

type Opened = ManagedTrade & { entryPrice: string };

/** The trade closed at a price, and its net r, which is not stored. */
function outcome(trade: ManagedTrade, exit: string, fee: string) {
  const closed = close(trade, { price: dec(exit), time: END, reason: 'manual', fee: dec(fee) });
  const { gross, netRMultiple } = resultsAt(closed as Opened, dec(exit));
  const { pnlUsd: net, pnlPct: percent, rMultiple: r } = closed;
  return { gross: gross.toFixed(), net, percent, r, netR: netRMultiple?.toFixed() ?? null };
}

describe('the results of a closed trade', () => {
  it('T1: a long trade that wins one risk', () => {
    const trade = opened({ quantity: '1', entryPrice: '50000', leverage: '10', slPrice: '48000', entryFeeUsd: '25' });
    expect(outcome(trade, '52000', '26')).toEqual({
      gross: '2000',
      net: '1949',
      percent: '38.98',
      r: '1',
      netR: '0.9745',
    });
  });

  it('T2: the risk stays the one of the first stop, wherever the stop goes', () => {
    const trade = opened({ quantity: '1', entryPrice: '50000', leverage: '10', slPrice: '48000' });
    const moved = adjust(trade, { slPrice: '50000' });
    expect(moved).toMatchObject({ status: 'breakeven', slPrice: '50000', initialSlPrice: '48000' });
    expect(outcome(moved, '54000', '27')).toEqual({
      gross: '4000',
      net: '3973',
      percent: '79.46',
      r: '2',
      netR: '1.9865',
    });
  });

  it('T3: a short trade with funding', () => {
    const terms = { side: 'short' as const, quantity: '10', entryPrice: '3000', leverage: '5', slPrice: '3090' };
    const trade = adjust(opened({ ...terms, entryFeeUsd: '15' }), { fundingFeesUsd: '3.5' });
    expect(outcome(trade, '2850', '14.25')).toEqual({
      gross: '1500',
      net: '1467.25',
      percent: '24.45416667',
      r: '1.66666667',
      netR: '1.63027778',
    });
  });

  it('has no r without a stop', () => {
    const trade = opened({ quantity: '1', entryPrice: '100' });
    expect(outcome(trade, '110', '0')).toMatchObject({ net: '10', percent: '10', r: null, netR: null });
  });

  it('is liquidated where the margin is used up, half a percent before', () => {
    expect(liquidationPrice('long', dec(50_000), dec(10)).toFixed()).toBe('45250');
    expect(liquidationPrice('short', dec(3_000), dec(5)).toFixed()).toBe('3585');
    expect(liquidationPrice('long', dec(100), dec(1)).toFixed()).toBe('0.5');
  });
});

const price = amounts({ integerDigits: 6, above: 0 });
const terms = fc.record({
  side: fc.constantFrom('long' as const, 'short' as const),
  quantity: amounts({ integerDigits: 4, above: 0 }),
  entry: price,
  exit: price,
  leverage: fc.integer({ min: 1, max: 199 }),
  fee: amounts({ integerDigits: 3, above: -1 }),
});

/** Half a unit of the last place, for each amount that was rounded. */
const near = (value: Decimal, other: Decimal.Value, places = 1) =>
  value.minus(other).abs().lte(dec('0.000000005').times(places));

describe('for every trade', () => {
  it('leverage changes the margin and the percentage, never the result', () => {
    fc.assert(
      fc.property(terms, ({ side, quantity, entry, exit, leverage, fee }) => {
        const at = (by: number) =>
          close(opened({ side, quantity: quantity.toFixed(), entryPrice: entry.toFixed(), leverage: String(by) }), {
            price: exit,
            time: END,
            reason: 'manual',
            fee,
          });
        expect(at(leverage).pnlUsd).toBe(at(1).pnlUsd);
        expect(dec(at(1).marginUsd).gte(at(leverage).marginUsd)).toBe(true);
      }),
      { seed: SEED },
    );
  });

  it('to close in parts at one price gives what closing it whole gives', () => {
    fc.assert(
      fc.property(terms, fc.integer({ min: 1, max: 99 }), ({ side, quantity, entry, exit, fee }, share) => {
        const part = quantity.times(share).div(100).toDecimalPlaces(8);
        fc.pre(part.gt(0) && part.lt(quantity));
        const trade = opened({ side, quantity: quantity.toFixed(), entryPrice: entry.toFixed() });
        const ending = { price: exit, time: END, reason: 'manual' as const, fee };
        const parted = close(exitPart(trade, { quantity: part, price: exit, fee: dec(0) }), ending);
        expect(near(dec(parted.pnlUsd), close(trade, ending).pnlUsd, 3)).toBe(true);
      }),
      { seed: SEED },
    );
  });

  it('the entry price is the mean of its fills, and lies between them', () => {
    fc.assert(
      fc.property(
        terms,
        fc.array(fc.tuple(amounts({ integerDigits: 3, above: 0 }), price), { maxLength: 5 }),
        (t, more) => {
          let trade = opened({ side: t.side, quantity: t.quantity.toFixed(), entryPrice: t.entry.toFixed() });
          let cost = t.quantity.times(t.entry);
          for (const [quantity, at] of more) {
            trade = enter(trade, { quantity, price: at, fee: dec(0), time: END });
            cost = cost.plus(quantity.times(at));
          }
          const mean = cost.div(trade.quantity);
          expect(near(mean, trade.entryPrice as string, more.length + 1)).toBe(true);
          expect(trade.quantity).toBe(trade.initialQuantity);
          expect(dec(trade.highestPrice as string).gte(trade.entryPrice as string)).toBe(true);
          expect(dec(trade.lowestPrice as string).lte(trade.entryPrice as string)).toBe(true);
        },
      ),
      { seed: SEED },
    );
  });
});
