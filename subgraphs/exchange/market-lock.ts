/** What an incoming order meets: the other side of the book, and the balances that may move. */
import { join, named, raw, sql } from '../../platform/database/sql.ts';
import { type Decimal, dec } from '../../platform/decimal.ts';
import { isAsk, isBid } from './book-side.ts';
import type { Tx } from './context.ts';
import type { Maker, Market } from './rules/execution.ts';
import type { OrderSide } from './rules/order-entry.ts';
import { type Purse, Purses } from './rules/purses.ts';

/** Resting orders that one order may meet: about a second, for which its book and the balances it moves are locked. */
export const MATCH_LIMIT = 2_000;
/** Most orders meet few: a small page first. */
const FIRST_PAGE = 50;

interface Incoming {
  side: OrderSide;
  limit: Decimal | null;
  quantity: Decimal;
}

/**
 * The resting orders that the incoming one may meet, best first; one more than MATCH_LIMIT when there are too many. The
 * book's lock holds them still.
 */
export async function readMakers(tx: Tx, market: Market, order: Incoming): Promise<Maker[]> {
  const few = await readPage(tx, market, order, FIRST_PAGE);
  return few.length < FIRST_PAGE ? few : readPage(tx, market, order, MATCH_LIMIT + 1);
}

interface MakerRow extends Omit<Maker, 'rates'> {
  makerFeeRate: Decimal;
  takerFeeRate: Decimal;
}

async function readPage(
  tx: Tx,
  { symbol }: Market,
  { side, limit, quantity }: Incoming,
  rows: number,
): Promise<Maker[]> {
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
 * The same, where `owner`, whose row is locked, may not have held one of the assets before: its balances are made then.
 * Nobody waits for what was not there. The others placed an order in this market, so theirs are there.
 */
export async function openPurses(
  tx: Tx,
  { base, quote }: Market,
  owner: string,
  others: readonly string[],
): Promise<Purses> {
  const held = await readPurses(tx, [base, quote], [...new Set([owner, ...others])]);
  const isHeld = (asset: string) => held.some((purse) => purse.accountId === owner && purse.asset === asset);
  const missing = [base, quote].filter((asset) => !isHeld(asset));
  if (missing.length > 0) {
    await tx.balance.createMany({ data: missing.map((symbol) => ({ accountId: owner, symbol })) });
  }
  const empty = missing.map((asset) => ({ accountId: owner, asset, available: dec(0), locked: dec(0) }));
  return new Purses([...held, ...empty]);
}

function readPurses(tx: Tx, assets: readonly string[], accountIds: readonly string[]): Promise<Purse[]> {
  const lock = sql`select account_id as "accountId", symbol as asset, available_balance as available, locked_balance as locked
          from balances where account_id = any(${accountIds}::uuid[]) and symbol = any(${assets}::text[])
         order by account_id, symbol for no key update`;
  return tx.$queryRaw<Purse[]>(named('lock purses', lock));
}
