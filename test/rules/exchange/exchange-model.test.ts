/** A whole exchange in memory, made of the rules alone: whatever orders come, its books add up. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decimal, dec, round8 } from '../../../platform/decimal.ts';
import { execute, type Maker, type Posting, type TradeRecord } from '../../../subgraphs/exchange/rules/execution.ts';
import { conclude, match } from '../../../subgraphs/exchange/rules/matching.ts';
import { averagePrice, smaller, ZERO } from '../../../subgraphs/exchange/rules/money.ts';
import { Purses } from '../../../subgraphs/exchange/rules/purses.ts';
import { reserveFor } from '../../../subgraphs/exchange/rules/reserve.ts';
import { HOUSE_ACCOUNT_ID, release } from '../../../subgraphs/exchange/rules/settlement.ts';

const SEED = 20260101;
const market = { symbol: 'BTC-USD', base: 'BTC', quote: 'USD' };
const rates = { maker: dec('0.001'), taker: dec('0.001') };
const ACCOUNTS = ['a', 'b', 'c', 'd'];

interface Order {
  account: number;
  side: 'BUY' | 'SELL';
  quantity: Decimal;
  price: Decimal;
  timeInForce: 'GTC' | 'IOC' | 'FOK';
  cancels: number;
}

class Exchange {
  readonly makers: (Maker & { side: 'BUY' | 'SELL'; quantity: Decimal })[] = [];
  readonly purses: Purses;
  readonly postings: Posting[] = [];
  readonly trades: TradeRecord[] = [];
  #ids = 0;

  constructor(fundsOf: (accountId: string) => Decimal) {
    this.purses = new Purses(
      ACCOUNTS.flatMap((accountId) =>
        ['USD', 'BTC'].map((asset) => ({ accountId, asset, available: fundsOf(accountId), locked: dec(0) })),
      ),
    );
  }

  #newId = () => String(++this.#ids);

  place({ account, side, quantity, price, timeInForce }: Order): void {
    const accountId = ACCOUNTS[account] as string;
    const order = {
      orderId: this.#newId(),
      accountId,
      type: 'LIMIT',
      side,
      quantity,
      price,
      stopPrice: null,
      timeInForce,
      rates,
    } as const;
    const asset = side === 'BUY' ? 'USD' : 'BTC';
    if (this.purses.of(accountId, asset).available.lt(reserveFor(order, rates))) return;
    const book = this.makers
      .filter((maker) => maker.side !== side && maker.remaining.gt(0))
      .toSorted((x, y) => x.price.cmp(y.price) * (side === 'BUY' ? 1 : -1));
    const { status, fills } = conclude(order, match({ ...order, limit: price }, book));
    const executed = execute(market, order, fills, this.purses, this.#newId);
    this.postings.push(...executed.postings);
    this.trades.push(...executed.trades);
    for (const after of executed.makers) {
      const maker = this.makers.find(({ orderId }) => orderId === after.orderId);
      if (maker)
        Object.assign(maker, after, {
          remaining: maker.quantity.minus(after.filledQuantity),
          version: maker.version + 1,
        });
    }
    if (status !== 'OPEN' && status !== 'PARTIAL') return;
    const remaining = quantity.minus(executed.taker.filledQuantity);
    const needed = reserveFor({ ...order, quantity: remaining }, rates);
    const reserved = smaller(needed, this.purses.of(accountId, asset).available);
    this.#move(release(order, asset, reserved.neg()));
    this.makers.push({ ...order, ...executed.taker, remaining, reserved, status, version: 1 });
  }

  cancel(place: number): void {
    const maker = this.makers[place % (this.makers.length || 1)];
    if (!maker || maker.remaining.isZero()) return;
    this.#move(release(maker, maker.side === 'BUY' ? 'USD' : 'BTC', maker.reserved));
    Object.assign(maker, { remaining: ZERO, reserved: ZERO, quantity: maker.filledQuantity });
  }

  #move(movements: Posting['movements']): void {
    this.purses.apply(movements);
    this.postings.push({ postingId: this.#newId(), movements });
  }
}

const units = (max: number) => fc.integer({ min: 1, max }).map((value) => dec(value).div(100_000_000));
const orders: fc.Arbitrary<Order> = fc.record({
  account: fc.nat({ max: ACCOUNTS.length - 1 }),
  side: fc.constantFrom('BUY', 'SELL'),
  quantity: units(300_000_000),
  price: fc.oneof(units(1_000_000_000), fc.integer({ min: 1, max: 10 }).map(dec)),
  timeInForce: fc.constantFrom('GTC', 'GTC', 'GTC', 'IOC', 'FOK'),
  cancels: fc.nat({ max: 40 }),
});

/** Little money and awkward digits: accounts run dry, roundings add up. */
const sessions = fc.tuple(fc.integer({ min: 1, max: 50 }).map(dec), fc.array(orders, { minLength: 60, maxLength: 80 }));

function run([funds, session]: [Decimal, Order[]]): Exchange {
  const exchange = new Exchange(() => funds);
  for (const order of session) {
    exchange.place(order);
    if (order.cancels < 8) exchange.cancel(order.cancels);
  }
  return exchange;
}

const total = (amounts: Decimal[]) => amounts.reduce((sum, amount) => sum.plus(amount), ZERO);
const property = (check: (exchange: Exchange, funds: Decimal) => void) => () =>
  fc.assert(
    fc.property(sessions, (session) => check(run(session), session[0])),
    { seed: SEED, numRuns: 150 },
  );

describe('an exchange made of the rules', () => {
  it(
    'sums every posting to zero in each asset',
    property(({ postings }) => {
      for (const { movements } of postings) {
        const byAsset = Map.groupBy(movements, ({ asset }) => asset);
        for (const entries of byAsset.values()) expect(total(entries.map(({ amount }) => amount)).isZero()).toBe(true);
        expect(movements.every(({ amount }) => !amount.isZero() && amount.decimalPlaces() <= 8)).toBe(true);
      }
    }),
  );

  it(
    'leaves nobody with less than nothing, and loses nothing',
    property(({ purses, postings }, funds) => {
      for (const asset of ['USD', 'BTC']) {
        const held = ACCOUNTS.map((accountId) => purses.of(accountId, asset));
        for (const { available, locked } of held) expect(available.gte(0) && locked.gte(0)).toBe(true);
        const fees = postings.flatMap(({ movements }) =>
          movements.filter((entry) => entry.accountId === HOUSE_ACCOUNT_ID && entry.asset === asset),
        );
        const all = total([
          ...held.map(({ available, locked }) => available.plus(locked)),
          ...fees.map((fee) => fee.amount),
        ]);
        expect(all.eq(funds.times(ACCOUNTS.length))).toBe(true);
      }
    }),
  );

  it(
    'locks what its live orders reserve: never more than they may cost, and all of it while the account has it',
    property(({ makers, purses }) => {
      for (const accountId of ACCOUNTS) {
        for (const side of ['BUY', 'SELL'] as const) {
          const live = makers.filter((maker) => maker.accountId === accountId && maker.side === side);
          const { locked, available } = purses.of(accountId, side === 'BUY' ? 'USD' : 'BTC');
          expect(total(live.map(({ reserved }) => reserved)).eq(locked)).toBe(true);
          for (const { remaining, price, reserved } of live) {
            const needed = reserveFor({ type: 'LIMIT', side, quantity: remaining, price, stopPrice: null }, rates);
            expect(reserved.lte(needed)).toBe(true);
            if (available.gt('0.000001')) expect(needed.minus(reserved).lte('0.000001')).toBe(true);
          }
        }
      }
    }),
  );

  it(
    'fills no order above its quantity or past its limit, and averages exactly',
    property(({ makers, trades }) => {
      for (const maker of makers) {
        const own = trades.filter(({ orderId }) => orderId === maker.orderId);
        expect(total(own.map(({ quantity }) => quantity)).eq(maker.filledQuantity)).toBe(true);
        expect(maker.filledQuantity.lte(maker.quantity)).toBe(true);
        expect(own.every(({ price }) => (maker.side === 'BUY' ? price.lte(maker.price) : price.gte(maker.price)))).toBe(
          true,
        );
        const notional = total(own.map(({ quantity, price }) => quantity.times(price)));
        expect(maker.filledNotional.eq(notional)).toBe(true);
        const mean = own.length === 0 ? null : round8(notional.div(maker.filledQuantity)).toFixed();
        expect(averagePrice(maker.filledNotional, maker.filledQuantity)?.toFixed() ?? null).toBe(mean);
      }
    }),
  );

  it(
    'charges the fee of the trade, and less only to a buyer who has no more',
    property(({ trades, purses }) => {
      for (const { quantity, price, liquidity, fee, side, accountId } of trades) {
        const full = round8(quantity.times(price).times(liquidity === 'MAKER' ? rates.maker : rates.taker));
        expect(fee.lte(full)).toBe(true);
        expect(full.minus(fee).lte('0.000001')).toBe(true);
        if (side === 'SELL' && quantity.times(price).gt('0.000001')) expect(fee.eq(full)).toBe(true);
        expect(purses.of(accountId, 'USD').available.gte(0)).toBe(true);
      }
    }),
  );

  it(
    'gives a match two sides that agree',
    property(({ trades }) => {
      for (const sides of Map.groupBy(trades, ({ matchId }) => matchId).values()) {
        expect(sides.map(({ side }) => side).toSorted()).toEqual(['BUY', 'SELL']);
        expect(sides.map(({ liquidity }) => liquidity).toSorted()).toEqual(['MAKER', 'TAKER']);
        expect(sides[0]?.quantity.eq(sides[1]?.quantity ?? -1) && sides[0].price.eq(sides[1]?.price ?? -1)).toBe(true);
        expect(sides[0]?.accountId).not.toBe(sides[1]?.accountId);
      }
    }),
  );

  it('trades much, and runs into roundings that a reserve does not cover', () => {
    const exchanges = fc.sample(sessions, { seed: SEED, numRuns: 150 }).map(run);
    const matches = exchanges.flatMap(({ postings }) =>
      postings.filter(({ movements }) => movements.some(({ kind }) => kind === 'FILL')),
    );
    const drawing = matches.filter(({ movements }) => movements.some(({ kind }) => kind === 'LOCK'));
    expect(matches.length).toBeGreaterThan(2_000);
    expect(drawing.length).toBeGreaterThan(0);
  });

  it('executes to the end the order of a buyer who put his last cent into it', () => {
    const pieces = fc.array(units(90_000), { minLength: 2, maxLength: 40 });
    let shortened = 0;
    fc.assert(
      fc.property(pieces, units(1_000_000_000), (quantities, price) => {
        const quantity = total(quantities);
        const order = { side: 'BUY', quantity, price, timeInForce: 'GTC', cancels: 0 } as const;
        const reserve = reserveFor({ ...order, type: 'LIMIT', stopPrice: null }, rates);
        const exchange = new Exchange((accountId) => (accountId === 'a' ? reserve : dec(1_000_000)));
        exchange.place({ ...order, account: 0 });
        for (const piece of quantities) exchange.place({ ...order, side: 'SELL', account: 1, quantity: piece });
        const [maker] = exchange.makers;
        expect([maker?.status, exchange.purses.of('a', 'BTC').available.eq(reserve.plus(quantity))]).toEqual([
          'FILLED',
          true,
        ]);
        const { available, locked } = exchange.purses.of('a', 'USD');
        expect(available.gte(0) && locked.isZero()).toBe(true);
        const due = total(exchange.trades.map((trade) => round8(trade.quantity.times(price).times(rates.maker))));
        if (total(exchange.trades.map(({ fee }) => fee)).lt(due)) shortened++;
      }),
      { seed: SEED, numRuns: 300 },
    );
    expect(shortened).toBeGreaterThan(10);
  });
});
