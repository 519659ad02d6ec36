/** What an incoming order meets: the other side of the book, and the balances that may move. */
import { join, named, raw, sql } from '../../platform/database/sql.ts';
import type { Decimal } from '../../platform/decimal.ts';
import { isAsk, isBid } from './book-side.ts';
import type { Tx } from './context.ts';
import { MATCH_LIMIT } from './rules/book-session.ts';
import type { Maker, Market } from './rules/execution.ts';
import { ZERO } from './rules/money.ts';
import type { OrderSide } from './rules/order-entry.ts';
import { type Purse, Purses } from './rules/purses.ts';

/** Most orders meet few: a small page first. */
const FIRST_PAGE = 50;

/** What comes in of one side: all of it, and the worst price at which any of it is to be executed. */
export interface Demand {
  side: OrderSide;
  limit: Decimal | null;
  quantity: Decimal;
}

/**
 * The resting orders that what comes in may meet, best first; one more than MATCH_LIMIT when there are too many. The
 * book's lock holds them still.
 */
export async function readMakers(tx: Tx, market: Market, order: Demand): Promise<Maker[]> {
  const few = await readPage(tx, market, order, FIRST_PAGE);
  return few.length < FIRST_PAGE ? few : readPage(tx, market, order, MATCH_LIMIT + 1);
}

interface MakerRow extends Omit<Maker, 'rates'> {
  makerFeeRate: Decimal;
  takerFeeRate: Decimal;
}

async function readPage(tx: Tx, { symbol }: Market, { side, limit, quantity }: Demand, rows: number): Promise<Maker[]> {
  const buys = side === 'BUY';
  const order = raw(buys ? 'price, sequence' : 'price desc, sequence');
  const withinLimit = buys ? sql`price <= ${limit}` : sql`price >= ${limit}`;
  const conditions = [sql`symbol = ${symbol}`, buys ? isAsk : isBid, ...(limit === null ? [] : [withinLimit])];
  const makers = await tx.$queryRaw<MakerRow[]>(
    sql`select order_id as "orderId", account_id as "accountId", price, remaining_quantity as remaining, status,
               filled_quantity as "filledQuantity", filled_notional as "filledNotional", reserved_amount as reserved,
               maker_fee_rate as "makerFeeRate", taker_fee_rate as "takerFeeRate", version
          from (select *, sum(remaining_quantity) over (order by ${order} rows unbounded preceding)
                            - remaining_quantity as ahead
                  from orders where ${join(conditions, ' and ')} order by ${order} limit ${rows}) as book
         where ahead < ${quantity} order by ${order}`,
  );
  return makers.map(({ makerFeeRate, takerFeeRate, ...maker }) => ({
    ...maker,
    rates: { maker: makerFeeRate, taker: takerFeeRate },
  }));
}

/**
 * Locks both assets' balances of the accounts, all in one statement and one order. Its condition names them as plain
 * values: PostgreSQL checks a row that it had to wait for again, and loses it where the condition has a subquery.
 */
export async function lockPurses(tx: Tx, { base, quote }: Market, accountIds: readonly string[]): Promise<Purses> {
  return new Purses(await readPurses(tx, [base, quote], [...new Set(accountIds)]));
}

/**
 * The same, where `owners`, whose accounts are locked, may not have held one of the assets before: what nobody has made is
 * empty, and is not there. The others placed an order in this market, so theirs are there.
 */
export async function openPurses(
  tx: Tx,
  { base, quote }: Market,
  owners: readonly string[],
  others: readonly string[],
): Promise<{ purses: Purses; missing: Purse[] }> {
  const held = await readPurses(tx, [base, quote], [...new Set([...owners, ...others])]);
  const isHeld = new Set(held.map(({ accountId, asset }) => `${accountId} ${asset}`));
  const all = [...new Set(owners)].flatMap((accountId) => [base, quote].map((asset) => ({ accountId, asset })));
  const missing = all
    .filter(({ accountId, asset }) => !isHeld.has(`${accountId} ${asset}`))
    .map((purse) => ({ ...purse, available: ZERO, locked: ZERO }));
  return { purses: new Purses([...held, ...missing]), missing };
}

/** Makes balances that are missing, of accounts that are locked. */
export async function makePurses(tx: Tx, missing: readonly (Purse & { traceId: string })[]): Promise<void> {
  const columns = (['accountId', 'asset', 'traceId'] as const).map((name) => missing.map((purse) => purse[name]));
  await tx.$executeRaw(
    sql`insert into balances (account_id, symbol, trace_id)
        select * from unnest(${columns[0]}::uuid[], ${columns[1]}::text[], ${columns[2]}::text[])`,
  );
}

function readPurses(tx: Tx, assets: readonly string[], accountIds: readonly string[]): Promise<Purse[]> {
  const lock = sql`select account_id as "accountId", symbol as asset, available_balance as available, locked_balance as locked
          from balances where account_id = any(${accountIds}::uuid[]) and symbol = any(${assets}::text[])
         order by account_id, symbol for no key update`;
  return tx.$queryRaw<Purse[]>(named('lock purses', lock));
}
