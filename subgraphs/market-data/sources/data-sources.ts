/** Sources of prices: what is stored of them and how they are read. */
import { type Sql, sql } from '../../../platform/database/sql.ts';
import type { ChangeEvent } from '../../../platform/feed/row-changes.ts';
import { topic } from '../../../platform/feed/topic.ts';
import { equals, is } from '../../../platform/filters.ts';
import { entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import type { DataSourceFilter } from '../generated/resolvers.ts';
import { DOWN_AFTER_MS, type SourceState, STALE_AFTER_MS, stateInSilence } from './rules/source-state.ts';

export type DataSourceKind = 'REST' | 'WEBSOCKET' | 'EXCHANGE';

/** A row of `data_sources`. */
export interface DataSourceRow {
  name: string;
  kind: DataSourceKind;
  priority: number;
  rateLimitPerSecond: number | null;
  isEnabled: boolean;
  /** As it was last written: silence may have changed it since. */
  state: SourceState;
  stateSince: string;
  goodStreak: number;
  errorStreak: number;
  errorCount: number;
  lastError: string | null;
  lastErrorAt: string | null;
  latencyMs: number | null;
  lastSeenAt: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
  traceId: string | null;
}

export type DataSourcePage = Connection<DataSourceRow>;
export type DataSourceEvent = ChangeEvent<DataSourceRow>;

export const dataSources = entity<DataSourceRow>({
  name: 'DataSource',
  table: 'data_sources',
  key: 'name',
  keyType: 'text',
});

export const dataSourceList = connectionSource<DataSourceRow>({
  table: 'data_sources',
  id: 'name',
  sorts: { PRIORITY: 'priority' },
});

export const dataSourceTopic = topic<DataSourceRow>({
  table: 'data_sources',
  key: 'name',
  fields: { name: 'text' },
  mode: 'conflated',
});

/** The source's state now, whether or not anybody has written it down yet. */
export function shownState({ state, lastSeenAt }: DataSourceRow, now: Date): SourceState {
  return stateInSilence({ state, lastSeenAtMs: lastSeenAt === null ? null : Date.parse(lastSeenAt) }, now.getTime());
}

/** The conditions of a filter; states are those of now. */
export function dataSourceConditions(filter: DataSourceFilter | null | undefined, now: Date): Sql[] {
  if (!filter) return [];
  return [...equals('kind', filter.kind), ...is('is_enabled', filter.isEnabled), ...inState(filter.state, now)];
}

/** The same as `stateInSilence`. */
function inState(state: SourceState | null | undefined, now: Date): Sql[] {
  if (!state) return [];
  const at = sql`${now.toISOString()}::timestamptz`;
  const silent = (ms: number) => sql`last_seen_at < ${at} - ${ms}::float8 * interval '1 ms'`;
  return [
    sql`case when last_seen_at is null or state = 'DOWN' then state
             when ${silent(DOWN_AFTER_MS)} then 'DOWN' when ${silent(STALE_AFTER_MS)} then 'STALE'
             else state end = ${state}`,
  ];
}
