/**
 * Row locks of the commands, always in this order, so that no two commands wait for each other:
 * the account, the symbol's order book, the order, the balances by account and asset, the house's balance.
 *
 * An account's row serialises the commands of the account, an order book's row those of the symbol. So whoever holds both
 * is alone in making balances of the account and in changing orders of the symbol.
 */
import { join, raw, type Sql, sql } from '../../platform/database/sql.ts';
import type { Decimal } from '../../platform/decimal.ts';
import { refuse } from '../../platform/errors.ts';
import { isUuid } from '../../platform/loaders.ts';
import { isAsk, isBid } from './book-side.ts';
import type { Tx } from './context.ts';
import type { ExchangeAccountType } from './generated/resolvers.ts';
import type { AccountStatus, KycStatus } from './rules/account-lifecycle.ts';
import type { Maker, Market } from './rules/execution.ts';
import type { OrderSide, OrderType, TimeInForce } from './rules/order-entry.ts';
import type { OrderStatus } from './rules/order-lifecycle.ts';
import { type Purse, Purses } from './rules/purses.ts';

export interface LockedAccount {
  accountId: string;
  userId: string;
  accountType: ExchangeAccountType;
  parentAccountId: string | null;
  status: AccountStatus;
  kycStatus: KycStatus;
  version: number;
}

/**
 * Locks a client's account.
 * @throws Refusal (not found); (validation) when the account is the exchange's own; (conflict) on another version
 */
export async function lockAccount(
  tx: Tx,
  id: string,
  field = 'accountId',
  expectedVersion: number | null = null,
): Promise<LockedAccount> {
  const path = ['input', field];
  const [account] = isUuid(id)
    ? await tx.$queryRaw<LockedAccount[]>(
        sql`select account_id as "accountId", user_id as "userId", account_type as "accountType",
                   parent_account_id as "parentAccountId", status, kyc_status as "kycStatus", version
              from accounts where account_id = ${id}::uuid for no key update`,
      )
    : [];
  if (!account) throw refuse.notFound('ExchangeAccount', id, path);
  if (account.accountType === 'HOUSE' || account.accountType === 'EXTERNAL') {
    throw refuse.validation('This account is the exchange’s own; it takes no commands.', path);
  }
  if (expectedVersion !== null && account.version !== expectedVersion) throw refuse.conflict(account.version);
  return account;
}

export interface LockedBook {
  /** Time priority of the next order. */
  sequence: bigint;
  lastPrice: Decimal | null;
  /** The instant at which the lock was had, with its microseconds; never before that of an earlier command here. */
  at: string;
}

/** Locks the symbol's book, which is made at first use, and takes the next place in its sequence. */
export async function lockBook(tx: Tx, symbol: string): Promise<LockedBook> {
  const [book] = await tx.$queryRaw<LockedBook[]>(
    sql`insert into order_books as book (symbol) values (${symbol})
        on conflict (symbol) do update set order_sequence = book.order_sequence + 1
        returning order_sequence as sequence, last_price as "lastPrice", updated_at::text as at`,
  );
  if (!book) throw new Error(`The order book of ${symbol} was not locked`);
  return book;
}

export interface LockedOrder {
  orderId: string;
  accountId: string;
  symbol: string;
  side: OrderSide;
  type: OrderType;
  timeInForce: TimeInForce;
  status: OrderStatus;
  quantity: Decimal;
  stopPrice: Decimal | null;
  filledQuantity: Decimal;
  filledNotional: Decimal;
  averagePrice: Decimal | null;
  reservedAsset: string;
  reserved: Decimal;
  makerFeeRate: Decimal;
  takerFeeRate: Decimal;
  version: number;
}

/** Locks the first order that the rest of the statement finds; lock its book before. */
export async function lockOrder(tx: Tx, rest: Sql): Promise<LockedOrder | undefined> {
  const rows = await tx.$queryRaw<LockedOrder[]>(
    sql`select order_id as "orderId", account_id as "accountId", symbol, side, order_type as type,
               time_in_force as "timeInForce", status, quantity, stop_price as "stopPrice",
               filled_quantity as "filledQuantity", filled_notional as "filledNotional",
               average_price as "averagePrice", reserved_asset as "reservedAsset", reserved_amount as reserved,
               maker_fee_rate as "makerFeeRate", taker_fee_rate as "takerFeeRate", version
          from orders ${rest} limit 1 for no key update`,
  );
  return rows[0];
}

/** Resting orders that one order may meet; one that would meet more is refused. */
export const MATCH_LIMIT = 5_000;
/** Most orders meet few: a small page first. */
const FIRST_PAGE = 50;

interface MakerRow extends Omit<Maker, 'rates'> {
  makerFeeRate: Decimal;
  takerFeeRate: Decimal;
}

/**
 * The resting orders that an order of that side, limit and quantity may meet, best first; one more than MATCH_LIMIT when
 * there are too many. The book must be locked, so that they stand still.
 */
export async function readMakers(
  tx: Tx,
  symbol: string,
  order: { side: OrderSide; limit: Decimal | null; quantity: Decimal },
): Promise<Maker[]> {
  const few = await readMakerPage(tx, symbol, order, FIRST_PAGE);
  return few.length < FIRST_PAGE ? few : readMakerPage(tx, symbol, order, MATCH_LIMIT + 1);
}

async function readMakerPage(
  tx: Tx,
  symbol: string,
  { side, limit, quantity }: { side: OrderSide; limit: Decimal | null; quantity: Decimal },
  rows: number,
): Promise<Maker[]> {
  const buys = side === 'BUY';
  const order = raw(buys ? 'price, sequence' : 'price desc, sequence');
  const withinLimit = buys ? sql`price <= ${limit}` : sql`price >= ${limit}`;
  const conditions = [sql`symbol = ${symbol}`, buys ? isAsk : isBid, ...(limit === null ? [] : [withinLimit])];
  const page = await tx.$queryRaw<MakerRow[]>(
    sql`select order_id as "orderId", account_id as "accountId", price, remaining_quantity as remaining, status,
               filled_quantity as "filledQuantity", filled_notional as "filledNotional", reserved_amount as reserved,
               maker_fee_rate as "makerFeeRate", taker_fee_rate as "takerFeeRate", version
          from (select *, sum(remaining_quantity) over (order by ${order} rows unbounded preceding)
                          - remaining_quantity as ahead
                  from orders where ${join(conditions, ' and ')} order by ${order} limit ${rows}) as book
         where ahead < ${quantity} order by ${order}`,
  );
  return page.map(({ makerFeeRate, takerFeeRate, ...maker }) => ({
    ...maker,
    rates: { maker: makerFeeRate, taker: takerFeeRate },
  }));
}

/**
 * Locks the balances of both assets of all the accounts. Those of `owner`, whose row is locked, are made where they are
 * missing; the others placed an order in this market, so theirs are there.
 */
export async function lockPurses(
  tx: Tx,
  { base, quote }: Pick<Market, 'base' | 'quote'>,
  owner: string,
  others: readonly string[],
): Promise<Purses> {
  const accountIds = [...new Set([owner, ...others])];
  const purses = await tx.$queryRaw<Purse[]>(
    sql`with made as (
          insert into balances (account_id, symbol) values (${owner}::uuid, ${base}), (${owner}::uuid, ${quote})
          on conflict (account_id, symbol) do nothing
          returning account_id, symbol, available_balance, locked_balance),
        held as materialized (
          select account_id, symbol, available_balance, locked_balance from balances
           where account_id = any(${accountIds}::uuid[]) and symbol in (${base}, ${quote})
           order by account_id, symbol for no key update)
        select account_id as "accountId", symbol as asset, available_balance as available, locked_balance as locked
          from (select * from made union all select * from held) as purses`,
  );
  return new Purses(purses);
}

/** Locks one balance of an account whose row is locked; it is made where it is missing. */
export async function lockPurse(
  tx: Tx,
  accountId: string,
  asset: string,
): Promise<{ balanceId: string; purses: Purses; at: string }> {
  const [balance] = await tx.$queryRaw<(Purse & { balanceId: string; at: string })[]>(
    sql`insert into balances as balance (account_id, symbol) values (${accountId}::uuid, ${asset})
        on conflict (account_id, symbol) do update set symbol = excluded.symbol
        returning balance_id as "balanceId", account_id as "accountId", symbol as asset, available_balance as available,
                  locked_balance as locked, updated_at::text as at`,
  );
  if (!balance) throw new Error(`The ${asset} balance of account ${accountId} was not locked`);
  return { balanceId: balance.balanceId, purses: new Purses([balance]), at: balance.at };
}
