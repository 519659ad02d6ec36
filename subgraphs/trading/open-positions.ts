/** Open positions of an account or a strategy as its totals are made of them, kept until one of them changes. */
import type { Database } from '../../platform/database/database.ts';
import { identifier, sql } from '../../platform/database/sql.ts';
import { type Decimal, dec } from '../../platform/decimal.ts';
import { type Derived, derived, type KeyType, keyArray, type Loaders } from '../../platform/loaders.ts';
import type { LivePrices } from './live-marks.ts';
import { type Marked, valueAt } from './rules/valuation.ts';

export type Derive = Loaders['derive'];

interface OpenPosition extends Marked {
  instrumentId: string;
  costBasis: string;
}

/** Positions that are summed here; of more of them PostgreSQL makes the sums. */
const SUMMED_LIMIT = 1_000;

type Holder = Derived<OpenPosition[] | null> & { column: 'account_id' | 'strategy_id' };

function holder(column: Holder['column'], keyType: KeyType): Holder {
  return {
    ...derived({ name: `open positions by ${column}`, table: 'positions', column, keyType, absent: [] }),
    column,
  };
}

export const OF_ACCOUNT = holder('account_id', 'uuid');
export const OF_STRATEGY = holder('strategy_id', 'text');

/** Null where there are too many. */
export function openPositionsOf(db: Database, derive: Derive, of: Holder, key: string): Promise<OpenPosition[] | null> {
  return derive(of, key, async (keys) => {
    const column = identifier(of.column);
    const rows = await db.query<OpenPosition & { holder: string }>(sql`
      select keys.holder::text as holder, held.*
        from unnest(${keyArray(of.keyType, keys)}) as keys(holder)
       cross join lateral (
         select instrument_id, quantity, average_entry_price, realized_pnl, current_price, marked_at, market_value,
                exposure, unrealized_pnl, total_pnl, cost_basis
           from positions where ${column} = keys.holder and closed_at is null limit ${SUMMED_LIMIT + 1}) as held`);
    const byHolder = Map.groupBy(rows, (row) => row.holder);
    return keys.map((each) => {
      const held = byHolder.get(each) ?? [];
      return held.length > SUMMED_LIMIT ? null : held;
    });
  });
}

const ZERO = dec(0);

export interface Sums {
  marketValue: Decimal;
  costBasis: Decimal;
  unrealizedPnl: Decimal;
  exposure: Decimal;
  count: number;
  /** The oldest mark that a value is made with, RFC 3339; null where nothing is held. */
  oldestMarkedAt: string | null;
}

/** Equal requests meet the same positions and the same prices. */
const summed = new WeakMap<readonly OpenPosition[], { prices: LivePrices; sums: Sums }>();

/** What the positions are worth together at the prices, where these are newer than their own. */
export function sumOf(held: readonly OpenPosition[], prices: LivePrices): Readonly<Sums> {
  const known = summed.get(held);
  if (known?.prices === prices) return known.sums;
  const sums = add(held, prices);
  summed.set(held, { prices, sums });
  return sums;
}

function add(held: readonly OpenPosition[], prices: LivePrices): Sums {
  const sums: Sums = {
    marketValue: ZERO,
    costBasis: ZERO,
    unrealizedPnl: ZERO,
    exposure: ZERO,
    count: held.length,
    oldestMarkedAt: null,
  };
  for (const position of held) {
    const { marketValue, unrealizedPnl, exposure, markedAt } = valueAt(position, prices.get(position.instrumentId));
    sums.marketValue = sums.marketValue.plus(marketValue);
    sums.costBasis = sums.costBasis.plus(position.costBasis);
    sums.unrealizedPnl = sums.unrealizedPnl.plus(unrealizedPnl);
    sums.exposure = sums.exposure.plus(exposure);
    if (sums.oldestMarkedAt === null || Date.parse(markedAt) < Date.parse(sums.oldestMarkedAt)) {
      sums.oldestMarkedAt = markedAt;
    }
  }
  return sums;
}
