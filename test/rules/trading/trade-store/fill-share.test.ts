/** Random executions: what the managed trades hold is what the position holds, and nothing of a commission is lost. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dec } from '../../../../platform/decimal.ts';
import { shareFill } from '../../../../subgraphs/trading/trade-store/rules/fill-share.ts';
import { isOpen } from '../../../../subgraphs/trading/trade-store/rules/lifecycle.ts';
import type { ManagedTrade } from '../../../../subgraphs/trading/trade-store/rules/managed-trade.ts';
import { close, exitPart } from '../../../../subgraphs/trading/trade-store/rules/steps.ts';
import { coarseTrades, SEED, signed, trades } from '../arbitraries.ts';
import { END, opened } from './trades.ts';

const shown = ({ exits, entry }: ReturnType<typeof shareFill>) => ({
  exits: exits.map(({ trade, quantity, fee }) => `${trade.tradeId} ${quantity} ${fee}`),
  entry: entry && `${entry.quantity} ${entry.fee}`,
});

describe('a fill', () => {
  const [first, second] = [opened({ tradeId: 'first', quantity: '1' }), opened({ tradeId: 'second', quantity: '2' })];

  it('with the position opens', () => {
    const share = shareFill(dec(3), [first, second], { change: dec(1), commission: dec(5) });
    expect(shown(share)).toEqual({ exits: [], entry: '1 5' });
  });

  it('against it closes the oldest first, and shares its commission', () => {
    const share = shareFill(dec(3), [first, second], { change: dec('-1.5'), commission: dec(3) });
    expect(shown(share)).toEqual({ exits: ['first 1 2', 'second 0.5 1'], entry: null });
  });

  it('larger than it closes all and opens the other way', () => {
    const share = shareFill(dec(3), [first, second], { change: dec(-4), commission: dec(4) });
    expect(shown(share)).toEqual({ exits: ['first 1 1', 'second 2 2'], entry: '1 1' });
  });

  it('first closes what of the position is managed by nobody', () => {
    const share = shareFill(dec(5), [first, second], { change: dec(-3), commission: dec(3) });
    expect(shown(share)).toEqual({ exits: ['first 1 1'], entry: null });
  });
});

describe.each([
  ['fine', trades],
  ['coarse', coarseTrades],
])('after any %s executions', (_, executions) => {
  it('the open trades are the position, and all fees are theirs', () => {
    fc.assert(
      fc.property(fc.array(executions, { maxLength: 30 }), (all) => {
        let held = dec(0);
        let open: ManagedTrade[] = [];
        let fees = dec(0);
        let commissions = dec(0);
        for (const [index, execution] of all.entries()) {
          const { price, commission } = execution;
          const { exits, entry } = shareFill(held, open, { change: signed(execution), commission });
          const after = new Map(
            exits.map(({ trade, quantity, fee }) => [
              trade.tradeId,
              quantity.eq(trade.quantity)
                ? close(trade, { price, time: END, reason: 'strategy', fee })
                : exitPart(trade, { quantity, price, fee }),
            ]),
          );
          open = open.map((trade) => after.get(trade.tradeId) ?? trade).filter(isOpen);
          fees = exits.reduce((sum, { fee }) => sum.plus(fee), fees).plus(entry?.fee ?? 0);
          if (entry) {
            const side = execution.side === 'buy' ? ('long' as const) : ('short' as const);
            open.push(
              opened({ tradeId: `t${index}`, side, quantity: entry.quantity.toFixed(), entryPrice: price.toFixed() }),
            );
          }
          held = held.plus(signed(execution));
          commissions = commissions.plus(commission);
          const sum = open.reduce(
            (total, { side, quantity }) => total.plus(side === 'long' ? quantity : `-${quantity}`),
            dec(0),
          );
          expect(sum.toFixed()).toBe(held.toFixed());
        }
        expect(fees.toFixed()).toBe(commissions.toFixed());
      }),
      { seed: SEED },
    );
  });
});
