/**
 * What strategies, accounts or positions had gained and lost by given instants. A closed position counts with what it
 * realised, an open one with the P&L written down last (position-marks.ts), or at live prices where the instant is now.
 */
import { identifier, raw, type Sql, sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { type KeyType, keyArray } from '../../../platform/loaders.ts';
import type { Context } from '../context.ts';
import { pricesOf, valuedPositions } from '../positions.ts';
import { GRAINS } from './position-marks.ts';
import type { Resolution } from './rules/periods.ts';

/** Whose figures are asked for: the rows that have this id in this column. */
export interface Scope {
  column: 'strategy_id' | 'account_id' | 'position_id';
  id: string;
}

const KEY_TYPES: Record<Scope['column'], KeyType> = {
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
 * @param resolution which marks tell of the instants between the first and the last
 */
export function pnlAt(
  context: Context,
  { column, id }: Scope,
  instants: readonly string[],
  { resolution, byPart }: { resolution: Resolution; byPart: boolean },
): Promise<PnlOfPart[]> {
  return context.batch(`pnl:${column}:${byPart}:${resolution}:${instants.join()}`, id, async (ids) => {
    const rows = await context.db.query<PnlRow>(statement(context, column, ids, instants, resolution, byPart));
    const byHolder = Map.groupBy(rows, ({ holder }) => holder);
    return ids.map((each) => partsOf(byHolder.get(each) ?? [], instants.length));
  });
}

/** What changed by an instant, compared with the one before. */
interface PnlRow {
  holder: string;
  strategyId: string | null;
  instrumentId: string | null;
  /** Number of the instant, from 1. */
  n: number;
  realizedPnl: string;
  unrealizedPnl: string;
}

/**
 * The changes of each position from mark to mark, summed for each instant: the first instant takes what was known then,
 * the last what is known of it, those between the marks of the resolution, and a closing what was realised in the end.
 * width_bucket() counts the instants that are not after another, and so finds the number of the next.
 */
function statement(
  context: Context,
  column: Scope['column'],
  ids: readonly string[],
  instants: readonly string[],
  resolution: Resolution,
  byPart: boolean,
): Sql {
  const parts = byPart
    ? raw('strategy_id, instrument_id')
    : raw('null::text as strategy_id, null::text as instrument_id');
  const count = sql`${instants.length}::int`;
  const given = raw('(select instants from given)'); // looked up once, not carried by every row
  const isLive = instants.at(-1) === LIVE;
  const between = instants.length > 2 ? raw(`grain >= ${GRAINS[resolution]}`) : raw('false');
  const known = (n: Sql) => sql`
    cross join lateral (
      select realized_pnl, unrealized_pnl from position_marks
       where position_marks.position_id = held.position_id and at <= ${given}[${n}] order by at desc limit 1) as mark`;
  const open = raw('select held.part, held.place'); // numbers sort and join faster than texts
  const last = isLive
    ? sql`${open}, ${count}, 'infinity'::timestamptz, valued.realized_pnl, valued.unrealized_pnl
            from held join ${valuedPositions(pricesOf(context))} as valued using (position_id) where closed_at is null`
    : sql`${open}, ${count}, ${given}[${count}], mark.realized_pnl, mark.unrealized_pnl
            from held ${known(count)} where closing > ${count}`;
  return sql`
    with given as materialized (select ${instants}::timestamptz[] as instants),
    chosen as (
      select ${identifier(column)}::text as holder, ${parts}, position_id, realized_pnl, opened_at, closed_at,
             width_bucket(coalesce(closed_at, 'infinity'), ${given}) + 1 as closing
        from all_positions
       where ${belongs({ column }, ids)} and opened_at < ${given}[${count}]),
    held as materialized (
      select *, row_number() over () as place,
             dense_rank() over (order by holder, strategy_id, instrument_id) as part from chosen),
    marked (part, place, n, at, realized_pnl, unrealized_pnl) as (
      ${open}, 1, ${given}[1], mark.realized_pnl, mark.unrealized_pnl
        from held ${known(sql`1`)} where opened_at < ${given}[1] and closing > 1
       union all
      ${open}, width_bucket(mark.at - interval '1 microsecond', ${given}) + 1, mark.at, mark.realized_pnl, mark.unrealized_pnl
        from held join position_marks as mark using (position_id)
       where ${between} and closing > 1 and mark.at > ${given}[1] and mark.at < ${given}[${count}]
         and mark.at <= coalesce(closed_at, 'infinity')
       union all
      ${last}
       union all
      ${open}, closing, 'infinity', realized_pnl, 0 from held where closing <= ${count}),
    changed as (
      select part, n, realized_pnl - coalesce(lag(realized_pnl) over steps, 0) as realized_pnl,
             unrealized_pnl - coalesce(lag(unrealized_pnl) over steps, 0) as unrealized_pnl
        from marked window steps as (partition by place order by n, at)),
    summed as (
      select part, n, sum(realized_pnl) as realized_pnl, sum(unrealized_pnl) as unrealized_pnl from changed group by 1, 2)
    select holder, strategy_id, instrument_id, n, realized_pnl, unrealized_pnl
      from summed join (select distinct part, holder, strategy_id, instrument_id from held) as parts using (part)`;
}

function partsOf(rows: readonly PnlRow[], count: number): PnlOfPart[] {
  const parts = Map.groupBy(rows, ({ strategyId, instrumentId }) => JSON.stringify([strategyId, instrumentId]));
  return [...parts.values()].map((of) => {
    const { strategyId, instrumentId } = of[0] as PnlRow;
    return { strategyId, instrumentId, at: figuresOf(of, count) };
  });
}

function figuresOf(rows: readonly PnlRow[], count: number): Pnl[] {
  const changes = new Map(rows.map((row) => [row.n, row]));
  const figures: Pnl[] = [];
  let [realizedPnl, unrealizedPnl] = [dec(0), dec(0)];
  for (let n = 1; n <= count; n++) {
    const change = changes.get(n);
    if (change) {
      realizedPnl = realizedPnl.plus(change.realizedPnl);
      unrealizedPnl = unrealizedPnl.plus(change.unrealizedPnl);
    }
    figures.push({ realizedPnl, unrealizedPnl });
  }
  return figures;
}

/** Rows of the scopes with these ids. */
export function belongs({ column }: Pick<Scope, 'column'>, ids: readonly string[]): Sql {
  return sql`${identifier(column)} = any(${keyArray(KEY_TYPES[column], ids)})`;
}
