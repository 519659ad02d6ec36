/**
 * Row locks of the commands, always in this order, so that no two commands wait for each other:
 * the account, the symbol's order book, the order, the balances by account and asset, the house's balance.
 *
 * An account's row serialises the commands of the account, an order book's row those of the symbol. So whoever holds both
 * is alone in making balances of the account and in changing orders of the symbol.
 */
import { instant } from '../../platform/database/rows.ts';
import { named, raw, type Sql, sql } from '../../platform/database/sql.ts';
import type { Decimal } from '../../platform/decimal.ts';
import { refuse } from '../../platform/errors.ts';
import { isUuid } from '../../platform/uuid.ts';
import type { Tx } from './context.ts';
import type { ExchangeAccountType } from './generated/resolvers.ts';
import type { AccountStatus, KycStatus } from './rules/account-lifecycle.ts';
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

const ACCOUNT = raw(`account_id as "accountId", user_id as "userId", account_type as "accountType",
  parent_account_id as "parentAccountId", status, kyc_status as "kycStatus", version`);

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
  const lock = sql`select ${ACCOUNT} from accounts where account_id = ${id}::uuid for no key update`;
  const rows = isUuid(id) ? await tx.$queryRaw<LockedAccount[]>(named('lock account', lock)) : [];
  const account = checkClients(rows[0], id, field);
  if (expectedVersion !== null && account.version !== expectedVersion) throw refuse.conflict(account.version);
  return account;
}

function checkClients<Account extends LockedAccount>(account: Account | undefined, id: string, field: string): Account {
  const path = ['input', field];
  if (!account) throw refuse.notFound('ExchangeAccount', id, path);
  if (account.accountType === 'HOUSE' || account.accountType === 'EXTERNAL') {
    throw refuse.validation('This account is the exchange’s own; it takes no commands.', path);
  }
  return account;
}

export interface LockedBook {
  /** Time priority of the next order. */
  sequence: bigint;
  lastPrice: Decimal | null;
  /** The instant at which the lock was had, with its microseconds; never before that of an earlier command here. */
  at: string;
}

const BOOK = raw('order_sequence as sequence, last_price as "lastPrice", updated_at::text as at');

/** Makes the book at first use, else takes the next places in its sequence; both lock it. */
const takePlaces = (rows: Sql) => sql`insert into order_books as book (symbol, order_sequence) ${rows}
  on conflict (symbol) do update set order_sequence = book.order_sequence + excluded.order_sequence returning ${BOOK}`;

/** Locks the symbol's book. */
export async function lockBook(tx: Tx, symbol: string): Promise<LockedBook> {
  const [book] = await tx.$queryRaw<LockedBook[]>(takePlaces(sql`values (${symbol}, 1)`));
  if (!book) throw new Error(`The order book of ${symbol} was not locked`);
  return { ...book, at: instant(book.at) };
}

export interface LockedMarket {
  /** The accounts that there are, by id. */
  accounts: ReadonlyMap<string, LockedAccount>;
  /** Null where there is none of the accounts. */
  book: LockedBook | null;
}

/** Locks accounts, then the symbol's book, in which it takes so many places; `sequence` is that of the last one. */
export async function lockAccountsAndBook(
  tx: Tx,
  ids: readonly string[],
  symbol: string,
  places: number,
): Promise<LockedMarket> {
  const known = [...new Set(ids.filter(isUuid).map(canonical))];
  if (known.length === 0) return { accounts: new Map(), book: null };
  const lock = sql`with account as materialized (
              select ${ACCOUNT} from accounts where account_id = any(${known}::uuid[]) order by account_id for no key update),
            locked as (select count(*) as count from account), -- all of them, before the book
            place as (${takePlaces(sql`select ${symbol}, ${places}::bigint from locked where count > 0`)})
            select * from account, place`;
  const rows = await tx.$queryRaw<(LockedAccount & LockedBook)[]>(named('lock accounts and book', lock));
  const [book] = rows;
  const accounts = new Map(rows.map((account) => [account.accountId, account]));
  return { accounts, book: book ? { ...book, at: instant(book.at) } : null };
}

/**
 * The client's account among those that are locked.
 * @throws Refusal (not found); (validation) when the account is the exchange's own
 */
export function lockedAccount({ accounts }: LockedMarket, id: string): LockedAccount {
  return checkClients(accounts.get(canonical(id)), id, 'accountId');
}

function canonical(id: string): string {
  return id.toLowerCase();
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

export interface LockedPurse {
  balanceId: string;
  purses: Purses;
  at: string;
}

/**
 * Locks a client's account, then one balance of it; that is made where it is missing.
 * @throws Refusal (not found); (validation) when the account is the exchange's own
 */
export async function lockAccountAndPurse(
  tx: Tx,
  id: string,
  asset: string,
): Promise<{ account: LockedAccount; purse: LockedPurse }> {
  if (!isUuid(id)) throw checkClients(undefined, id, 'accountId');
  const [account, purse] = await Promise.all([lockAccount(tx, id), takePurse(tx, id, asset)]);
  return { account, purse: purseOf(purse, id, asset) };
}

/** Locks one balance of an account whose row is locked; it is made where it is missing. */
export async function lockPurse(tx: Tx, accountId: string, asset: string): Promise<LockedPurse> {
  return purseOf(await takePurse(tx, accountId, asset), accountId, asset);
}

type TakenPurse = Purse & { balanceId: string; at: string };

/** Of an account that there is. */
async function takePurse(tx: Tx, accountId: string, asset: string): Promise<TakenPurse | undefined> {
  const take = sql`insert into balances as balance (account_id, symbol)
        select account_id, ${asset}::text from accounts where account_id = ${accountId}::uuid
        on conflict (account_id, symbol) do update set symbol = excluded.symbol
        returning balance_id as "balanceId", account_id as "accountId", symbol as asset, available_balance as available,
                  locked_balance as locked, updated_at::text as at`;
  const [balance] = await tx.$queryRaw<TakenPurse[]>(named('take purse', take));
  return balance;
}

function purseOf(balance: TakenPurse | undefined, accountId: string, asset: string): LockedPurse {
  if (!balance) throw new Error(`The ${asset} balance of account ${accountId} was not locked`);
  return { balanceId: balance.balanceId, purses: new Purses([balance]), at: balance.at };
}
