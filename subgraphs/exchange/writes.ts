/**
 * How a command's outcome is written: orders, trades, ledger, balances and book in one statement, so that a match costs
 * one round trip however many orders it meets.
 */
import { Outrun } from '../../platform/database/database-error.ts';
import { join, named, type Sql, sql } from '../../platform/database/sql.ts';
import type { Decimal } from '../../platform/decimal.ts';
import { microsecondsLater } from '../../platform/instant.ts';
import type { Tx } from './context.ts';
import type { Executed, Market, Posting } from './rules/execution.ts';
import { larger, smaller } from './rules/money.ts';
import type { OrderStatus } from './rules/order-lifecycle.ts';
import type { Purses } from './rules/purses.ts';
import { HOUSE_ACCOUNT_ID } from './rules/settlement.ts';

/** Columns of `orders`, by name; numbers as text. */
export type NewOrder = Record<string, string | object | null>;

/** What changes of an order that is there; whoever wrote it meanwhile makes the command fail, and run again. */
export interface OrderChange {
  orderId: string;
  version: number;
  status: OrderStatus;
  filledQuantity: Decimal;
  filledNotional: Decimal;
  averagePrice: Decimal | null;
  reserved: Decimal;
  rejectReason?: string | null;
  expiryReason?: string | null;
  /** When and for which request, where not when and for which the outcome is. */
  at?: string;
  traceId?: string;
}

type Trade = Executed['trades'][number] & { executedAt?: string; traceId?: string };

export interface Outcome {
  /** When it came about, with its microseconds. */
  at: string;
  /** Of the request that it is for, where what is written names none of its own. */
  traceId: string;
  placed?: readonly NewOrder[];
  changes?: readonly OrderChange[];
  /** The trades, two a match, and the market in which they were. */
  traded?: { market: Market; trades: readonly Trade[] };
  postings: readonly (Posting & { traceId?: string })[];
  purses: Purses;
}

/**
 * Writes the outcome.
 * @returns whether STOP orders of the market may be triggered and wait for execution; false when nothing was traded
 */
export async function write(tx: Tx, outcome: Outcome): Promise<boolean> {
  const { changes = [], traded } = outcome;
  const hasTrades = traded !== undefined && traded.trades.length > 0;
  if (changes.length === 0 && !hasTrades) {
    writeAtCommit(tx, outcome);
    return false;
  }
  const [counts] = await tx.$queryRaw<{ changed: number; stopsWait: boolean }[]>(statementFor(outcome));
  if (counts?.changed !== changes.length) throw new Outrun('An order was changed by a writer outside this command');
  return counts.stopsWait;
}

/** The same, with the commit, where no order changes and nothing is traded: there is nothing to be told. */
export function writeAtCommit(tx: Tx, outcome: Omit<Outcome, 'changes' | 'traded'>): void {
  tx.$atCommit(statementFor(outcome));
}

function statementFor(outcome: Outcome): Sql {
  const { changes = [], traded, postings, placed = [], purses } = outcome;
  const hasTrades = traded !== undefined && traded.trades.length > 0;
  const parts = [
    ...(placed.length > 0 ? [sql`placed as (${insertOrders(placed)})`] : []),
    ...(changes.length > 0 ? [sql`changed as (${updateOrders(changes, outcome)})`] : []),
    ...(hasTrades ? tradeParts(traded, outcome) : []),
    ...(postings.length > 0 ? ledgerParts(outcome) : []),
    ...(purses.changed().length > 0 ? [sql`held as (${updateBalances(outcome)})`] : []),
  ];
  const changed = changes.length > 0 ? sql`(select count(*)::int from changed)` : sql`0`;
  const stopsWait = hasTrades ? stopsWaiting(traded.market) : sql`false`;
  const statement = sql`with ${join(parts)} select ${changed} as changed, ${stopsWait} as "stopsWait"`;
  // How to find orders that change is decided anew each time: a plan that is kept knows nothing of how many there are now.
  if (changes.length > 0 || hasTrades) return statement;
  return named(`write ${parts.length}${placed.length > 0 ? ' with orders' : ''}`, statement);
}

function json(rows: readonly object[]): Sql {
  return sql`${JSON.stringify(rows)}::jsonb`;
}

function insertOrders(orders: readonly NewOrder[]): Sql {
  return sql`insert into orders (
      order_id, account_id, client_order_id, symbol, sequence, order_type, side, time_in_force, quantity, price,
      stop_price, status, filled_quantity, filled_notional, average_price, reserved_asset, reserved_amount,
      maker_fee_rate, taker_fee_rate, expiry_reason, metadata, triggered_at, filled_at, trace_id, created_at, updated_at)
    select order_id, account_id, client_order_id, symbol, sequence, order_type, side, time_in_force, quantity, price,
           stop_price, status, filled_quantity, filled_notional, average_price, reserved_asset, reserved_amount,
           maker_fee_rate, taker_fee_rate, expiry_reason, metadata, triggered_at, filled_at, trace_id, created_at, created_at
      from jsonb_populate_recordset(null::orders, ${json(orders)})`;
}

/** What came with others was created microseconds after its book was locked, which a clock that is set back does not know. */
function updateOrders(changes: readonly OrderChange[], { at, traceId }: Outcome): Sql {
  return sql`update orders
       set status = change.status, filled_quantity = change."filledQuantity",
           filled_notional = change."filledNotional", average_price = change."averagePrice",
           reserved_amount = change.reserved, reject_reason = change."rejectReason",
           expiry_reason = change."expiryReason", trace_id = change."traceId",
           filled_at = case when change.status = 'FILLED' then greatest(change.at, orders.created_at) end,
           cancelled_at = case when change.status = 'CANCELLED' then greatest(change.at, orders.created_at) end
      from jsonb_to_recordset(${json(changes.map((change) => ({ at, traceId, ...change })))}) as change(
             "orderId" uuid, version int, status text, "filledQuantity" numeric, "filledNotional" numeric,
             "averagePrice" numeric, reserved numeric, "rejectReason" text, "expiryReason" text, at timestamptz,
             "traceId" text)
     where orders.order_id = change."orderId" and orders.version = change.version
    returning orders.order_id`;
}

/** The trades, the last price, and the STOP orders that the prices have reached. */
function tradeParts({ market, trades }: NonNullable<Outcome['traded']>, { at, traceId }: Outcome): Sql[] {
  const last = trades.at(-1);
  if (!last) return [];
  const prices = trades.map(({ price }) => price);
  const low = prices.reduce(smaller);
  const high = prices.reduce(larger);
  // Each match is a microsecond after the one before, so that their order shows.
  const written = trades.map((trade, i) => ({ executedAt: microsecondsLater(at, i >> 1), traceId, ...trade }));
  const lastAt = written.at(-1)?.executedAt;
  return [
    sql`traded as (
      insert into trades (trade_id, match_id, order_id, account_id, symbol, side, liquidity, quantity, price, fee,
                          fee_currency, trace_id, executed_at)
      select "tradeId", "matchId", "orderId", "accountId", ${market.symbol}, side, liquidity, quantity, price, fee,
             ${market.quote}, "traceId", "executedAt"
        from jsonb_to_recordset(${json(written)}) as trade(
               "tradeId" uuid, "matchId" uuid, "orderId" uuid, "accountId" uuid, side text, liquidity text,
               quantity numeric, price numeric, fee numeric, "traceId" text, "executedAt" timestamptz))`,
    sql`priced as (
      update order_books set last_price = ${last.price}, last_quantity = ${last.quantity},
             last_traded_at = ${lastAt}::timestamptz
       where symbol = ${market.symbol})`,
    sql`triggered as (
      update orders set (triggered_at, trace_id) = (
               select reach.at, reach."traceId"
                 from jsonb_to_recordset(${json(reachesOf(written))}) as reach(
                        at timestamptz, "traceId" text, low numeric, high numeric)
                where case orders.side when 'BUY' then orders.stop_price <= reach.high else orders.stop_price >= reach.low end
                order by reach.at limit 1)
       where symbol = ${market.symbol} and order_type = 'STOP' and status = 'PENDING' and triggered_at is null
         and case side when 'BUY' then stop_price <= ${high} else stop_price >= ${low} end
      returning order_id)`,
  ];
}

/** How far the price got by each of the orders that came in, at the instant of its first match. */
function reachesOf(trades: readonly (Trade & { executedAt: string })[]) {
  const takers = trades.filter(({ liquidity }) => liquidity === 'TAKER');
  return [...Map.groupBy(takers, ({ orderId }) => orderId).values()].map((matches) => {
    const prices = matches.map(({ price }) => price);
    const [{ executedAt: at, traceId } = {}] = matches;
    return { at, traceId, low: prices.reduce(smaller), high: prices.reduce(larger) };
  });
}

/** The statement sees the orders as they were before it, so those that it triggers are asked for beside them. */
function stopsWaiting({ symbol }: Market): Sql {
  return sql`(exists (select from triggered) or exists (
    select from orders
     where symbol = ${symbol} and order_type = 'STOP' and status = 'PENDING' and triggered_at is not null))`;
}

/** The entries, and the fees among them that the house receives: its balance is the last that anybody locks. */
function ledgerParts({ postings, at, traceId }: Outcome): Sql[] {
  const entries = postings.flatMap(({ postingId, movements, traceId: own = traceId }) =>
    movements.map((entry) => ({ postingId, traceId: own, ...entry })),
  );
  const fees = entries.filter(({ accountId }) => accountId === HOUSE_ACCOUNT_ID);
  return [
    sql`posted as (
      insert into ledger_entries (posting_id, account_id, asset, bucket, amount, kind, ref_type, ref_id, trace_id, created_at)
      select "postingId", "accountId", asset, bucket, amount, kind, "refType", "refId", "traceId", ${at}::timestamptz
        from jsonb_to_recordset(${json(entries)}) as entry(
               "postingId" uuid, "accountId" uuid, asset text, bucket text, amount numeric, kind text, "refType" text,
               "refId" text, "traceId" text))`,
    ...(fees.length > 0
      ? [
          sql`house as (
            insert into balances as balance (account_id, symbol, available_balance, trace_id)
            select "accountId", asset, sum(amount), ${fees.at(-1)?.traceId}
              from jsonb_to_recordset(${json(fees)}) as fee("accountId" uuid, asset text, amount numeric)
             group by "accountId", asset order by asset
            on conflict (account_id, symbol) do update
               set available_balance = balance.available_balance + excluded.available_balance,
                   trace_id = excluded.trace_id)`,
        ]
      : []),
  ];
}

function updateBalances({ purses, traceId }: Outcome): Sql {
  return sql`update balances
       set available_balance = purse.available, locked_balance = purse.locked, trace_id = purse."traceId"
      from jsonb_to_recordset(${json(purses.changed().map((purse) => ({ traceId, ...purse })))}) as purse(
             "accountId" uuid, asset text, available numeric, locked numeric, "traceId" text)
     where balances.account_id = purse."accountId" and balances.symbol = purse.asset`;
}
