/** What orders and their fills do to managed trades: exactly once, with the fill or not at all. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, done, execution, order, refused, send, strategy, trade } from './desk.ts';

let graph: TestGraph;
let strategyId: string;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph.close());

async function desk(): Promise<void> {
  strategyId = await strategy(graph, { symbols: ['BTC-USD', 'ETH-USD'] });
}

const FIELDS = `tradeId side status quantity initialQuantity entryPrice exitPrice closeReason pnl entryFee exitFee
  realizedPartialPnl order { orderId }`;

async function trades(more = ''): Promise<Record<string, unknown>[]> {
  const { strategy: found } = await ask(
    graph,
    `{ strategy(id: "${strategyId}") { managedTrades(sortOrder: ASC, first: 500) { nodes { ${FIELDS} ${more} } } } }`,
  );
  return found.managedTrades.nodes;
}

const fill = (orderId: string, quantity: string, price: string, more: object = {}) =>
  done(graph, 'recordFill', execution(orderId, quantity, price, more));

describe('a filled order', () => {
  it('opens a managed trade under its id, which further fills add to', async () => {
    await desk();
    const orderId = await order(graph, strategyId, { quantity: '2' });
    await fill(orderId, '0.5', '100', { commission: '1' });
    expect(await trades()).toMatchObject([{ tradeId: orderId, status: 'OPEN', quantity: '0.5', entryPrice: '100' }]);
    await fill(orderId, '1.5', '104', { commission: '2' });
    expect(await trades('leverage margin stopLossPrice')).toMatchObject([
      {
        tradeId: orderId,
        side: 'LONG',
        status: 'OPEN',
        quantity: '2',
        initialQuantity: '2',
        entryPrice: '103',
        entryFee: '3',
        order: { orderId },
        leverage: '1',
        margin: '206',
        stopLossPrice: null,
      },
    ]);
    const { tradingOrder } = await ask(graph, `{ tradingOrder(id: "${orderId}") { managedTrade { tradeId } } }`);
    expect(tradingOrder).toEqual({ managedTrade: { tradeId: orderId } });
  });

  it('counts once, however often and at once it is reported', async () => {
    await desk();
    const orderId = await order(graph, strategyId);
    const report = execution(orderId, '1', '100');
    await Promise.all(Array.from({ length: 5 }, () => done(graph, 'recordFill', report)));
    expect(await trades()).toMatchObject([{ quantity: '1', initialQuantity: '1' }]);
  });

  it('against the position closes the oldest first, and shares its commission', async () => {
    await desk();
    await trade(graph, strategyId, '1', '100');
    await trade(graph, strategyId, '2', '110');
    await trade(graph, strategyId, '-2', '120', { commission: '3' });
    expect(await trades()).toMatchObject([
      { status: 'CLOSED', quantity: '1', exitPrice: '120', pnl: '18.5', exitFee: '1.5', closeReason: 'STRATEGY' },
      { status: 'PARTIAL_TP', quantity: '1', initialQuantity: '2', realizedPartialPnl: '10', exitFee: '1.5' },
    ]);
    await trade(graph, strategyId, '-4', '130', { commission: '4' });
    expect(await trades()).toMatchObject([
      { status: 'CLOSED' },
      { status: 'CLOSED', quantity: '1', pnl: '27.5', exitFee: '2.5' },
      { side: 'SHORT', status: 'OPEN', quantity: '3', entryPrice: '130', entryFee: '3' },
    ]);
  });

  it('of one instrument or strategy leaves those of others alone', async () => {
    await desk();
    await trade(graph, strategyId, '1', '100');
    await trade(graph, strategyId, '-1', '10', { symbol: 'ETH-USD' });
    const other = await strategy(graph);
    await trade(graph, other, '-1', '100');
    expect(await trades()).toMatchObject([
      { side: 'LONG', status: 'OPEN', quantity: '1' },
      { side: 'SHORT', status: 'OPEN', quantity: '1' },
    ]);
  });

  it('first closes what of the position was ended by hand', async () => {
    await desk();
    await trade(graph, strategyId, '2', '100');
    await trade(graph, strategyId, '1', '100');
    const [{ tradeId } = {}] = await trades();
    await done(graph, 'adjustManagedTrade', { tradeId, partialExit: { quantity: '0.5', price: '110' } });
    await trade(graph, strategyId, '-0.5', '110');
    expect(await trades()).toMatchObject([{ quantity: '1.5', realizedPartialPnl: '5' }, { quantity: '1' }]);
    await trade(graph, strategyId, '-1', '110');
    expect(await trades()).toMatchObject([{ quantity: '0.5', realizedPartialPnl: '15' }, { quantity: '1' }]);
  });

  it('never touches a trade that was opened by hand, and finds another id where that has its own', async () => {
    await desk();
    await graph.sql(
      'trading',
      `insert into managed_trades (trade_id, symbol, side, status, quantity, initial_quantity, margin_usd, entry_price,
              entry_time, strategy_id)
       values ($1, 'BTC-USD', 'long', 'open', 1, 1, 100, 100, '2026-01-01', $2)`,
      [`taken-${strategyId}`, strategyId],
    );
    const orderId = await order(graph, strategyId, { orderId: `taken-${strategyId}` });
    await fill(orderId, '1', '100');
    await trade(graph, strategyId, '-1', '100');
    const [byHand, byFill] = await trades();
    expect(byHand).toMatchObject({ tradeId: orderId, status: 'OPEN', order: null });
    expect(byFill).toMatchObject({ status: 'CLOSED', order: { orderId } });
  });
});

describe('a planned trade', () => {
  const PLAN = { leverage: '5', stopLossPrice: '90', takeProfitPrice: '120', model: 'm', metadata: { desk: 'a' } };
  const TERMS = 'leverage stopLossPrice initialStopLossPrice takeProfitPrice model metadata margin rMultiple';

  async function place(more: object = {}, managedTrade: object = PLAN): Promise<string> {
    const input = {
      strategyId,
      symbol: 'BTC-USD',
      side: 'BUY',
      type: 'MARKET',
      quantity: '1',
      execution: 'MANUAL',
      managedTrade,
      ...more,
    };
    const { order: placed } = await done(graph, 'placeOrder', input, 'order { orderId managedTrade { status } }');
    expect(placed.managedTrade).toEqual({ status: 'PENDING' });
    return placed.orderId;
  }

  it('waits for its order, is opened on its terms, and is closed where it was to be', async () => {
    await desk();
    const orderId = await place();
    await done(graph, 'submitOrder', { orderId, venue: 'exchange-okx' });
    await fill(orderId, '0.4', '100');
    await fill(orderId, '0.6', '100');
    expect(await trades(TERMS)).toMatchObject([{ tradeId: orderId, status: 'OPEN', margin: '20', ...PLAN }]);
    await trade(graph, strategyId, '-1', '121');
    expect(await trades(TERMS)).toMatchObject([{ status: 'CLOSED', closeReason: 'TP', pnl: '21', rMultiple: '2.1' }]);
  });

  it('ends with an order that ends without a fill, whoever ends it', async () => {
    await desk();
    await done(graph, 'cancelOrder', { orderId: await place() });
    await done(graph, 'rejectOrder', { orderId: await place(), reason: 'no funds' });
    const halted = await place();
    await done(graph, 'stopStrategy', { strategyId });
    expect((await trades()).map(({ status }) => status)).toEqual(['CANCELLED', 'FAILED', 'CANCELLED']);
    const { tradingOrder } = await ask(graph, `{ tradingOrder(id: "${halted}") { managedTrade { status } } }`);
    expect(tradingOrder.managedTrade).toEqual({ status: 'CANCELLED' });
  });

  it('stays with what was filled when its order is cancelled', async () => {
    await desk();
    const orderId = await place();
    await done(graph, 'submitOrder', { orderId, venue: 'exchange-okx' });
    await fill(orderId, '0.25', '100');
    await done(graph, 'cancelOrder', { orderId });
    expect(await trades()).toMatchObject([{ status: 'OPEN', quantity: '0.25', initialQuantity: '0.25' }]);
  });

  it('is entered though its stop was passed: a fill is not refused', async () => {
    await desk();
    const orderId = await place();
    await done(graph, 'submitOrder', { orderId, venue: 'exchange-okx' });
    await fill(orderId, '1', '89.5');
    expect(await trades(TERMS)).toMatchObject([
      { status: 'OPEN', stopLossPrice: null, takeProfitPrice: '120', metadata: { desk: 'a', voidStopLossPrice: '90' } },
    ]);
  });

  it('that had ended before the last fill is followed by another on the same terms', async () => {
    await desk();
    const orderId = await place({ quantity: '2' });
    await done(graph, 'submitOrder', { orderId, venue: 'exchange-okx' });
    await fill(orderId, '1', '100');
    await trade(graph, strategyId, '-1', '110');
    await fill(orderId, '1', '105');
    const [first, second] = await trades(TERMS);
    expect(first).toMatchObject({ tradeId: orderId, status: 'CLOSED', pnl: '10' });
    expect(second).toMatchObject({
      status: 'OPEN',
      quantity: '1',
      entryPrice: '105',
      order: { orderId },
      stopLossPrice: '90',
    });
    const { tradingOrder } = await ask(graph, `{ tradingOrder(id: "${orderId}") { managedTrade { tradeId } } }`);
    expect(tradingOrder.managedTrade.tradeId).toBe(second?.tradeId);
  });

  it('is refused with its order when its terms cannot hold', async () => {
    await desk();
    await graph.sql('trading', 'update strategies set max_leverage = 3 where strategy_id = $1', [strategyId]);
    const input = { strategyId, symbol: 'BTC-USD', side: 'BUY', type: 'LIMIT', price: '100', quantity: '1' };
    for (const terms of [{ stopLossPrice: '101' }, { takeProfitPrice: '99' }, { leverage: '3.1' }, { leverage: '0' }]) {
      expect(await refused(graph, 'placeOrder', { ...input, managedTrade: terms })).toMatchObject({
        code: 'VALIDATION_FAILED',
      });
    }
    const rows = await graph.sql('trading', 'select from orders where strategy_id = $1', [strategyId]);
    expect(rows).toHaveLength(0);
    expect(await trades()).toEqual([]);
  });
});

/** A sequence that is the same in every run. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

it('after random fills, several orders at once, managed trades equal the fills', async () => {
  await desk();
  const random = sequence(20_260_101);
  for (let round = 0; round < 8; round++) {
    const placed = await Promise.all(
      Array.from({ length: 3 }, () =>
        order(graph, strategyId, { side: random(2) === 0 ? 'BUY' : 'SELL', quantity: String(1 + random(4)) }),
      ),
    );
    const { orders } = (
      await ask(graph, `{ strategy(id: "${strategyId}") { orders(first: 500) { nodes { orderId quantity } } } }`)
    ).strategy;
    const quantities = new Map<string, string>(
      orders.nodes.map((row: { orderId: string; quantity: string }) => [row.orderId, row.quantity]),
    );
    const fills = placed.flatMap((orderId) => {
      const half = dec(quantities.get(orderId) as string)
        .div(2)
        .toFixed();
      return [half, half].map((quantity) =>
        execution(orderId, quantity, String(90 + random(20)), { commission: `0.${random(1_000)}1` }),
      );
    });
    const payloads = await Promise.all(fills.map((input) => send(graph, 'recordFill', input)));
    expect(payloads.flatMap(({ errors }) => errors)).toEqual([]);
  }

  const { position, strategy: found } = await ask(
    graph,
    `{ position(strategyId: "${strategyId}", symbol: "BTC-USD") { quantity averageEntryPrice }
       strategy(id: "${strategyId}") { trades(first: 500) { nodes { commission side quantity price } } } }`,
  );
  const all = await trades();
  const sum = (rows: Record<string, unknown>[], field: string): Decimal =>
    rows.reduce((total, row) => total.plus(row[field] as string), dec(0));
  const open = all.filter(({ status }) => status !== 'CLOSED');
  const held = open.reduce(
    (total, { side, quantity }) => total.plus(side === 'LONG' ? (quantity as string) : `-${quantity}`),
    dec(0),
  );
  expect(held.toFixed()).toBe(dec(position?.quantity ?? 0).toFixed());

  const fills = found.trades.nodes;
  expect(sum(all, 'entryFee').plus(sum(all, 'exitFee')).toFixed()).toBe(sum(fills, 'commission').toFixed());
  // Cash: what the closed trades gained, with what is still held at its entry, is what all fills paid and received.
  const cash = fills.reduce(
    (total: Decimal, { side, quantity, price, commission }: Record<string, string>) =>
      total
        .plus(
          dec(quantity as string)
            .times(price as string)
            .times(side === 'BUY' ? -1 : 1),
        )
        .minus(commission as string),
    dec(0),
  );
  const closed = all.filter(({ status }) => status === 'CLOSED');
  const earned = sum(closed, 'pnl')
    .plus(sum(open, 'realizedPartialPnl'))
    .minus(sum(open, 'entryFee'))
    .minus(sum(open, 'exitFee'));
  const invested = open.reduce(
    (total, { side, quantity, entryPrice }) =>
      total.plus(
        dec(quantity as string)
          .times(entryPrice as string)
          .times(side === 'LONG' ? 1 : -1),
      ),
    dec(0),
  );
  expect(earned.minus(invested).minus(cash).abs().lt('0.000001')).toBe(true);
  expect(closed.length).toBeGreaterThan(0);
});
