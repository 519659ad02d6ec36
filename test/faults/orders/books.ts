/** What must hold between trading and the exchange once nothing is under way, whatever was killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { dec, toWire } from '../../../platform/decimal.ts';
import { applyTrade, type Holding } from '../../../subgraphs/trading/rules/average-cost.ts';
import { expectTrueTotals } from '../../graph/trading/books.ts';
import type { Stage } from './stage.ts';

/** A state of the exchange in the words of trading (domain.md §6.4). */
const MAPPED = `case e.status when 'PENDING' then 'submitted' when 'OPEN' then 'accepted' when 'PARTIAL' then 'partially_filled'
  else lower(e.status) end`;

/** Routed orders that are not what the exchange has of them. */
const DISAGREEMENTS = `
  select o.order_id, o.status, o.filled_quantity, o.last_error, e.status as at_exchange, e.filled_quantity as filled_there
    from trading.orders as o
    left join exchange.orders as e on e.client_order_id = o.order_id and e.account_id = o.account_id
   where o.execution = 'routed' and case when e.order_id is null
           then o.exchange_order_id is not null or o.status not in ('rejected', 'cancelled')
           else o.exchange_order_id is distinct from e.order_id::text or o.filled_quantity <> e.filled_quantity
             or o.status <> ${MAPPED} end`;

/** Executions that only one of both has, or that they have differently. */
const TRADES = `
  select * from (
    select exchange_trade_id as id, order_id, account_id, instrument_id, side, quantity, price, commission, executed_at
      from trading.trades where execution_venue = 'exchange') as recorded
    full join (
      select t.trade_id::text as id, o.client_order_id as order_id, t.account_id, t.symbol as instrument_id,
             lower(t.side) as side, t.quantity, t.price, t.fee as commission, t.executed_at
        from exchange.trades as t join exchange.orders as o using (order_id)
       where o.metadata ->> 'service' = 'trading') as executed using (id)
   where (recorded.order_id, recorded.account_id, recorded.instrument_id, recorded.side, recorded.quantity, recorded.price,
          recorded.commission, recorded.executed_at)
         is distinct from (executed.order_id, executed.account_id, executed.instrument_id, executed.side, executed.quantity,
          executed.price, executed.commission, executed.executed_at)`;

/** A killed process's claims lapse within seconds; what nobody carries on by then never will be. */
const PATIENCE_MS = 60_000;

/** Waits until nothing is under way, and passes when the books of both domains are true. */
export async function expectTrueBooks({ sql }: Stage): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE_MS;
  while (Date.now() < giveUpAt) {
    const [due] = await sql('select count(*)::int as count from trading.order_routes where due_at is not null');
    if (due?.count === 0 && (await sql(DISAGREEMENTS)).length === 0) break;
    await sleep(100);
  }
  expect(await sql(DISAGREEMENTS)).toEqual([]);
  expect(await sql(TRADES)).toEqual([]);
  expect(await sql('select * from trading.quarantined_fills')).toEqual([]);
  expect(await sql('select * from trading.order_routes where due_at is not null')).toEqual([]);
  await sql('set search_path = trading');
  await expectTrueTotals(sql);
  await expectPositions(sql);
}

interface LoggedTrade {
  strategyId: string;
  instrumentId: string;
  side: 'buy' | 'sell';
  quantity: string;
  price: string;
  commission: string;
}

/** Positions are what the average-cost rule makes of the trades, in the order in which they were recorded. */
async function expectPositions(sql: Stage['sql']): Promise<void> {
  const logged = await sql(
    `select row::text as row from trading.change_log where relation = 'trades' and op = 'I' order by seq`,
  );
  const held = new Map<string, Holding>();
  for (const { row } of logged) {
    const trade = JSON.parse(String(row)) as LoggedTrade;
    const key = `${trade.strategyId} ${trade.instrumentId}`;
    const amounts = { quantity: dec(trade.quantity), price: dec(trade.price), commission: dec(trade.commission) };
    const effect = applyTrade(held.get(key) ?? null, { ...amounts, side: trade.side });
    const left = effect.opened ?? effect.held;
    if (left && !left.quantity.isZero()) held.set(key, left);
    else held.delete(key);
  }
  const open = await sql(
    `select strategy_id || ' ' || instrument_id as key, quantity, average_entry_price as average, realized_pnl as realized
       from trading.positions where closed_at is null order by key`,
  );
  const shown = open.map(({ key, quantity, average, realized }) => [key, ...[quantity, average, realized].map(asText)]);
  const expected = [...held].map(([key, { quantity, averageEntryPrice, realizedPnl }]) => [
    key,
    ...[quantity, averageEntryPrice, realizedPnl].map((amount) => toWire(amount)),
  ]);
  expect(shown).toEqual(expected.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

const asText = (amount: unknown) => toWire(String(amount));
