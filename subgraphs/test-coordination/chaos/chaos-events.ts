/** Chaos events: what is stored of them and how they are read. */
import { allOf, raw, type Sql, sql } from '../../../platform/database/sql.ts';
import type { Domain } from '../../../platform/domains.ts';
import { stored } from '../../../platform/enums.ts';
import { equals, isOneOf } from '../../../platform/filters.ts';
import { childList, entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import type { Context } from '../context.ts';
import type { ChaosEventFilter } from '../generated/resolvers.ts';
import type { EventType } from '../rules/chaos.ts';
import type { EventStatus } from '../rules/lifecycles.ts';

/** A row of `chaos_events`. */
export interface ChaosEventRow {
  eventId: string;
  runId: string;
  eventType: EventType;
  action: string;
  targetService: Domain;
  serviceId: string | null;
  parameters: Record<string, unknown>;
  externalId: string | null;
  injectedAt: string | null;
  durationMs: number | null;
  status: EventStatus;
  recoveryTimeMs: number | null;
  clearRequestedAt: string | null;
  clearedAt: string | null;
  error: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type ChaosEventPage = Connection<ChaosEventRow>;

export const chaosEvents = entity<ChaosEventRow>({
  name: 'ChaosEvent',
  table: 'chaos_events',
  key: 'event_id',
  keyType: 'text',
});

export const chaosEventList = connectionSource<ChaosEventRow>({
  table: 'chaos_events',
  id: 'event_id',
  sorts: { CREATED_AT: 'created_at' },
});

export const eventsOfRun = childList<ChaosEventRow>({
  name: 'chaos events of a run',
  table: 'chaos_events',
  parent: 'run_id',
  keyType: 'text',
  orderBy: 'created_at',
  limit: 500,
});

export const isActive: Sql = raw(`status in ('injected', 'in_progress')`);

export function eventConditions(filter: ChaosEventFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { runId, type, targetService, statuses, isActive: wantsActive } = filter;
  return [
    ...equals('run_id', runId),
    ...equals('event_type', type && stored(type)),
    ...equals('target_service', targetService),
    ...isOneOf('status', statuses?.map(stored)),
    ...(wantsActive === null || wantsActive === undefined ? [] : [sql`(${isActive}) = ${wantsActive}`]),
  ];
}

/** Milliseconds as text; null when nothing has recovered. */
export async function averageRecoveryTime(context: Context, type: EventType | null): Promise<string | null> {
  const row = await context.db.one<{ average: string | null }>(sql`
    select round(avg(recovery_time_ms), 2) as average from chaos_events
     where status = 'recovered' and ${allOf(equals('event_type', type))}`);
  return row?.average ?? null;
}
