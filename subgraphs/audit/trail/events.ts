/** Events as they are stored and read. */
import { raw, type Sql, sql } from '../../../platform/database/sql.ts';
import { stored } from '../../../platform/enums.ts';
import { badInput } from '../../../platform/errors.ts';
import { equals, isOneOf, within } from '../../../platform/filters.ts';
import { entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import type { Context } from '../context.ts';
import type { AuditEventFilter } from '../generated/resolvers.ts';
import { readJson } from '../rules/canonical.ts';
import type { SealedEvent } from '../rules/chain.ts';

/** A row of `audit_events` or `archived_events`. */
export interface AuditEventRow extends SealedEvent {
  entityKey: string | null;
}

export type EventStatus = 'pending' | 'processed' | 'failed' | 'skipped';

/** What of `sealed_events` moves. */
export interface EventState {
  eventId: string;
  status: EventStatus;
  failure: string | null;
  processedAt: string | null;
}

export type AuditEventPage = Connection<AuditEventRow>;

export const events = entity<AuditEventRow>({
  name: 'AuditEvent',
  table: 'audit_events',
  key: 'event_id',
  keyType: 'text',
});

export const eventList = connectionSource<AuditEventRow>({
  table: 'audit_events',
  id: 'event_id',
  sorts: { TIMESTAMP: 'timestamp' },
  parents: { trace_id: 'text', entity_key: 'text', service_name: 'text' },
});

/** Those that have been put aside as well. */
export const wholeTrail = connectionSource<AuditEventRow>({
  table: 'all_events',
  capturedAs: 'audit_events',
  id: 'event_id',
  sorts: { TIMESTAMP: 'timestamp' },
});

/** The event, though it may have been put aside; several in one statement. */
export async function eventById(context: Context, eventId: string): Promise<AuditEventRow | null> {
  const live = await context.load(events, eventId);
  if (live !== null) return live;
  return context.batch('archivedEvents', eventId, async (ids) => {
    const rows = await context.db.query<AuditEventRow>(sql`
      select archived_events.* from archived_events
        join sealed_events using (event_id, timestamp) where event_id = any(${ids}::text[])`);
    const byId = new Map(rows.map((row) => [row.eventId, row]));
    return ids.map((id) => byId.get(id) ?? null);
  });
}

/** How far it has been worked on; several events in one statement. */
export function stateOf(context: Context, eventId: string): Promise<EventState> {
  return context.batch('eventStates', eventId, async (ids) => {
    const rows = await context.db.query<EventState>(
      sql`select event_id, status, failure, processed_at from sealed_events where event_id = any(${ids}::text[])`,
    );
    const byId = new Map(rows.map((row) => [row.eventId, row]));
    return ids.map((id) => byId.get(id) ?? { eventId: id, status: 'skipped', failure: null, processedAt: null });
  });
}

const TAGS_LIMIT = 50;

/** The conditions of a filter. */
export function eventConditions(filter: AuditEventFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { tags, statuses, entityType, entityId } = filter;
  if (tags && (tags.length === 0 || tags.length > TAGS_LIMIT)) {
    throw badInput(`tags takes 1 to ${TAGS_LIMIT} of them, but got ${tags.length}.`, ['filter', 'tags']);
  }
  return [
    ...isOneOf('service_name', filter.serviceNames),
    ...isOneOf('event_type', filter.eventTypes),
    ...isOneOf('domain', filter.domains),
    ...isOneOf('category', filter.categories?.map(stored)),
    ...isOneOf('severity', filter.severities?.map(stored)),
    ...equals('trace_id', filter.traceId?.toLowerCase()),
    ...equals('correlation_id', filter.correlationId),
    ...equals('scenario_id', filter.scenarioId),
    ...(entityType && entityId ? equals('entity_key', `${entityType}:${entityId}`) : equals('entity_type', entityType)),
    ...(entityType ? [] : equals('entity_id', entityId)),
    ...(tags ? [sql`tags && ${tags}::text[]`] : []),
    ...(statuses
      ? [sql`event_id in (select event_id from sealed_events where status = any(${statuses.map(stored)}::text[]))`]
      : []),
    ...within('timestamp', filter),
  ];
}

/** Columns as verification reads them: what is JSON as its text. */
export const VERIFIABLE = raw(`chain_id, sequence, event_id, timestamp, received_at, trace_id, span_id, parent_span_id,
  correlation_id, causation_id, service_name, event_type, domain, entity_type, entity_id, category, severity, actor_type,
  actor_id, scenario_id, chaos_type, validation_tag, tags, metadata::text as metadata, payload::text as payload,
  duration_ns, schema_version, origin, prev_hash, hash`);

type TextRow = Omit<SealedEvent, 'metadata' | 'payload'> & { metadata: string; payload: string };

/** The row as it was hashed. */
export function verifiable(row: TextRow): SealedEvent {
  return {
    ...row,
    metadata: readJson(row.metadata) as Record<string, unknown>,
    payload: readJson(row.payload) as Record<string, unknown>,
  };
}
