/** What the tables refuse, whoever writes: the row invariants of domain.md §6.5. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { OTHER_ACCOUNT, order, strategy, trade } from './desk.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
  await strategy(graph, { strategyId: 's' });
  await order(graph, 's', { orderId: 'o', quantity: '2' });
  await strategy(graph, { strategyId: 'held', symbols: ['ETH-USD'] });
  await trade(graph, 'held', '2', '100', { symbol: 'ETH-USD', commission: '1' });
});
afterAll(() => graph.close());

const refusal = (statement: string) =>
  graph.sql('trading', statement).then(
    () => 'accepted',
    (error: { constraint?: string; message: string }) => error.constraint ?? error.message,
  );

describe('the tables refuse', () => {
  const cases: [string, string, string][] = [
    [
      'more filled than ordered',
      `update orders set filled_quantity = 3 where order_id = 'o'`,
      'orders_average_fill_price',
    ],
    ['a negative quantity', `update orders set quantity = -1 where order_id = 'o'`, 'orders_filled_within'],
    ['an unknown status', `update orders set status = 'open' where order_id = 'o'`, 'orders_status'],
    [
      'filled without fills',
      `update orders set status = 'filled', filled_at = now() where order_id = 'o'`,
      'orders_status_filled',
    ],
    [
      'fills while accepted',
      `update orders set status = 'accepted', filled_quantity = 1, filled_notional = 1, average_fill_price = 1, realized_pnl = 0 where order_id = 'o'`,
      'orders_status_filled',
    ],
    [
      'an average that is none',
      `update orders set status = 'partially_filled', filled_quantity = 1, filled_notional = 1, average_fill_price = 2, realized_pnl = 0 where order_id = 'o'`,
      'orders_average_fill_price',
    ],
    ['cancelled without a time', `update orders set status = 'cancelled' where order_id = 'o'`, 'orders_cancelled_at'],
    [
      'a time of filling on an unfilled order',
      `update orders set filled_at = now() where order_id = 'o'`,
      'orders_filled_at',
    ],
    ['pending but submitted', `update orders set status = 'pending' where order_id = 'o'`, 'orders_submitted'],
    ['a price on a market order', `update orders set price = 1 where order_id = 'o'`, 'orders_price'],
    ['a limit order without a price', `update orders set order_type = 'limit' where order_id = 'o'`, 'orders_price'],
    ['a stop without a stop price', `update orders set order_type = 'stop' where order_id = 'o'`, 'orders_stop_price'],
    [
      'a symbol in another spelling',
      `update orders set instrument_id = 'btc/usd' where order_id = 'o'`,
      'orders_instrument',
    ],
    ['commission without a fill', `update orders set commission = 1 where order_id = 'o'`, 'orders_commission'],
    ['a trace id that is none', `update orders set trace_id = repeat('X', 32) where order_id = 'o'`, 'orders_trace'],
    [
      'an order of another account',
      `update orders set account_id = '${OTHER_ACCOUNT}' where order_id = 'o'`,
      'orders_strategy',
    ],
    [
      'another account for a strategy with orders',
      `update strategies set account_id = '${OTHER_ACCOUNT}' where strategy_id = 's'`,
      'orders_strategy',
    ],
    ['the end of a strategy with orders', `delete from strategies where strategy_id = 's'`, 'orders_strategy'],
    ['the end of an order with trades', `delete from orders where strategy_id = 'held'`, 'trades_order'],
    ['a changed trade', `update trades set price = 1`, 'table trades is append-only'],
    ['a removed trade', `delete from trades`, 'table trades is append-only'],
    ['an emptied trade table', `truncate trades`, 'table trades is append-only'],
    [
      'a trade of another side than its order',
      `insert into trades (order_id, strategy_id, account_id, instrument_id, side, quantity, price, realized_pnl, execution_venue, exchange_trade_id, executed_at)
       select order_id, strategy_id, account_id, instrument_id, 'sell', 1, 1, 0, 'v', 'e', now() from orders where order_id = 'o'`,
      'trades_order',
    ],
    [
      'a second open position',
      `insert into positions (strategy_id, account_id, instrument_id, quantity, average_entry_price, current_price, marked_at, opened_at)
       select strategy_id, account_id, instrument_id, 1, 1, 1, now(), now() from positions where strategy_id = 'held'`,
      'positions_open_key',
    ],
    [
      'a flat position that is open',
      `update positions set quantity = 0 where strategy_id = 'held'`,
      'positions_closed',
    ],
    [
      'a closed position that is held',
      `update positions set closed_at = now() where strategy_id = 'held'`,
      'positions_closed',
    ],
    [
      'a mark of zero',
      `update positions set current_price = 0 where strategy_id = 'held'`,
      'positions_current_positive',
    ],
    [
      'a written market value',
      `update positions set market_value = 1 where strategy_id = 'held'`,
      'column "market_value" can only be updated to DEFAULT',
    ],
    [
      'active but never started',
      `update strategies set started_at = null where strategy_id = 's'`,
      'strategies_started',
    ],
    [
      'error without a reason',
      `update strategies set status = 'error', error_message = null where strategy_id = 's'`,
      'strategies_error',
    ],
    [
      'a strategy without instruments',
      `update strategies set instruments = '{}' where strategy_id = 's'`,
      'strategies_instruments',
    ],
    [
      'parameters that are no object',
      `update strategies set parameters = '[]' where strategy_id = 's'`,
      'strategies_parameters',
    ],
    ['a negative limit', `update strategies set max_position_size = -1 where strategy_id = 's'`, 'strategies_limits'],
  ];
  it.each(cases)('%s', async (_, statement, expected) => {
    expect(await refusal(statement)).toBe(expected);
  });
});

describe('the tables keep', () => {
  it('values that follow from a row, whoever marks it', async () => {
    const rows = await graph.sql(
      'trading',
      `update positions set current_price = 110.00000001 where strategy_id = 'held'
       returning market_value, exposure, cost_basis, unrealized_pnl, total_pnl`,
    );
    expect(rows).toEqual([
      {
        market_value: '220.00000002',
        exposure: '220.00000002',
        cost_basis: '200.00000000',
        unrealized_pnl: '20.00000002',
        total_pnl: '19.00000002',
      },
    ]);
  });

  it.each(['strategies', 'orders', 'positions'])(
    'the version and the time of change of %s, whoever writes',
    async (table) => {
      const [before] = await graph.sql(
        'trading',
        `select max(version) as version, max(updated_at) as at from ${table} where trace_id is not null or version > 0`,
      );
      const changed = await graph.sql(
        'trading',
        `update ${table} set trace_id = repeat('a', 32) returning version, updated_at > created_at as later`,
      );
      expect(before.version).toBeGreaterThan(0);
      expect(changed.every(({ version, later }: { version: number; later: boolean }) => version > 1 && later)).toBe(
        true,
      );
    },
  );

  it('a health check', async () => {
    const [{ health_check: health }] = await graph.sql('trading', 'select health_check()');
    expect(health).toMatchObject({
      schema: 'trading',
      status: 'healthy',
      strategies: 2,
      active_orders: 1,
      open_positions: 1,
    });
    expect(health.tables).toBeGreaterThanOrEqual(5);
  });
});
