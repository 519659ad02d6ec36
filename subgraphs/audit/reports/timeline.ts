/** What happened in a time, in order, and what led to what. */
import { allOf, type Sql, sql } from '../../../platform/database/sql.ts';
import { badInput } from '../../../platform/errors.ts';
import { within } from '../../../platform/filters.ts';
import type { Context } from '../context.ts';
import type { CorrelationRow } from '../correlation/correlations.ts';
import { depths } from '../rules/causality.ts';
import type { AuditEventRow } from '../trail/events.ts';
import type { ValidationRow } from './validations.ts';

export interface Window {
  from: string;
  to: string;
}

export interface TimelineView extends Window {
  scenarioId: string | null;
  eventCount: number;
  events: { event: AuditEventRow; depth: number }[];
  correlations: CorrelationRow[];
  depth: number;
  rootCount: number;
  validations: ValidationRow[];
}

/** Events that one timeline shows. */
const EVENTS_LIMIT = 50_000;
const CORRELATIONS_SHOWN = 5_000;
const VALIDATIONS_SHOWN = 100;

/** Longest time that is looked at in one answer. */
const WINDOW_DAYS = 31;

/** The window itself. Throws BAD_USER_INPUT when it is none, or too long to be read at once. */
export function checkWindow({ from, to }: Window): Window {
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
  if (days > 0 && days <= WINDOW_DAYS) return { from, to };
  throw badInput(`to must lie after from, at most ${WINDOW_DAYS} days, but got ${from} and ${to}.`, ['to']);
}

export async function timeline(
  context: Context,
  asked: Window & { scenarioId?: string | null | undefined; traceId?: string | null | undefined; limit: number },
): Promise<TimelineView> {
  const window = checkWindow(asked);
  const { scenarioId = null, traceId = null, limit } = asked;
  if (limit < 1 || limit > EVENTS_LIMIT) {
    throw badInput(`limit must be from 1 to ${EVENTS_LIMIT}, but got ${limit}.`, ['limit']);
  }
  const conditions: Sql[] = [
    ...within('timestamp', window),
    ...(scenarioId ? [sql`(scenario_id = ${scenarioId} or correlation_id = ${scenarioId})`] : []),
    ...(traceId ? [sql`trace_id = ${traceId}`] : []),
  ];
  const { db } = context;
  const [counted, events, validations] = await Promise.all([
    db.one<{ count: number }>(sql`select count(*)::int as count from audit_events where ${allOf(conditions)}`),
    db.query<AuditEventRow>(
      sql`select * from audit_events where ${allOf(conditions)} order by timestamp, event_id limit ${limit}`,
    ),
    db.query<ValidationRow>(sql`
      select * from scenario_validations
       where started_at < ${window.to}::timestamptz and coalesce(ended_at, 'infinity') >= ${window.from}::timestamptz
         and (${scenarioId}::text is null or scenario_id = ${scenarioId} or run_id = ${scenarioId})
       order by started_at desc, run_id limit ${VALIDATIONS_SHOWN}`),
  ]);
  const correlations = await causalAmong(context, events);
  const found = depths(
    events.map(({ eventId }) => eventId),
    correlations.map(({ sourceEventId, targetEventId }) => ({ source: sourceEventId, target: targetEventId })),
  );
  const told = events.map((event) => ({ event, depth: found.get(event.eventId) ?? 0 }));
  return {
    ...window,
    scenarioId,
    eventCount: counted?.count ?? 0,
    events: told,
    correlations: correlations.slice(0, CORRELATIONS_SHOWN),
    depth: told.reduce((most, { depth }) => Math.max(most, depth), 0),
    rootCount: told.filter(({ depth }) => depth === 0).length,
    validations,
  };
}

async function causalAmong(context: Context, events: readonly AuditEventRow[]): Promise<CorrelationRow[]> {
  if (events.length === 0) return [];
  const ids = events.map(({ eventId }) => eventId);
  return context.db.query<CorrelationRow>(sql`
    with among as materialized (select unnest(${ids}::text[]) as event_id)
    select audit_correlations.* from audit_correlations
      join among as sources on sources.event_id = source_event_id
      join among as targets on targets.event_id = target_event_id
     where correlation_type = 'causal' order by created_at, correlation_id`);
}
