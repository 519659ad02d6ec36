/** Which strategies and instruments the P&L of a window comes from. The parts add up to the whole, to the last digit. */
import { identifier, sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import type { Context } from '../context.ts';
import { executedIn, nameOf, type Performance, sumOf } from './performance.ts';
import { belongs, type Pnl, pnlAt } from './pnl.ts';
import { asked } from './window.ts';

export interface Share {
  /** Null in a share of several strategies. */
  strategyId: string | null;
  /** Null in a share of several instruments. */
  instrumentId: string | null;
  /** Whether it is what the shares that are listed leave. */
  isRest: boolean;
  /** What the window added. */
  pnl: Decimal;
  /** What its executions realised. */
  realizedPnl: Decimal;
  tradeCount: number;
  volume: Decimal;
  commission: Decimal;
  boughtQuantity: Decimal;
  boughtNotional: Decimal;
  soldQuantity: Decimal;
  soldNotional: Decimal;
}

const ZERO = dec(0);

const NOTHING: Share = {
  strategyId: null,
  instrumentId: null,
  isRest: false,
  pnl: ZERO,
  realizedPnl: ZERO,
  tradeCount: 0,
  volume: ZERO,
  commission: ZERO,
  boughtQuantity: ZERO,
  boughtNotional: ZERO,
  soldQuantity: ZERO,
  soldNotional: ZERO,
};

/** The window as a whole: the sum of its parts. */
export async function totalOf(context: Context, performance: Performance): Promise<Share> {
  return merged(await partsOf(context, performance), {});
}

/**
 * Its shares by strategy or by instrument, those that added or lost most first; what is beyond `limit` of them comes
 * together in one more, so that they always add up.
 */
export async function sharesOf(
  context: Context,
  performance: Performance,
  by: 'strategyId' | 'instrumentId',
  limit: number,
): Promise<Share[]> {
  const groups = Map.groupBy(await partsOf(context, performance), (part) => part[by] as string);
  const shares = [...groups].map(([id, parts]) => merged(parts, { [by]: id }));
  shares.sort((a, b) => b.pnl.abs().cmp(a.pnl.abs()) || ((a[by] as string) < (b[by] as string) ? -1 : 1));
  const rest = shares.slice(limit);
  return rest.length === 0 ? shares : [...shares.slice(0, limit), merged(rest, { isRest: true })];
}

function merged(parts: readonly Share[], of: Partial<Share>): Share {
  const whole = { ...NOTHING, ...of };
  for (const part of parts) {
    whole.tradeCount += part.tradeCount;
    for (const field of AMOUNTS) whole[field] = whole[field].plus(part[field]);
  }
  return whole;
}

const AMOUNTS = [
  'pnl',
  'realizedPnl',
  'volume',
  'commission',
  'boughtQuantity',
  'boughtNotional',
  'soldQuantity',
  'soldNotional',
] as const;

/** What each strategy did in each instrument. */
async function partsOf(context: Context, performance: Performance): Promise<Share[]> {
  const { scope, window } = performance;
  const [pnl, traded] = await Promise.all([
    pnlAt(context, scope, asked([window.from, window.to], window), { resolution: 'DAY', byPart: true }),
    tradedIn(context, performance),
  ]);
  const parts = new Map<string, Share>();
  const change = (strategyId: string | null, instrumentId: string | null, more: Partial<Share>) => {
    const key = JSON.stringify([strategyId, instrumentId]);
    parts.set(key, { ...NOTHING, strategyId, instrumentId, ...parts.get(key), ...more });
  };
  for (const { strategyId, instrumentId, at } of pnl) {
    change(strategyId, instrumentId, { pnl: sumOf(at[1] as Pnl).minus(sumOf(at[0] as Pnl)) });
  }
  for (const { strategyId, instrumentId, tradeCount, holder: _, ...amounts } of traded) {
    const decimals = Object.fromEntries(Object.entries(amounts).map(([field, amount]) => [field, dec(amount)]));
    change(strategyId, instrumentId, { tradeCount, ...decimals });
  }
  return [...parts.values()];
}

interface TradedRow {
  holder: string;
  strategyId: string;
  instrumentId: string;
  tradeCount: number;
  volume: string;
  commission: string;
  realizedPnl: string;
  boughtQuantity: string;
  boughtNotional: string;
  soldQuantity: string;
  soldNotional: string;
}

function tradedIn(context: Context, { scope, window }: Performance): Promise<TradedRow[]> {
  return context.batch(`traded:${scope.column}:${nameOf(window)}`, scope.id, async (ids) => {
    const rows = await context.db.query<TradedRow>(
      sql`select ${identifier(scope.column)}::text as holder, strategy_id, instrument_id, count(*)::int as trade_count,
                 sum(gross_value) as volume, sum(commission) as commission, sum(realized_pnl) as realized_pnl,
                 coalesce(sum(quantity) filter (where side = 'buy'), 0) as bought_quantity,
                 coalesce(sum(quantity * price) filter (where side = 'buy'), 0) as bought_notional,
                 coalesce(sum(quantity) filter (where side = 'sell'), 0) as sold_quantity,
                 coalesce(sum(quantity * price) filter (where side = 'sell'), 0) as sold_notional
            from all_trades where ${belongs(scope, ids)} and ${executedIn(window)} group by 1, 2, 3`,
    );
    const byHolder = Map.groupBy(rows, ({ holder }) => holder);
    return ids.map((id) => byHolder.get(id) ?? []);
  });
}
