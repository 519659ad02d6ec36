/** Snapshots of what was held: what is stored of them and how they are read. */
import { allOf, raw, type Sql, sql } from '../../../platform/database/sql.ts';
import { stored } from '../../../platform/enums.ts';
import { equals, within } from '../../../platform/filters.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import { isUuid } from '../../../platform/uuid.ts';
import type { Context } from '../context.ts';
import type { PositionGrouping, PositionSnapshotFilter, SnapshotSource } from '../generated/resolvers.ts';
import { accountReference } from '../references.ts';
import type { NewSnapshot } from './snapshot-commands.ts';

/** A row of `position_snapshots`. */
export interface PositionSnapshotRow extends NewSnapshot {
  snapshotId: string;
  snapshotTimestamp: string;
}

export type PositionSnapshotPage = Connection<PositionSnapshotRow>;

export const snapshotList = connectionSource<PositionSnapshotRow>({
  table: 'position_snapshots',
  id: 'snapshot_id',
  sorts: { AT: 'snapshot_timestamp' },
});

/** Snapshots never change, so the change feed has nothing to say of them: they are read by key from PostgreSQL. */
export function snapshotById(context: Context, snapshotId: string): Promise<PositionSnapshotRow | null> {
  if (!isUuid(snapshotId)) return Promise.resolve(null);
  return context.batch('snapshot', snapshotId.toLowerCase(), async (ids) => {
    const rows = await context.db.query<PositionSnapshotRow>(
      sql`select * from position_snapshots where snapshot_id = any(${ids}::uuid[])`,
    );
    const byId = new Map(rows.map((row) => [row.snapshotId, row]));
    return ids.map((id) => byId.get(id) ?? null);
  });
}

interface Place {
  accountId?: string | null | undefined;
  symbol?: string | null | undefined;
  source?: SnapshotSource | null | undefined;
}

function holderConditions({ accountId, source }: Place): Sql[] {
  return [
    ...equals('account_id', accountId && accountReference(accountId, ['accountId'])),
    ...equals('source', source && stored(source)),
  ];
}

/** An instrument or an asset. */
function symbolCondition(symbol: string | null | undefined): Sql[] {
  return equals('instrument_id', symbol?.trim().toUpperCase().replaceAll('/', '-'));
}

/** The conditions of a filter. Throws a validation Refusal on an account that is none. */
export function snapshotConditions(filter: PositionSnapshotFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...holderConditions(filter),
    ...symbolCondition(filter.symbol),
    ...equals('venue', filter.venue),
    ...within('snapshot_timestamp', filter),
  ];
}

const LATEST_LIMIT = 500;

/**
 * Of each account, instrument, strategy, source and venue the last snapshot at or before the instant, unless the set that
 * the account's source was taken in last no longer has it: then it was held no more.
 */
function latest(at: string | null, conditions: readonly Sql[]): Sql {
  const until = at === null ? raw('true') : sql`snapshot_timestamp <= ${at}::timestamptz`;
  const where = allOf([until, ...conditions]);
  return sql`
    select taken.* from (
      select position_snapshots.*,
             max(snapshot_timestamp) over (partition by account_id, source) as last_taken
        from position_snapshots where ${where}) as taken
     where snapshot_timestamp = last_taken and quantity <> 0`;
}

/** What was held at the instant. */
export function positionsAsOf(context: Context, at: string, place: Place): Promise<PositionSnapshotRow[]> {
  return context.db.query<PositionSnapshotRow>(sql`
    select * from (${latest(at, holderConditions(place))}) as held
     where ${allOf(symbolCondition(place.symbol))}
     order by instrument_id, account_id, snapshot_id limit ${LATEST_LIMIT}`);
}

export interface AggregatedRow {
  key: string;
  source: 'trading' | 'exchange' | 'custodian';
  quantity: string | null;
  marketValue: string;
  exposure: string;
  count: number;
  oldestAt: string;
}

const GROUPS: Record<PositionGrouping, string> = {
  INSTRUMENT: 'instrument_id',
  ACCOUNT: 'account_id',
  VENUE: `coalesce(venue, 'none')`,
  SOURCE: 'source',
};

/** The snapshots of an instant, or the latest, summed up in one statement. */
export function aggregatedPositions(
  context: Context,
  groupBy: PositionGrouping,
  { accountId, at }: { accountId?: string | null | undefined; at?: string | null | undefined },
): Promise<AggregatedRow[]> {
  const group = raw(GROUPS[groupBy]);
  const quantity = groupBy === 'INSTRUMENT' ? raw('sum(quantity)') : raw('null::numeric');
  return context.db.query<AggregatedRow>(sql`
    select ${group} as key, source, ${quantity} as quantity, coalesce(sum(market_value), 0) as market_value,
           coalesce(sum(abs(market_value)), 0) as exposure, count(*)::int as count, min(snapshot_timestamp) as oldest_at
      from (${latest(at ?? null, holderConditions({ accountId }))}) as held
     group by ${group}, source order by exposure desc, key, source limit ${LATEST_LIMIT}`);
}
