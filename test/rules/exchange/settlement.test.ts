import { describe, expect, it } from 'vitest';
import { dec, toWire } from '../../../platform/decimal.ts';
import { averagePrice, feeOn } from '../../../subgraphs/exchange/rules/money.ts';
import { Purses } from '../../../subgraphs/exchange/rules/purses.ts';
import { reserveFor, worstPrice } from '../../../subgraphs/exchange/rules/reserve.ts';
import {
  costOf,
  EXTERNAL_ACCOUNT_ID,
  HOUSE_ACCOUNT_ID,
  type Match,
  type Movement,
  release,
  settle,
  transfer,
} from '../../../subgraphs/exchange/rules/settlement.ts';
import { isTriggered } from '../../../subgraphs/exchange/rules/stops.ts';

const rate = dec('0.001');
const written = (movements: Movement[]) =>
  movements.map(({ accountId, asset, bucket, amount, kind }) =>
    [accountId === HOUSE_ACCOUNT_ID ? 'house' : accountId, asset, bucket, toWire(amount), kind].join(' '),
  );

function matchOf(changes: Partial<Match['buyer']> = {}, quantity = '2', price = '100'): Match {
  const party = (accountId: string) => ({
    accountId,
    orderId: `${accountId}-order`,
    tradeId: `${accountId}-trade`,
    feeRate: rate,
  });
  return {
    base: 'BTC',
    quote: 'USD',
    quantity: dec(quantity),
    price: dec(price),
    buyer: {
      ...party('buyer'),
      bucket: 'AVAILABLE',
      reserved: dec(0),
      reserveAfter: dec(0),
      available: dec('1000'),
      ...changes,
    },
    seller: { ...party('seller'), bucket: changes.bucket === 'LOCKED' ? 'AVAILABLE' : 'LOCKED' },
  };
}

describe('settlement of a match', () => {
  it('moves the value one way, the goods the other, and a fee from each side to the house', () => {
    expect(written(settle(matchOf()).movements)).toEqual([
      'buyer USD AVAILABLE -200 FILL',
      'seller USD AVAILABLE 200 FILL',
      'seller BTC LOCKED -2 FILL',
      'buyer BTC AVAILABLE 2 FILL',
      'buyer USD AVAILABLE -0.2 FEE',
      'house USD AVAILABLE 0.2 FEE',
      'seller USD AVAILABLE -0.2 FEE',
      'house USD AVAILABLE 0.2 FEE',
    ]);
  });

  it('pays a resting buy from what it reserved and gives back what it needs no more', () => {
    const reserves = {
      bucket: 'LOCKED',
      reserved: dec('330.33'),
      reserveAfter: dec('110.11'),
      available: dec(0),
    } as const;
    const settled = settle(matchOf(reserves));
    expect(written(settled.movements)).toEqual([
      'buyer USD LOCKED -200 FILL',
      'seller USD AVAILABLE 200 FILL',
      'seller BTC AVAILABLE -2 FILL',
      'buyer BTC AVAILABLE 2 FILL',
      'buyer USD LOCKED -0.2 FEE',
      'house USD AVAILABLE 0.2 FEE',
      'seller USD AVAILABLE -0.2 FEE',
      'house USD AVAILABLE 0.2 FEE',
      'buyer USD LOCKED -20.02 UNLOCK',
      'buyer USD AVAILABLE 20.02 UNLOCK',
    ]);
    expect(toWire(settled.buyerReserved)).toBe('110.11');
  });

  it('draws on the available balance when roundings have used up more than was reserved', () => {
    const settled = settle(matchOf({ bucket: 'LOCKED', reserved: dec('200.19999999'), available: dec('5') }));
    expect(toWire(settled.buyerFee)).toBe('0.2');
    expect(written(settled.movements).slice(-2)).toEqual([
      'buyer USD LOCKED 0.00000001 LOCK',
      'buyer USD AVAILABLE -0.00000001 LOCK',
    ]);
  });

  it('takes off the fee what nobody has', () => {
    const settled = settle(matchOf({ bucket: 'LOCKED', reserved: dec('200.19999999'), available: dec(0) }));
    expect(toWire(settled.buyerFee)).toBe('0.19999999');
    expect(toWire(settled.sellerFee)).toBe('0.2');
  });

  it.each([
    ['0.00000015', '0.1', '-0.00000002'], // half-way, to the even 2
    ['0.00000025', '0.1', '-0.00000002'],
    ['0.00000026', '0.1', '-0.00000003'],
  ])('rounds the value of %s at %s half-even to %s', (quantity, price, paid) => {
    expect(settle(matchOf({}, quantity, price)).movements[0]?.amount.toFixed()).toBe(paid);
  });

  it('moves no value where it rounds to nothing', () => {
    expect(written(settle(matchOf({}, '0.00000001', '0.1')).movements)).toEqual([
      'seller BTC LOCKED -0.00000001 FILL',
      'buyer BTC AVAILABLE 0.00000001 FILL',
    ]);
  });
});

describe('fees, averages and reserves', () => {
  it.each([
    ['48000', '0.001', '48'],
    ['0.000005', '0.001', '0'], // 0.000000005 is half-way and goes to the even 0
    ['0.000015', '0.001', '0.00000002'], // 0.000000015 is half-way and goes to the even 2
    ['0.000025', '0.001', '0.00000002'],
    ['123.456789', '0.001', '0.12345679'],
    ['100', '0', '0'],
  ])('the fee on %s at %s is %s', (value, of, fee) => {
    expect(toWire(feeOn(dec(value), dec(of)))).toBe(fee);
  });

  it.each([
    ['0', '0', null],
    ['150.5', '1.5', '100.33333333'],
    ['1', '3', '0.33333333'],
    ['2', '3', '0.66666667'],
  ])('the average of %s paid for %s is %s', (notional, quantity, average) => {
    const mean = averagePrice(dec(notional), dec(quantity));
    expect(mean && toWire(mean)).toBe(average);
  });

  const rates = { maker: dec('0.0005'), taker: dec('0.002') };
  const terms = { quantity: dec('1.5'), price: null, stopPrice: null };
  it.each([
    ['a sell reserves its quantity', { ...terms, type: 'LIMIT', side: 'SELL', price: dec(100) }, '1.5'],
    ['a stop sell reserves its quantity', { ...terms, type: 'STOP', side: 'SELL', stopPrice: dec(100) }, '1.5'],
    [
      'a buy reserves its value with the higher fee',
      { ...terms, type: 'LIMIT', side: 'BUY', price: dec(100) },
      '150.3',
    ],
    ['a stop buy reserves 5 % more', { ...terms, type: 'STOP', side: 'BUY', stopPrice: dec(100) }, '157.815'],
    ['a market order reserves nothing', { ...terms, type: 'MARKET', side: 'BUY' }, '0'],
  ] as const)('%s', (_, order, reserve) => {
    expect(toWire(reserveFor(order, rates))).toBe(reserve);
  });

  it('a stop sell takes any price, a stop buy at most 5 % above its stop', () => {
    expect(worstPrice({ side: 'SELL', price: null, stopPrice: dec(100) })).toBeNull();
    expect(worstPrice({ side: 'BUY', price: null, stopPrice: dec('0.33') })?.toFixed()).toBe('0.3465');
  });

  it('a market buy costs the values and fees of its fills, each rounded', () => {
    const fills = [
      { quantity: dec('0.5'), price: dec('100.01') },
      { quantity: dec('0.00000001'), price: dec('0.5') },
    ];
    expect(toWire(costOf(fills, rates.taker))).toBe('50.10501');
  });
});

describe('stops', () => {
  it.each([
    ['BUY', '100', '99.99', false],
    ['BUY', '100', '100', true],
    ['BUY', '100', '100.01', true],
    ['SELL', '100', '100.01', false],
    ['SELL', '100', '100', true],
    ['SELL', '100', '99.99', true],
  ] as const)('a %s stop at %s with the last price at %s: %s', (side, stopPrice, last, triggered) => {
    expect(isTriggered({ side, stopPrice: dec(stopPrice) }, dec(last))).toBe(triggered);
  });

  it('wait while nothing was traded', () => {
    expect(isTriggered({ side: 'SELL', stopPrice: dec(100) }, null)).toBe(false);
  });
});

describe('purses', () => {
  it('move both buckets, and say which changed', () => {
    const purse = (asset: string) => ({ accountId: 'a', asset, available: dec(10), locked: dec(0) });
    const purses = new Purses([purse('USD'), purse('BTC')]);
    purses.apply(release({ accountId: 'a', orderId: 'o' }, 'USD', dec(-4)));
    purses.apply(transfer('a', 'USD', dec(1), 'ref'));
    const changed = purses.changed().map(({ asset, available, locked }) => [asset, toWire(available), toWire(locked)]);
    expect(changed).toEqual([['USD', '7', '4']]);
  });

  it('refuse to move what is not locked', () => {
    const purses = new Purses([]);
    expect(() => purses.apply(transfer('a', 'USD', dec(1), 'ref'))).toThrow(
      'The USD balance of account a is not locked',
    );
  });

  it('leave the exchange’s own accounts to the ledger', () => {
    const purses = new Purses([{ accountId: 'a', asset: 'USD', available: dec(0), locked: dec(0) }]);
    const movements = transfer('a', 'USD', dec(5), 'ref');
    purses.apply(movements);
    expect(movements.map(({ accountId }) => accountId)).toEqual(['a', EXTERNAL_ACCOUNT_ID]);
    expect(purses.changed()).toHaveLength(1);
  });
});
