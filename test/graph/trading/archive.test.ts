/** What is over moves into the archive: it stays readable, and no total tells the difference. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archiveOld } from '../../../subgraphs/trading/archive/archiver.ts';
import type { Context } from '../../../subgraphs/trading/context.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ACCOUNT, ask, done, execution, now, order, refused, send, strategy, trade } from './desk.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph.close());

/** A strategy with a day of trades in the given past, all of them closed again; orders `<id>-1` … `<id>-<count>`. */
async function past(id: string, daysAgo: number, count: number): Promise<void> {
  await strategy(graph, { strategyId: id, accountId: accountOf(id) });
  const at = `now() - interval '${daysAgo} days' + n * interval '1 minute'`;
  await graph.sql(
    'trading',
    `insert into orders (order_id, strategy_id, account_id, instrument_id, side, order_type, status, quantity,
            filled_quantity, filled_notional, average_fill_price, realized_pnl, commission, execution_venue,
            exchange_order_id, submitted_at, filled_at, created_at, updated_at)
     select '${id}-' || n, '${id}', $2, 'BTC-USD', case n % 2 when 1 then 'buy' else 'sell' end, 'market', 'filled',
            0.3, 0.3, 0.3 * 33.33333333, 33.33333333, n * 0.00000001, 0.00000001, 'okx', '${id}-x' || n,
            ${at}, ${at}, ${at}, ${at} from generate_series(1, $1::int) as n`,
    [count, accountOf(id)],
  );
  await graph.sql(
    'trading',
    `insert into trades (trade_id, order_id, strategy_id, account_id, instrument_id, side, quantity, price, commission,
            realized_pnl, execution_venue, exchange_trade_id, executed_at)
     select 't-' || order_id, order_id, strategy_id, account_id, instrument_id, side, 0.3, 33.33333333, 0.00000001,
            realized_pnl, 'okx', 'e-' || order_id, filled_at from orders where strategy_id = '${id}'`,
  );
  await graph.sql(
    'trading',
    `insert into positions (position_id, strategy_id, account_id, instrument_id, quantity, average_entry_price, realized_pnl,
            current_price, marked_at, opened_at, closed_at)
     select 'p-' || order_id, strategy_id, account_id, instrument_id, 0, 33.33333333, realized_pnl, 33.33333333, filled_at,
            filled_at, filled_at from orders where strategy_id = '${id}'`,
  );
  await graph.sql(
    'trading',
    `update strategies set total_trades = $1::int, realized_pnl = (select sum(realized_pnl) from trades where strategy_id = '${id}')
      where strategy_id = '${id}'`,
    [count],
  );
}

const accountOf = (id: string) => `00000000-0000-4000-a000-${Buffer.from(id).toString('hex').padStart(12, '0')}`;

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

/** Everything that is summed or counted of a strategy and its account. */
function totals(id: string, day: string) {
  return ask(
    graph,
    `query ($id: ID!, $account: ID!, $day: String!) {
      strategy(id: $id) { totalTrades realizedPnl unrealizedPnl totalPnl }
      volume: strategyVolume(strategyId: $id) realized: strategyRealizedPnl(strategyId: $id)
      volumeOfDay: strategyVolume(strategyId: $id, from: "${day}T00:00:00Z")
      exposure: totalExposure(strategyId: $id) unrealized: totalUnrealizedPnl(strategyId: $id)
      dailyTrades(strategyId: $id, date: $day) { totalCount }
      portfolio(accountId: $account) { totalRealizedPnl totalPnl grossExposure openPositionCount } }`,
    { id, account: accountOf(id), day },
  );
}

describe('archiveOrders', () => {
  it('moves ended orders with their executions, in batches, and every total stays as it was', async () => {
    await past('old', 100, 7);
    await past('young', 80, 2);
    await trade(graph, 'old', '2', '50', { commission: '0.1' });
    await trade(graph, 'old', '-1', '60');
    const before = await totals('old', daysAgo(100));
    expect(before).toMatchObject({ strategy: { totalTrades: 9 }, dailyTrades: { totalCount: 7 } });

    const counts = 'archivedOrderCount archivedTradeCount hasMore';
    expect([
      await done(graph, 'archiveOrders', { limit: 5 }, counts),
      await done(graph, 'archiveOrders', { limit: 5 }, counts),
      await done(graph, 'archiveOrders', { limit: 5 }, counts),
    ]).toEqual([
      { archivedOrderCount: 5, archivedTradeCount: 5, hasMore: true },
      { archivedOrderCount: 2, archivedTradeCount: 2, hasMore: false },
      { archivedOrderCount: 0, archivedTradeCount: 0, hasMore: false },
    ]);
    expect(await totals('old', daysAgo(100))).toEqual(before);
    const kept = await graph.sql(
      'trading',
      `select (select count(*)::int from orders where strategy_id = 'old') as orders,
              (select count(*)::int from trades where strategy_id = 'old') as trades,
              (select count(*)::int from orders_archive) as archived,
              (select count(*)::int from trades_archive) as archived_trades`,
    );
    expect(kept).toEqual([{ orders: 2, trades: 2, archived: 7, archived_trades: 7 }]);
  });

  it('leaves what is archived readable by every id, and in lists that ask for it', async () => {
    const { it: read, ...data } = await ask(
      graph,
      `{ it: tradingOrder(id: "old-1") { archivedAt status quantity strategy { strategyId }
           trades { nodes { tradeId archivedAt order { orderId } } totalCount } }
         byVenue: orderByExchangeId(venue: "okx", exchangeOrderId: "old-x2") { orderId }
         trade: tradingTrade(id: "t-old-1") { grossValue order { orderId archivedAt } }
         tradeByVenue: tradeByExchangeId(venue: "okx", exchangeTradeId: "e-old-3") { tradeId }
         without: tradingOrders(filter: { strategyId: "old" }) { totalCount }
         with: tradingOrders(filter: { strategyId: "old", includeArchived: true }) { totalCount }
         trades: tradingTrades(filter: { strategyId: "old", includeArchived: true }) { totalCount }
         strategy(id: "old") { orders { totalCount } all: orders(filter: { includeArchived: true }, first: 3, sortOrder: ASC) {
           nodes { orderId } totalCount } }
         strange: tradingOrder(id: "no-such-order") { orderId } }`,
    );
    expect(read).toMatchObject({
      archivedAt: expect.any(String),
      status: 'FILLED',
      quantity: '0.3',
      strategy: { strategyId: 'old' },
      trades: {
        nodes: [{ tradeId: 't-old-1', archivedAt: expect.any(String), order: { orderId: 'old-1' } }],
        totalCount: 1,
      },
    });
    expect(data).toEqual({
      byVenue: { orderId: 'old-2' },
      trade: { grossValue: '10', order: { orderId: 'old-1', archivedAt: read.archivedAt } },
      tradeByVenue: { tradeId: 't-old-3' },
      without: { totalCount: 2 },
      with: { totalCount: 9 },
      trades: { totalCount: 9 },
      strategy: {
        orders: { totalCount: 2 },
        all: { nodes: [{ orderId: 'old-1' }, { orderId: 'old-2' }, { orderId: 'old-3' }], totalCount: 9 },
      },
      strange: null,
    });
  });

  it('gives no id of an archived order or execution away again', async () => {
    const again = {
      orderId: 'old-1',
      strategyId: 'old',
      symbol: 'BTC-USD',
      side: 'BUY',
      type: 'MARKET',
      quantity: '1',
    };
    expect(await refused(graph, 'placeOrder', again)).toMatchObject({
      __typename: 'Conflict',
      path: ['input', 'orderId'],
    });
    const orderId = await order(graph, 'old');
    const same = execution(orderId, '0.3', '33.33333333', { venue: 'okx', exchangeTradeId: 'e-old-1' });
    await graph.sql('trading', `update orders set execution_venue = 'okx' where order_id = $1`, [orderId]);
    expect(await refused(graph, 'recordFill', same)).toMatchObject({ __typename: 'IdempotencyConflict' });
    await expect(
      graph.sql(
        'trading',
        `insert into trades (order_id, strategy_id, account_id, instrument_id, side, quantity, price, realized_pnl,
                execution_venue, exchange_trade_id, executed_at)
         select order_id, strategy_id, account_id, instrument_id, side, 1, 1, 0, 'okx', 'e-old-1', now() from orders
          where order_id = $1`,
        [orderId],
      ),
    ).rejects.toMatchObject({ constraint: 'trades_exchange_trade_key' });
    await done(graph, 'cancelOrder', { orderId });
  });

  it('never touches an order that may still be executed, however old', async () => {
    await strategy(graph, { strategyId: 'resting' });
    await graph.sql(
      'trading',
      `insert into orders (order_id, strategy_id, account_id, instrument_id, side, order_type, status, quantity, created_at, updated_at)
       values ('rests', 'resting', '${ACCOUNT}', 'BTC-USD', 'buy', 'market', 'pending', 1, '2020-01-01', '2020-01-01')`,
    );
    expect(await done(graph, 'archiveOrders', {}, 'archivedOrderCount')).toEqual({ archivedOrderCount: 0 });
    expect(await ask(graph, `{ tradingOrder(id: "rests") { archivedAt } }`)).toEqual({
      tradingOrder: { archivedAt: null },
    });
  });

  it('moves each row once when several archive at once, and answers a repeat with the first answer', async () => {
    await past('crowd', 95, 40);
    const counts = await Promise.all(
      Array.from({ length: 5 }, () =>
        done(graph, 'archiveOrders', { limit: 20 }, 'archivedOrderCount archivedTradeCount'),
      ),
    );
    const sum = (field: string) => counts.reduce((total, each) => total + each[field], 0);
    const rest = await done(graph, 'archiveOrders', { limit: 100, idempotencyKey: 'rest' }, 'archivedOrderCount');
    expect(sum('archivedOrderCount') + rest.archivedOrderCount).toBe(40);
    expect(await done(graph, 'archiveOrders', { limit: 100, idempotencyKey: 'rest' }, 'archivedOrderCount')).toEqual(
      rest,
    );
    const [left] = await graph.sql(
      'trading',
      `select count(*)::int as trades, count(distinct order_id)::int as orders from trades_archive where strategy_id = 'crowd'`,
    );
    expect(left).toEqual({ trades: 40, orders: 40 });
  });

  it.each([
    [{ olderThanDays: 0 }, 'olderThanDays must be from 1 to 36500, but got 0.'],
    [{ olderThanDays: 36501 }, 'olderThanDays must be from 1 to 36500, but got 36501.'],
    [{ limit: 0 }, 'limit must be from 1 to 5000, but got 0.'],
    [{ limit: 5001 }, 'limit must be from 1 to 5000, but got 5001.'],
  ])('refuses %j', async (input, message) => {
    for (const name of ['archiveOrders', 'archiveTrades', 'archivePositions']) {
      expect(await refused(graph, name, input)).toMatchObject({ message, __typename: 'ValidationFailed' });
    }
  });
});

describe('archiveTrades', () => {
  it('moves old executions of orders that have ended, and they stay among those of the order', async () => {
    await past('year', 400, 3);
    await graph.sql('trading', `update orders set updated_at = now() where strategy_id = 'year'`); // touched since
    await graph.sql(
      'trading',
      `update orders set status = 'partially_filled', quantity = 1, filled_at = null where order_id = 'year-3'`,
    );
    const before = await totals('year', daysAgo(400));
    expect(await done(graph, 'archiveTrades', {}, 'archivedTradeCount hasMore')).toEqual({
      archivedTradeCount: 2,
      hasMore: false,
    });
    expect(await totals('year', daysAgo(400))).toEqual(before);
    const { tradingOrder } = await ask(
      graph,
      `{ tradingOrder(id: "year-1") { archivedAt trades { nodes { tradeId archivedAt order { orderId } } } } }`,
    );
    expect(tradingOrder).toEqual({
      archivedAt: null,
      trades: { nodes: [{ tradeId: 't-year-1', archivedAt: expect.any(String), order: { orderId: 'year-1' } }] },
    });
  });
});

describe('archivePositions', () => {
  it('moves closed positions, never open ones, and every total stays as it was', async () => {
    await past('held', 200, 3);
    await graph.sql(
      'trading',
      `insert into positions (position_id, strategy_id, account_id, instrument_id, quantity, average_entry_price,
              current_price, marked_at, opened_at) values
         ('open', 'held', '${accountOf('held')}', 'ETH-USD', 1, 10, 12, '2020-01-01', '2020-01-01')`,
    );
    const before = await totals('held', daysAgo(200));
    expect(await done(graph, 'archivePositions', { limit: 2 }, 'archivedPositionCount hasMore')).toMatchObject({
      hasMore: true,
    });
    await done(graph, 'archivePositions', {}, 'archivedPositionCount hasMore');
    expect(await totals('held', daysAgo(200))).toEqual(before);
    expect(
      await ask(
        graph,
        `{ it: tradingPosition(id: "p-held-1") { archivedAt isOpen realizedPnl } open: tradingPosition(id: "open") { archivedAt }
           live: positions(filter: { strategyId: "held" }) { nodes { positionId } }
           all: positions(filter: { strategyId: "held", includeArchived: true }) { totalCount } }`,
      ),
    ).toEqual({
      it: { archivedAt: expect.any(String), isOpen: false, realizedPnl: '0.00000001' },
      open: { archivedAt: null },
      live: { nodes: [{ positionId: 'open' }] },
      all: { totalCount: 4 },
    });
  });
});

describe('what is archived by itself', () => {
  const context = () => graph.subgraphs.get('trading')?.createContext({}) as Context;
  const left = async () => {
    const counted = ['orders', 'trades', 'positions'].map(
      (table) => `(select count(*)::int from ${table} where strategy_id = 'aged') as ${table}`,
    );
    return (await graph.sql('trading', `select ${counted}`))[0];
  };

  it('is all that is over and older than it is kept, however many commands that takes', async () => {
    await past('aged', 400, 1_010);
    const before = await totals('aged', daysAgo(400));
    await archiveOld(context, { orders: 0, trades: 0, positions: 0 });
    await archiveOld(context, { orders: 401, trades: 401, positions: 401 });
    expect(await left()).toEqual({ orders: 1_010, trades: 1_010, positions: 1_010 });
    await archiveOld(context, { orders: 90, trades: 365, positions: 0 });
    expect(await left()).toEqual({ orders: 0, trades: 0, positions: 1_010 });
    await archiveOld(context, { orders: 90, trades: 365, positions: 180 });
    expect(await left()).toEqual({ orders: 0, trades: 0, positions: 0 });
    expect(await totals('aged', daysAgo(400))).toEqual(before);
  });
});

describe('the archives', () => {
  it('have the columns of their tables, and their views both', async () => {
    const columns = await graph.sql(
      'trading',
      `select relname as name, array_agg(attname::text order by attname) as columns from pg_attribute
         join pg_class on attrelid = pg_class.oid where attnum > 0 and not attisdropped
          and relnamespace = current_schema()::regnamespace and relname ~ '^(all_)?(orders|trades|positions)(_archive)?$' and relkind in ('r', 'v')
        group by relname`,
    );
    const of = new Map(columns.map(({ name, columns }) => [name, columns]));
    for (const table of ['orders', 'trades', 'positions']) {
      const expected = [...of.get(table), 'archived_at'].sort();
      expect([...of.get(`${table}_archive`)].sort()).toEqual(expected);
      expect([...of.get(`all_${table}`)].sort()).toEqual(expected);
    }
  });

  it.each(['orders_archive', 'trades_archive', 'positions_archive'])('%s is append-only', async (table) => {
    for (const statement of [`delete from ${table}`, `update ${table} set trace_id = null`, `truncate ${table}`]) {
      await expect(graph.sql('trading', statement)).rejects.toThrow('is append-only');
    }
  });
});

describe('closePosition', () => {
  it('flattens a long by a market order, whose fill closes it, whatever the strategy does', async () => {
    const id = await strategy(graph, { status: 'active' });
    const { position } = await trade(graph, id, '2.5', '100', {}, 'position { positionId }');
    await done(graph, 'stopStrategy', { strategyId: id });
    const closed = await done(
      graph,
      'closePosition',
      { positionId: position.positionId, execution: 'MANUAL', venue: 'exchange-okx', idempotencyKey: 'close-once' },
      'position { isOpen } order { orderId side type quantity status venue }',
    );
    const { orderId } = closed.order;
    expect(closed).toEqual({
      position: { isOpen: true },
      order: { orderId, side: 'SELL', type: 'MARKET', quantity: '2.5', status: 'PENDING', venue: 'exchange-okx' },
    });
    await done(graph, 'submitOrder', { orderId });
    const filled = await done(graph, 'recordFill', execution(orderId, '2.5', '101'), 'position { positionId }');
    expect(filled).toEqual({ position: null });
    const { tradingPosition } = await ask(
      graph,
      `query ($id: ID!) { tradingPosition(id: $id) { quantity closedAt } }`,
      {
        id: position.positionId,
      },
    );
    expect(tradingPosition).toEqual({ quantity: '0', closedAt: expect.any(String) });

    const repeat = {
      positionId: position.positionId,
      execution: 'MANUAL',
      venue: 'exchange-okx',
      idempotencyKey: 'close-once',
    };
    expect((await done(graph, 'closePosition', repeat, 'order { orderId }')).order).toEqual({ orderId });
    expect(await refused(graph, 'closePosition', { positionId: position.positionId })).toMatchObject({
      __typename: 'InvalidTransition',
      from: 'CLOSED',
    });
  });

  it('buys back a short, once however many ask at once', async () => {
    const id = await strategy(graph);
    const { position } = await trade(graph, id, '-3', '100', {}, 'position { positionId }');
    const answers = await Promise.all(
      Array.from({ length: 4 }, () =>
        send(
          graph,
          'closePosition',
          { positionId: position.positionId, execution: 'MANUAL' },
          'order { side quantity }',
        ),
      ),
    );
    const placed = answers.filter(({ errors }) => errors.length === 0);
    expect(placed.map(({ order: of }) => of)).toEqual([{ side: 'BUY', quantity: '3' }]);
    const refusals = answers.flatMap(({ errors }) => errors);
    expect(refusals.map((error) => error.__typename)).toEqual(['Conflict', 'Conflict', 'Conflict']);
    expect(refusals[0].message).toContain('would turn the position round');
  });

  it('refuses a position that is not there, and an order id that is taken', async () => {
    expect(await refused(graph, 'closePosition', { positionId: 'none' })).toMatchObject({ entity: 'TradingPosition' });
    const id = await strategy(graph);
    const { position, trade: of } = await trade(
      graph,
      id,
      '1',
      '100',
      {},
      'position { positionId } trade { order { orderId } }',
    );
    const { orderId } = of.order;
    const taken = await refused(graph, 'closePosition', { positionId: position.positionId, orderId });
    expect(taken).toMatchObject({ __typename: 'Conflict', path: ['input', 'orderId'] });
  });
});

describe('deleteStrategy', () => {
  it('removes a strategy that never traded, and keeps every other', async () => {
    const id = await strategy(graph, { status: 'inactive' });
    expect(await done(graph, 'deleteStrategy', { strategyId: id }, 'strategyId')).toEqual({ strategyId: id });
    expect(await ask(graph, `query ($id: ID!) { strategy(id: $id) { name } }`, { id })).toEqual({ strategy: null });
    expect(await refused(graph, 'deleteStrategy', { strategyId: id })).toMatchObject({ __typename: 'NotFound' });

    for (const status of ['active', 'paused', 'error']) {
      const strategyId = await strategy(graph, { status });
      expect((await refused(graph, 'deleteStrategy', { strategyId })).message).toBe(
        `The strategy is ${status.toUpperCase()}; only an INACTIVE or STOPPED one can be deleted.`,
      );
    }
    await done(graph, 'stopStrategy', { strategyId: 'crowd' }); // its orders are archived
    expect((await refused(graph, 'deleteStrategy', { strategyId: 'crowd' })).message).toBe(
      'The strategy has orders, which are kept: it can only be stopped.',
    );
  });
});

describe('the largest and the latest', () => {
  it('lists the largest open positions by exposure at their marks, and the latest executions', async () => {
    const id = await strategy(graph, { symbols: ['BTC-USD', 'ETH-USD', 'SOL-USD'] });
    await trade(graph, id, '1', '10000', { symbol: 'BTC-USD' });
    await trade(graph, id, '-20', '1000', { symbol: 'ETH-USD' });
    await trade(graph, id, '150', '100', { symbol: 'SOL-USD' });
    const query = `query ($id: ID!) { largestPositions(strategyId: $id, limit: 2) { exposure instrument { symbol } }
      recentTradingTrades(strategyId: $id, limit: 2) { quantity instrument { symbol } } totalExposure(strategyId: $id) }`;
    expect(await ask(graph, query, { id })).toEqual({
      largestPositions: [
        { exposure: '20000', instrument: { symbol: 'ETH-USD' } },
        { exposure: '15000', instrument: { symbol: 'SOL-USD' } },
      ],
      recentTradingTrades: [
        { quantity: '150', instrument: { symbol: 'SOL-USD' } },
        { quantity: '20', instrument: { symbol: 'ETH-USD' } },
      ],
      totalExposure: '45000',
    });
    const marks = [{ symbol: 'BTC-USD', price: '30000', at: now() }];
    await done(graph, 'markPositions', { marks });
    const after = await ask(graph, `query ($id: ID!) { largestPositions(strategyId: $id, limit: 1) { exposure } }`, {
      id,
    });
    expect(after.largestPositions).toEqual([{ exposure: '30000' }]);
  });
});
