/** Orders that come into one session of a book fare as if each had come into one of its own. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { Refusal } from '../../../platform/errors.ts';
import { BookSession, type IncomingOrder, type Placed } from '../../../subgraphs/exchange/rules/book-session.ts';
import type { Maker } from '../../../subgraphs/exchange/rules/execution.ts';
import { ZERO } from '../../../subgraphs/exchange/rules/money.ts';
import { Purses } from '../../../subgraphs/exchange/rules/purses.ts';
import { isTriggered } from '../../../subgraphs/exchange/rules/stops.ts';

const SEED = 20260101;
const AT = '2026-01-01T08:30:00.999998Z';
const market = { symbol: 'BTC-USD', base: 'BTC', quote: 'USD' };
const rates = { maker: dec('0.001'), taker: dec('0.002') };
const ACCOUNTS = ['a', 'b', 'c'];

/** What stays of a book between two sessions. */
class Book {
  readonly makers = new Map<string, Maker & { side: string; sequence: bigint }>();
  readonly stops: Placed[] = [];
  readonly trades: string[] = [];
  readonly refused: string[] = [];
  lastPrice: Decimal | null = null;
  purses: Purses;
  #sequence = 0n;

  constructor(funds: Decimal) {
    const all = ACCOUNTS.flatMap((accountId) => ['USD', 'BTC'].map((asset) => ({ accountId, asset })));
    this.purses = new Purses(all.map((purse) => ({ ...purse, available: funds, locked: ZERO })));
  }

  /** The orders come in within one session. */
  take(orders: readonly IncomingOrder[]): BookSession {
    let ids = 0;
    const newId = () => `${orders[0]?.orderId} ${++ids}`;
    const { asks, bids } = { asks: this.side('SELL'), bids: this.side('BUY') };
    const session = new BookSession({ market, at: AT, lastPrice: this.lastPrice, asks, bids, newId }, this.purses);
    for (const order of orders) {
      this.#sequence++;
      try {
        session.place(order, this.#sequence, `trace of ${order.orderId}`);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        this.refused.push(`${order.orderId}: ${error.message}`);
      }
    }
    this.#keep(session);
    return session;
  }

  side(side: string): Maker[] {
    const makers = [...this.makers.values()].filter((maker) => maker.side === side);
    const byPrice = (a: Maker, b: Maker) => a.price.cmp(b.price) * (side === 'SELL' ? 1 : -1);
    return makers.toSorted((a, b) => byPrice(a, b) || Number(a.sequence - b.sequence)).map((maker) => ({ ...maker }));
  }

  #keep({ placed, changes, trades }: BookSession): void {
    for (const { price } of trades) {
      for (const stop of this.stops) {
        const { side, stopPrice } = stop.order;
        if (isTriggered({ side, stopPrice: stopPrice as Decimal }, price)) stop.triggeredAt ??= AT;
      }
    }
    for (const { orderId, accountId, price, quantity, fee } of trades)
      this.trades.push([orderId, accountId, price, quantity, fee].join(' '));
    this.lastPrice = trades.at(-1)?.price ?? this.lastPrice;
    for (const one of placed) {
      const { order, status, sequence, filledQuantity, filledNotional, reserved } = one;
      if (order.type === 'STOP') this.stops.push(one);
      if (status !== 'OPEN' && status !== 'PARTIAL') continue;
      const { orderId, accountId, side } = order;
      const rest = { remaining: order.quantity.minus(filledQuantity), filledQuantity, filledNotional, reserved };
      const maker = { orderId, accountId, side, price: order.price as Decimal, rates, sequence, status, version: 1 };
      this.makers.set(orderId, { ...maker, ...rest });
    }
    for (const { orderId, filledQuantity, filledNotional, status, reserved } of changes.values()) {
      const maker = this.makers.get(orderId);
      if (!maker) throw new Error(`${orderId} does not rest`);
      const remaining = maker.remaining.minus(filledQuantity.minus(maker.filledQuantity));
      if (status === 'FILLED') this.makers.delete(orderId);
      else this.makers.set(orderId, { ...maker, filledQuantity, filledNotional, status, reserved, remaining });
    }
  }

  /** All that there is to be known of it. */
  state() {
    const of = ({ orderId, remaining, reserved, status, filledNotional }: Maker) =>
      `${orderId} ${status} ${remaining} ${reserved} ${filledNotional}`;
    return {
      asks: this.side('SELL').map(of),
      bids: this.side('BUY').map(of),
      stops: this.stops.map(
        ({ order, triggeredAt, reserved }) => `${order.orderId} ${triggeredAt !== null} ${reserved}`,
      ),
      held: ACCOUNTS.flatMap((id) => ['USD', 'BTC'].map((asset) => this.purses.of(id, asset))).map(
        ({ available, locked }) => `${available} + ${locked}`,
      ),
      trades: this.trades,
      refused: this.refused,
      lastPrice: String(this.lastPrice),
    };
  }
}

const cents = (max: number) => fc.integer({ min: 1, max }).map((value) => dec(value).div(100));
const terms = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('LIMIT' as const), price: cents(500) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('MARKET' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('STOP' as const), stopPrice: cents(500) }) },
);
const incoming = fc
  .record({
    terms,
    accountId: fc.constantFrom(...ACCOUNTS),
    side: fc.constantFrom('BUY' as const, 'SELL' as const),
    quantity: cents(300),
    timeInForce: fc.constantFrom('GTC' as const, 'GTC' as const, 'IOC' as const, 'FOK' as const),
  })
  .map(({ terms: given, ...order }) => ({ price: null, stopPrice: null, ...order, ...given }));

const crowds = fc.record({
  funds: fc.integer({ min: 1, max: 30 }).map(dec),
  orders: fc.array(incoming, { minLength: 30, maxLength: 60 }),
  /** So many come one by one before the others come together. */
  before: fc.nat({ max: 30 }),
});

function ordersOf(crowd: readonly Omit<IncomingOrder, 'orderId' | 'clientOrderId' | 'metadata' | 'rates'>[]) {
  return crowd.map(
    (order, n): IncomingOrder => ({ ...order, orderId: `o${n}`, clientOrderId: null, metadata: {}, rates }),
  );
}

describe('a session of a book', () => {
  it('leaves a book, balances and trades as if each of its orders had come alone', () => {
    fc.assert(
      fc.property(crowds, ({ funds, orders, before }) => {
        const [alone, together] = [new Book(funds), new Book(funds)];
        const crowd = ordersOf(orders);
        for (const order of crowd) alone.take([order]);
        for (const order of crowd.slice(0, before)) together.take([order]);
        together.take(crowd.slice(before));
        expect(together.state()).toEqual(alone.state());
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('gives every order and every match a microsecond of its own, in their order', () => {
    fc.assert(
      fc.property(crowds, ({ orders }) => {
        const { placed, trades } = new Book(dec(1_000)).take(ordersOf(orders));
        const created = placed.map(({ createdAt }) => createdAt);
        expect(new Set(created).size).toBe(created.length);
        expect(created.map(Date.parse)).toEqual(created.map(Date.parse).toSorted((a, b) => a - b));
        const born = new Map(placed.map(({ order, createdAt }) => [order.orderId, createdAt]));
        const moments = trades.map(({ matchId, executedAt }) => [matchId, executedAt]);
        expect(new Set(moments.map(([, at]) => at)).size).toBe(new Set(moments.map(([id]) => id)).size);
        for (const { orderId, executedAt } of trades)
          expect(micros(executedAt)).toBeGreaterThanOrEqual(micros(born.get(orderId) as string));
        for (const { filledAt, createdAt } of placed)
          if (filledAt) expect(micros(filledAt)).toBeGreaterThanOrEqual(micros(createdAt));
      }),
      { seed: SEED, numRuns: 50 },
    );
  });

  it('says for each order, trade, posting and balance whose it is', () => {
    const [buy, sell] = ordersOf([
      {
        accountId: 'a',
        type: 'LIMIT',
        side: 'BUY',
        timeInForce: 'GTC',
        quantity: dec(1),
        price: dec(5),
        stopPrice: null,
      },
      {
        accountId: 'b',
        type: 'LIMIT',
        side: 'SELL',
        timeInForce: 'GTC',
        quantity: dec(2),
        price: dec(5),
        stopPrice: null,
      },
    ]) as [IncomingOrder, IncomingOrder];
    const book = new Book(dec(100));
    const { placed, trades, postings } = book.take([buy, sell]);
    expect(placed.map(({ status, traceId }) => [status, traceId])).toEqual([
      ['FILLED', 'trace of o0'],
      ['PARTIAL', 'trace of o1'],
    ]);
    expect(trades.map(({ traceId }) => traceId)).toEqual(['trace of o1', 'trace of o1']);
    expect(postings.map(({ traceId }) => traceId)).toEqual(['trace of o0', 'trace of o1', 'trace of o1']);
    const changed = book.purses.changed().map(({ accountId, asset, traceId }) => `${accountId} ${asset}: ${traceId}`);
    expect(changed).toHaveLength(4);
    expect(changed.every((text) => text.endsWith('trace of o1'))).toBe(true); // the one that came last
  });
});

/** "2026-01-01T08:30:00.999998Z" → microseconds of that minute */
function micros(instant: string): number {
  const [, second = '0', fraction = ''] = /:(\d\d)(?:\.(\d+))?Z$/.exec(instant) ?? [];
  return Number(second) * 1e6 + Number(fraction.padEnd(6, '0'));
}
