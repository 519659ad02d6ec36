/** Why both sides differ, where the trades of the exchange tell: settled twice, or paid with another sum than agreed. */
import { sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import type { Context } from '../context.ts';
import { instructionOf, type TradeTerms } from '../settlement/trade-follower.ts';

/** What the settlements of one trade have moved and still will, of the goods and of the money. */
interface Moved {
  accountId: string;
  tradeId: string;
  asset: string;
  currency: string | null;
  quantity: Decimal;
  cash: Decimal;
}

export type TradeFault = 'DUPLICATE' | 'PRICE_MISMATCH';

/** The latest trades of an account that are looked at. */
const TRADES_LIMIT = 500;

/** Trades of one request: each is an alias. */
const TRADES_AT_ONCE = 50;

/** What is wrong with the settlements of trades, by account and asset ("account asset"), of those accounts. */
export async function tradeFaults(
  context: Context,
  accountIds: readonly string[],
): Promise<ReadonlyMap<string, TradeFault>> {
  const faults = new Map<string, TradeFault>();
  const moved = (await Promise.all(accountIds.map((accountId) => movedFor(context, accountId)))).flat();
  for (let start = 0; start < moved.length; start += TRADES_AT_ONCE) {
    const part = moved.slice(start, start + TRADES_AT_ONCE);
    const trades = await askTrades(
      context,
      part.map(({ tradeId }) => tradeId),
    );
    for (const one of part) {
      const trade = trades.get(one.tradeId);
      const fault = trade ? faultOf(one, trade) : null;
      if (fault === null) continue;
      note(faults, `${one.accountId} ${one.currency}`, fault);
      if (fault === 'DUPLICATE') note(faults, `${one.accountId} ${one.asset}`, fault);
    }
  }
  return faults;
}

/** What was settled twice also was paid with too much: the first explains the second. */
function note(faults: Map<string, TradeFault>, place: string, fault: TradeFault): void {
  if (faults.get(place) !== 'DUPLICATE') faults.set(place, fault);
}

/** What is wrong between a trade and what its settlements come to. */
export function faultOf({ quantity, cash }: Pick<Moved, 'quantity' | 'cash'>, trade: TradeTerms): TradeFault | null {
  const agreed = instructionOf(trade, { accountId: '' });
  if (quantity.gt(agreed.quantity)) return 'DUPLICATE';
  if (quantity.lt(agreed.quantity)) return null; // one that failed; the difference is of the quantity
  return cash.eq(agreed.cashAmount ?? 0) ? null : 'PRICE_MISMATCH';
}

async function movedFor({ db }: Context, accountId: string): Promise<Moved[]> {
  const rows = await db.query<Record<'tradeId' | 'asset' | 'quantity' | 'cash', string> & { currency: string | null }>(
    sql`select exchange_trade_id as trade_id, min(asset) as asset, min(currency) as currency,
               sum(case when status in ('FAILED', 'CANCELLED') then settled_quantity else quantity end)::text as quantity,
               sum(case when status in ('FAILED', 'CANCELLED') then settled_cash else coalesce(cash_amount, 0) end)::text as cash
          from settlements
         where account_id = ${accountId} and exchange_trade_id is not null
         group by exchange_trade_id order by max(initiated_at) desc limit ${TRADES_LIMIT}`,
  );
  return rows.map(({ quantity, cash, ...row }) => ({ ...row, accountId, quantity: dec(quantity), cash: dec(cash) }));
}

async function askTrades({ graph }: Context, ids: readonly string[]): Promise<ReadonlyMap<string, TradeTerms>> {
  const fields = ids.map(
    (_, i) =>
      `t${i}: exchangeTrade(id: $t${i}) { tradeId side quantity price fee executedAt account { accountId } instrument { symbol } }`,
  );
  const document = `query TradesSettled(${ids.map((_, i) => `$t${i}: ID!`).join(', ')}) { ${fields.join(' ')} }`;
  const variables = Object.fromEntries(ids.map((id, i) => [`t${i}`, id]));
  const answer = await graph.request<Record<string, TradeTerms | null>>(document, variables);
  return new Map(
    Object.values(answer).flatMap((trade) => (trade?.instrument ? [[trade.tradeId, trade] as const] : [])),
  );
}
