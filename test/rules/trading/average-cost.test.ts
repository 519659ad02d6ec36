import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decimal, dec, round8 } from '../../../platform/decimal.ts';
import { applyTrade, type Execution, type Holding } from '../../../subgraphs/trading/rules/average-cost.ts';
import { coarseTrades, SEED, signed, trades } from './arbitraries.ts';

function trade(change: string, price: string, commission = '0'): Execution {
  const quantity = dec(change);
  return {
    side: quantity.isPositive() ? 'buy' : 'sell',
    quantity: quantity.abs(),
    price: dec(price),
    commission: dec(commission),
  };
}

/** Every position a run of trades makes, oldest first, and what each trade realised. */
function run(executions: readonly Execution[]): { positions: Holding[]; realized: Decimal[] } {
  const closed: Holding[] = [];
  const realized: Decimal[] = [];
  let open: Holding | null = null;
  for (const execution of executions) {
    const effect = applyTrade(open, execution);
    realized.push(effect.realizedPnl);
    if (effect.held?.quantity.isZero()) closed.push(effect.held);
    open = effect.opened ?? (effect.held?.quantity.isZero() ? null : effect.held);
  }
  return { positions: open ? [...closed, open] : closed, realized };
}

const sum = (values: readonly Decimal[]) => values.reduce((total, value) => total.plus(value), dec(0));

const wire = (holding: Holding | null) =>
  holding && [holding.quantity.toFixed(), holding.averageEntryPrice.toFixed(), holding.realizedPnl.toFixed()];

describe('average cost', () => {
  it('follows the vector of domain.md §12.2 to the digit', () => {
    const first = applyTrade(null, trade('2', '48000', '10')).opened;
    expect(wire(first)).toEqual(['2', '48000', '-10']);
    const second = applyTrade(first, trade('0.5', '50000', '2.5')).held;
    expect(wire(second)).toEqual(['2.5', '48400', '-12.5']);
    const third = applyTrade(second, trade('-1', '51000', '5')).held;
    expect(wire(third)).toEqual(['1.5', '48400', '2582.5']);
    const flip = applyTrade(third, trade('-3', '49000', '15'));
    expect(wire(flip.held)).toEqual(['0', '48400', '3467.5']);
    expect(wire(flip.opened)).toEqual(['-1.5', '49000', '0']);
    expect(flip.realizedPnl.toFixed()).toBe('885');
  });

  const cases: [string, string[][], string[][]][] = [
    ['opens a short', [['-2', '100', '1']], [['-2', '100', '-1']]],
    [
      'adds to a short at the weighted mean',
      [
        ['-1', '100'],
        ['-3', '104'],
      ],
      [['-4', '103', '0']],
    ],
    [
      'gains when a short is bought back lower',
      [
        ['-2', '100'],
        ['1', '90'],
      ],
      [['-1', '100', '10']],
    ],
    [
      'loses when a short is bought back higher',
      [
        ['-2', '100'],
        ['1', '115', '1'],
      ],
      [['-1', '100', '-16']],
    ],
    [
      'closes exactly and keeps the average for the record',
      [
        ['2', '100'],
        ['-2', '101'],
      ],
      [['0', '100', '2']],
    ],
    [
      'opens afresh after a close',
      [
        ['2', '100'],
        ['-2', '101'],
        ['1', '99'],
      ],
      [
        ['0', '100', '2'],
        ['1', '99', '0'],
      ],
    ],
    [
      'flips a short to a long',
      [
        ['-1', '100'],
        ['3', '90', '2'],
      ],
      [
        ['0', '100', '8'],
        ['2', '90', '0'],
      ],
    ],
    [
      'rounds the average half-even to 8 places',
      [
        ['1', '0.00000001'],
        ['1', '0.00000002'],
        ['2', '0.00000003'],
      ],
      [['4', '0.00000002', '0']],
    ],
    [
      'rounds what it realises half-even to 8 places',
      [
        ['1', '0.1'],
        ['-0.00000001', '0.6'],
      ],
      [['0.99999999', '0.1', '0']],
    ],
    [
      'rounds half up to the even neighbour',
      [
        ['1', '0.1'],
        ['-0.00000001', '1.6'],
      ],
      [['0.99999999', '0.1', '0.00000002']],
    ],
    [
      'keeps a tiny lot apart from a huge price',
      [['0.00000001', '999999999999']],
      [['0.00000001', '999999999999', '0']],
    ],
  ];
  it.each(cases)('%s', (_, changes, expected) => {
    const { positions } = run(changes.map(([change = '', price = '', fee]) => trade(change, price, fee)));
    expect(positions.map(wire)).toEqual(expected);
  });

  it('never changes the average of a position that is reduced', () => {
    const held = { quantity: dec('3'), averageEntryPrice: dec('48400.12345678'), realizedPnl: dec('0') };
    const after = applyTrade(held, trade('-1.5', '1'));
    expect(after.held?.averageEntryPrice.toFixed()).toBe('48400.12345678');
  });

  it('keeps quantity: the positions of any run hold what was bought less what was sold', () => {
    fc.assert(
      fc.property(fc.array(trades, { maxLength: 30 }), (executions) => {
        const { positions } = run(executions);
        expect(sum(positions.map(({ quantity }) => quantity)).toFixed()).toBe(sum(executions.map(signed)).toFixed());
      }),
      { seed: SEED },
    );
  });

  it('keeps money: what trades realise is what positions realised, to the digit', () => {
    fc.assert(
      fc.property(fc.array(trades, { maxLength: 30 }), (executions) => {
        const { positions, realized } = run(executions);
        expect(sum(positions.map(({ realizedPnl }) => realizedPnl)).toFixed()).toBe(sum(realized).toFixed());
      }),
      { seed: SEED },
    );
  });

  it('agrees with cash: realised and unrealised P&L are the cash paid and received plus what is held', () => {
    fc.assert(
      fc.property(fc.array(trades, { minLength: 1, maxLength: 20 }), (executions) => {
        const { positions, realized } = run(executions);
        const mark = dec('1000');
        const open = positions.at(-1) as Holding;
        const unrealized = mark.minus(open.averageEntryPrice).times(open.quantity);
        const cash = sum(executions.map((each) => signed(each).negated().times(each.price).minus(each.commission)));
        const worth = cash.plus(mark.times(open.quantity));
        // Each trade rounds its average and what it realises by at most half a unit of the eighth place.
        const bought = sum(executions.map(({ quantity }) => quantity)).plus(1);
        const tolerance = bought.times(executions.length).times('0.000000005');
        expect(sum(realized).plus(unrealized).minus(worth).abs().lte(tolerance)).toBe(true);
      }),
      { seed: SEED },
    );
  });

  it('treats a flip as a close that bears the commission and an opening that is free', () => {
    const state = fc.record({
      side: fc.constantFrom('buy' as const, 'sell' as const),
      quantity: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(state, coarseTrades, fc.integer({ min: 1, max: 5 }), ({ side, quantity }, last, beyond) => {
        const held = applyTrade(null, { side, quantity: dec(quantity), price: dec(100), commission: dec(0) }).opened;
        const opposite = side === 'buy' ? ('sell' as const) : ('buy' as const);
        const flip = applyTrade(held, { ...last, side: opposite, quantity: dec(quantity + beyond) });
        const close = applyTrade(held, { ...last, side: opposite, quantity: dec(quantity) });
        const open = applyTrade(null, { ...last, side: opposite, quantity: dec(beyond), commission: dec(0) });
        expect(wire(flip.held)).toEqual(wire(close.held));
        expect(wire(flip.opened)).toEqual(wire(open.opened));
        expect(flip.realizedPnl.toFixed()).toBe(close.realizedPnl.plus(open.realizedPnl).toFixed());
      }),
      { seed: SEED },
    );
  });

  it('mirrors: the same trades the other way about give the same average and the opposite quantity', () => {
    const mirrored = (each: Execution): Execution => ({ ...each, side: each.side === 'buy' ? 'sell' : 'buy' });
    fc.assert(
      fc.property(fc.array(coarseTrades, { maxLength: 20 }), (executions) => {
        const there = run(executions).positions;
        const back = run(executions.map(mirrored)).positions;
        const flipped = back.map((each) => ({ ...each, quantity: dec(0).minus(each.quantity) }));
        expect(flipped.map((each) => each.quantity.toFixed())).toEqual(there.map((each) => each.quantity.toFixed()));
        expect(back.map((each) => each.averageEntryPrice.toFixed())).toEqual(
          there.map((each) => each.averageEntryPrice.toFixed()),
        );
      }),
      { seed: SEED },
    );
  });

  it('stores nothing beyond 8 places', () => {
    fc.assert(
      fc.property(fc.array(trades, { maxLength: 20 }), (executions) => {
        const { positions, realized } = run(executions);
        const all = positions.flatMap((each) => [each.quantity, each.averageEntryPrice, each.realizedPnl]);
        for (const value of [...all, ...realized]) expect(value.toFixed()).toBe(round8(value).toFixed());
      }),
      { seed: SEED },
    );
  });
});
