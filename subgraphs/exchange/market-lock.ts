/** What an incoming order meets: the other side of the book, and the balances that may move, in one round trip. */
import { join, raw, sql } from '../../platform/database/sql.ts';
import { type Decimal, dec } from '../../platform/decimal.ts';
import { isAsk, isBid } from './book-side.ts';
import type { Tx } from './context.ts';
import type { Maker, Market } from './rules/execution.ts';
import type { OrderSide } from './rules/order-entry.ts';
import { type Purse, Purses } from './rules/purses.ts';

/** Resting orders that one order may meet; one that would meet more is refused. */
export const MATCH_LIMIT = 5_000;
/** Most orders meet few: a small page first. */
const FIRST_PAGE = 50;

interface Incoming {
  accountId: string;
  side: OrderSide;
  limit: Decimal | null;
  quantity: Decimal;
}

export interface LockedMarket {
  /** The resting orders that the incoming one may meet, best first; one more than MATCH_LIMIT when there are too many. */
  makers: Maker[];
  /** Both assets' balances of the incoming order's account and of the makers'. */
  purses: Purses;
}

/**
 * Reads what an incoming order may meet, which the book's lock holds still, and locks the balances that may move. The
 * incoming order's account has its balances made where they are missing; the makers' were when they placed their orders.
 */
export async function lockMarket(tx: Tx, market: Market, order: Incoming): Promise<LockedMarket> {
  const few = await readPage(tx, market, order, FIRST_PAGE);
  return few.isWhole ? few : readPage(tx, market, order, MATCH_LIMIT + 1);
}

type Texts<Row> = { [Field in keyof Row]: Row[Field] extends Decimal ? string : Row[Field] };
type MakerText = Texts<Omit<Maker, 'rates'>> & { makerFeeRate: string; takerFeeRate: string };

/** Balances are locked only when the page holds all makers, or is the last: locked in two turns they might cross others'. */
async function readPage(
  tx: Tx,
  { symbol, base, quote }: Market,
  { accountId, side, limit, quantity }: Incoming,
  rows: number,
): Promise<LockedMarket & { isWhole: boolean }> {
  const buys = side === 'BUY';
  const order = raw(buys ? 'price, sequence' : 'price desc, sequence');
  const withinLimit = buys ? sql`price <= ${limit}` : sql`price >= ${limit}`;
  const conditions = [sql`symbol = ${symbol}`, buys ? isAsk : isBid, ...(limit === null ? [] : [withinLimit])];
  const [found] = await tx.$queryRaw<{ makers: MakerText[]; purses: Texts<Purse>[] }[]>(
    sql`with makers as materialized (
          select * from (
            select *, sum(remaining_quantity) over (order by ${order} rows unbounded preceding)
                        - remaining_quantity as ahead
              from orders where ${join(conditions, ' and ')} order by ${order} limit ${rows}) as book
           where ahead < ${quantity} order by ${order}),
        made as (
          insert into balances (account_id, symbol) values (${accountId}::uuid, ${base}), (${accountId}::uuid, ${quote})
          on conflict (account_id, symbol) do nothing returning account_id, symbol, available_balance, locked_balance),
        held as materialized (
          select account_id, symbol, available_balance, locked_balance from balances
           where symbol in (${base}, ${quote})
             and account_id in (select account_id from makers union all select ${accountId}::uuid)
             and (${rows > FIRST_PAGE} or (select count(*) from makers) < ${rows})
           order by account_id, symbol for no key update)
        select (select coalesce(json_agg(json_build_object(
                  'orderId', order_id, 'accountId', account_id, 'price', price::text,
                  'remaining', remaining_quantity::text, 'status', status, 'filledQuantity', filled_quantity::text,
                  'filledNotional', filled_notional::text, 'reserved', reserved_amount::text,
                  'makerFeeRate', maker_fee_rate::text, 'takerFeeRate', taker_fee_rate::text, 'version', version)
                  order by ${order}), '[]') from makers) as makers,
               (select coalesce(json_agg(json_build_object(
                  'accountId', account_id, 'asset', symbol, 'available', available_balance::text,
                  'locked', locked_balance::text)), '[]')
                  from (select * from made union all select * from held) as purses) as purses`,
  );
  const { makers, purses } = found ?? { makers: [], purses: [] };
  return {
    makers: makers.map(toMaker),
    purses: new Purses(
      purses.map((purse) => ({ ...purse, available: dec(purse.available), locked: dec(purse.locked) })),
    ),
    isWhole: makers.length < rows,
  };
}

function toMaker({ makerFeeRate, takerFeeRate, ...maker }: MakerText): Maker {
  return {
    ...maker,
    price: dec(maker.price),
    remaining: dec(maker.remaining),
    filledQuantity: dec(maker.filledQuantity),
    filledNotional: dec(maker.filledNotional),
    reserved: dec(maker.reserved),
    rates: { maker: dec(makerFeeRate), taker: dec(takerFeeRate) },
  };
}
