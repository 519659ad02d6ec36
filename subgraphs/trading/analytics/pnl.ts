/**
 * What strategies, accounts or positions had gained and lost by given instants. A closed position counts with what it
 * realised, an open one with the P&L written down last (position-marks.ts), or at live prices where the instant is now.
 */
import { identifier, raw, type Sql, sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { type KeyType, keyArray } from '../../../platform/loaders.ts';
import type { Context } from '../context.ts';
import { pricesOf, valuedPositions } from '../positions.ts';

/** Whose figures are asked for: the rows that have this id in this column. */
export interface Scope {
  column: 'strategy_id' | 'account_id' | 'position_id';
  id: string;
}

export const KEY_TYPES: Record<Scope['column'], KeyType> = {
  strategy_id: 'text',
  account_id: 'uuid',
  position_id: 'text',
};

export interface Pnl {
  realizedPnl: Decimal;
  unrealizedPnl: Decimal;
}

/** P&L of one part of a scope at each instant. */
export interface PnlOfPart {
  /** Null where the scope is not taken apart. */
  strategyId: string | null;
  instrumentId: string | null;
  at: Pnl[];
}

/** The instant that has not passed yet: everything until now, at live prices. */
export const LIVE = 'infinity';

/**
 * P&L at each of the instants (RFC 3339, ascending; the last may be LIVE): of the scope as a whole, or by strategy and
 * instrument. Parts without any P&L are left out. Scopes asked for in one tick with equal instants share a statement.
 */
export function pnlAt(
  context: Context,
  { column, id }: Scope,
  instants: readonly string[],
  { byPart }: { byPart: boolean },
): Promise<PnlOfPart[]> {
  return context.batch(`pnl:${column}:${byPart}:${instants.join()}`, id, async (ids) => {
    const rows = await context.db.query<PnlRow>(statement(context, column, ids, instants, byPart));
    const byHolder = Map.groupBy(rows, ({ holder }) => holder);
    return ids.map((each) => partsOf(byHolder.get(each) ?? [], instants.length));
  });
}

interface PnlRow {
  holder: string;
  strategyId: string | null;
  instrumentId: string | null;
  /** Number of the instant from 1; of closed positions the first that they count at. */
  n: number;
  isClosed: boolean;
  realizedPnl: string;
  unrealizedPnl: string;
}

/** The number of an instant is the count of instants that are not after it: width_bucket() looks it up. */
function statement(
  context: Context,
  column: Scope['column'],
  ids: readonly string[],
  instants: readonly string[],
  byPart: boolean,
): Sql {
  const part = byPart
    ? raw('strategy_id, instrument_id')
    : raw('null::text as strategy_id, null::text as instrument_id');
  const live = instants.at(-1) === LIVE ? instants.length : 0;
  return sql`
    with given as (select ${instants}::timestamptz[] as instants),
    held as materialized (
      select ${identifier(column)}::text as holder, ${part}, position_id, realized_pnl,
             width_bucket(opened_at, instants) + 1 as first,
             case when closed_at is not null then width_bucket(closed_at, instants) end as last
        from all_positions, given
       where ${identifier(column)} = any(${keyArray(KEY_TYPES[column], ids)}) and opened_at < instants[${instants.length}::int])
    select holder, strategy_id, instrument_id, last + 1 as n, true as is_closed,
           sum(realized_pnl) as realized_pnl, 0::numeric as unrealized_pnl
      from held where last < ${instants.length}::int group by 1, 2, 3, 4
     union all
    select holder, strategy_id, instrument_id, n, false, sum(marked.realized_pnl), sum(marked.unrealized_pnl)
      from held cross join given
     cross join lateral generate_series(first, coalesce(last, ${instants.length}::int)) as n
     cross join lateral (
       select realized_pnl, unrealized_pnl from position_marks
        where position_marks.position_id = held.position_id and at <= instants[n] order by at desc limit 1) as marked
     where n <> ${live}::int group by 1, 2, 3, 4
     union all
    select held.holder, held.strategy_id, held.instrument_id, ${live}::int, false, sum(valued.realized_pnl), sum(valued.unrealized_pnl)
      from (select held.* from held where last is null and ${live}::int > 0) as held
      join ${valuedPositions(pricesOf(context))} as valued using (position_id)
     group by held.holder, held.strategy_id, held.instrument_id`;
}

function partsOf(rows: readonly PnlRow[], count: number): PnlOfPart[] {
  const parts = Map.groupBy(rows, ({ strategyId, instrumentId }) => JSON.stringify([strategyId, instrumentId]));
  return [...parts.values()].map((of) => {
    const { strategyId, instrumentId } = of[0] as PnlRow;
    return { strategyId, instrumentId, at: figuresOf(of, count) };
  });
}

/** What closed positions realised stays from one instant to the next; what open ones show is of each alone. */
function figuresOf(rows: readonly PnlRow[], count: number): Pnl[] {
  const figures: Pnl[] = [];
  const byNumber = Map.groupBy(rows, ({ n }) => n);
  let closed = dec(0);
  for (let n = 1; n <= count; n++) {
    let [realizedPnl, unrealizedPnl] = [dec(0), dec(0)];
    for (const row of byNumber.get(n) ?? []) {
      if (row.isClosed) closed = closed.plus(row.realizedPnl);
      else {
        realizedPnl = realizedPnl.plus(row.realizedPnl);
        unrealizedPnl = unrealizedPnl.plus(row.unrealizedPnl);
      }
    }
    figures.push({ realizedPnl: closed.plus(realizedPnl), unrealizedPnl });
  }
  return figures;
}
