/** What must hold between the exchange and trading once every execution was recorded. */
import { expect } from 'vitest';
import { QUOTE_LIMIT } from '../../clients/simulator/quoting.ts';
import { STRATEGIES } from '../../clients/simulator/strategies.ts';
import { FUND, MARKET_MAKER } from '../../prisma/demo/accounts.ts';
import { audit } from '../graph/exchange/audit.ts';
import type { TestGraph } from '../support/graph.ts';
import type { Steps } from './support.ts';

const LIVE = `status in ('PENDING', 'OPEN', 'PARTIAL')`;

/** Live orders of an account at the exchange. */
export async function liveOrders({ sql }: TestGraph, accountId: string): Promise<number> {
  const rows = await sql(
    'exchange',
    `select count(*)::int as n from orders where account_id = '${accountId}' and ${LIVE}`,
  );
  return rows[0].n;
}

/** The market maker quotes two markets, each strategy has three orders at most, and the demo has one of its own. */
export async function expectBoundedOrders(graph: TestGraph): Promise<void> {
  expect(await liveOrders(graph, MARKET_MAKER)).toBeLessThanOrEqual(2 * QUOTE_LIMIT);
  expect(await liveOrders(graph, FUND)).toBeLessThanOrEqual(1 + STRATEGIES.length * 3);
}

/**
 * Strategies and exchange are of one mind, each execution of the fund is recorded once, positions are the sums of trades,
 * and the exchange's ledger adds up.
 */
export async function expectTrueBooks(graph: TestGraph, steps: Steps): Promise<void> {
  const { sql } = graph;
  await expectAgreement(graph, steps);
  const executed = await sql(
    'exchange',
    `select trade_id::text as id, quantity, price, fee from trades where account_id = '${FUND}' order by id`,
  );
  const recorded = await sql(
    'trading',
    'select exchange_trade_id as id, quantity, price, commission as fee from trades order by id',
  );
  expect(recorded).toEqual(executed);

  const positions = await sql(
    'trading',
    'select strategy_id, quantity from positions where closed_at is null order by strategy_id',
  );
  const sums = await sql(
    'trading',
    `select strategy_id, sum(case side when 'buy' then quantity else -quantity end) as quantity
       from trades group by strategy_id order by strategy_id`,
  );
  expect(positions).toEqual(sums);
  for (const { strategyId, home, reach } of STRATEGIES) {
    const { quantity } = positions.find((position) => position.strategy_id === strategyId);
    expect(Math.abs(quantity - Number(home))).toBeLessThanOrEqual(Number(reach));
  }
  expect(await audit(graph)).toEqual({});
}

/** Strategies look at the exchange every three seconds; what has just happened there they learn then. */
const LOOKS_SECONDS = 15;

/** Strategies and exchange are of one mind, now or a few looks later. */
export async function expectAgreement(graph: TestGraph, steps: Steps): Promise<void> {
  for (let second = 0; second < LOOKS_SECONDS && (await disagreements(graph)).length > 0; second++) await steps.run(1);
  expect(await disagreements(graph)).toEqual([]);
}

/** Orders of strategies and their orders at the exchange, where they disagree. */
export async function disagreements({ sql }: TestGraph): Promise<unknown[]> {
  const wanted = await sql(
    'trading',
    `select order_id as id, filled_quantity as filled, ${alike('status')} as status from orders order by id`,
  );
  const placed = await sql(
    'exchange',
    `select client_order_id as id, filled_quantity as filled, ${alike('lower(status)')} as status
       from orders where account_id = '${FUND}' order by id`,
  );
  const atExchange = new Map(placed.map((order) => [order.id, order]));
  return wanted.flatMap((order) => {
    const other = atExchange.get(order.id);
    const agree = other && other.filled === order.filled && other.status === order.status;
    return agree ? [] : [{ trading: order, exchange: other }];
  });
}

/** Both domains have their own words for an order that rests. */
function alike(status: string): string {
  return `case when ${status} in ('accepted', 'partially_filled', 'open', 'partial') then 'rests' else ${status} end`;
}
