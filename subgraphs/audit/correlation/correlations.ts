/** Correlations as they are stored and read, and what is put together of them. */
import { allOf, type Sql, sql } from '../../../platform/database/sql.ts';
import { stored } from '../../../platform/enums.ts';
import { badInput } from '../../../platform/errors.ts';
import { between, equals, isOneOf, within } from '../../../platform/filters.ts';
import { entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource, listLimit } from '../../../platform/paging.ts';
import type { Context } from '../context.ts';
import type { CorrelationFilter } from '../generated/resolvers.ts';
import { DEEPEST, type Edge, type Reached, walk } from '../rules/causality.ts';
import { type CorrelationRule, delayNs, featuresOf, jaccard } from '../rules/correlation.ts';
import { type AuditEventRow, eventById } from '../trail/events.ts';
import type { NewCorrelation } from './engine.ts';

/** A row of `audit_correlations`. */
export interface CorrelationRow {
  correlationId: string;
  sourceEventId: string;
  targetEventId: string;
  correlationType: NewCorrelation['type'];
  confidence: string;
  ruleName: string | null;
  delayNs: string;
  scenarioId: string | null;
  createdBy: string;
  createdAt: string;
}

/** A row of `correlation_rules`. */
export interface CorrelationRuleRow extends CorrelationRule {
  description: string;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type CorrelationPage = Connection<CorrelationRow>;

export const correlations = entity<CorrelationRow>({
  name: 'AuditCorrelation',
  table: 'audit_correlations',
  key: 'correlation_id',
  keyType: 'text',
});

export const rules = entity<CorrelationRuleRow>({
  name: 'CorrelationRule',
  table: 'correlation_rules',
  key: 'rule_name',
  keyType: 'text',
});

export const correlationList = connectionSource<CorrelationRow>({
  table: 'audit_correlations',
  id: 'correlation_id',
  sorts: { CREATED_AT: 'created_at' },
});

/** The conditions of a filter. */
export function correlationConditions(filter: CorrelationFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { eventId, types, minConfidence, ruleName, scenarioId } = filter;
  return [
    ...(eventId ? [sql`(source_event_id = ${eventId} or target_event_id = ${eventId})`] : []),
    ...isOneOf('correlation_type', types?.map(stored)),
    ...between('confidence', minConfidence, null),
    ...equals('rule_name', ruleName),
    ...equals('scenario_id', scenarioId),
    ...within('created_at', filter),
  ];
}

const CORRELATED_LIMIT = 100;

/** What lies one step from an event, either way; of several events in one statement. */
export function correlatedWith(context: Context, eventId: string): Promise<CorrelationRow[]> {
  return context.batch('correlated', eventId, async (ids) => {
    const rows = await context.db.query<CorrelationRow & { ofId: string }>(sql`
      select given.id as of_id, near.* from unnest(${ids}::text[]) as given(id)
       cross join lateral (
         select * from (
           select * from audit_correlations where source_event_id = given.id
           union all
           select * from audit_correlations where target_event_id = given.id) as both_sides
          order by confidence desc, created_at, correlation_id limit ${CORRELATED_LIMIT}) as near`);
    const byEvent = Map.groupBy(rows, ({ ofId }) => ofId);
    return ids.map((id) => byEvent.get(id) ?? []);
  });
}

export interface CausalChainView {
  root: AuditEventRow;
  members: { event: AuditEventRow; depth: number; delayNs: string; confidence: string }[];
  depth: number;
  totalDelayNs: string;
  confidence: string;
  isValidated: boolean;
}

/** Events that a causal chain shows. */
const MEMBERS_LIMIT = 1_000;

const SURE = 0.9;

/** What an event has led to. Null when there is no such event. Throws BAD_USER_INPUT on a depth that is too large. */
export async function causalChain(
  context: Context,
  eventId: string,
  maxDepth: number,
): Promise<CausalChainView | null> {
  if (maxDepth < 1 || maxDepth > DEEPEST) {
    throw badInput(`maxDepth must be from 1 to ${DEEPEST}, but got ${maxDepth}.`, ['maxDepth']);
  }
  const root = await eventById(context, eventId);
  if (root === null) return null;
  const reached = await walk(eventId, maxDepth, (ids) => edgesFrom(context, ids), MEMBERS_LIMIT);
  const rows = await Promise.all(reached.map((one) => eventById(context, one.eventId)));
  const members = reached.flatMap((one, i) => {
    const event = rows[i];
    return event ? [{ ...one, event, delay: delayNs(root.timestamp, event.timestamp) }] : [];
  });
  const depth = Math.max(...members.map((one) => one.depth));
  const total =
    members
      .map(({ delay }) => delay)
      .sort((a, b) => Number(a - b))
      .at(-1) ?? 0n;
  return {
    root,
    members: members.map(({ event, delay, depth: steps, confidence }) => ({
      event,
      depth: steps,
      delayNs: String(delay),
      confidence: confidence.toFixed(4),
    })),
    depth,
    totalDelayNs: String(total),
    confidence: confidenceAt(members, depth).toFixed(4),
    isValidated: members.every(({ confidence }) => confidence >= SURE),
  };
}

/** Of the ways to the deepest events the surest. */
function confidenceAt(members: readonly Reached[], depth: number): number {
  return Math.max(...members.filter((one) => one.depth === depth).map(({ confidence }) => confidence));
}

async function edgesFrom(context: Context, eventIds: readonly string[]): Promise<Edge[]> {
  const rows = await context.db.query<{ source: string; target: string; confidence: string }>(sql`
    select source_event_id as source, target_event_id as target, confidence from audit_correlations
     where correlation_type = 'causal' and source_event_id = any(${eventIds}::text[])
     order by confidence desc, target_event_id limit ${MEMBERS_LIMIT * 2}`);
  return rows.map((row) => ({ ...row, confidence: Number(row.confidence) }));
}

/** Events that others are compared with: the latest of their type and service. */
const COMPARED = 2_000;

/** Events like one. Null when there is no such event. */
export async function similarEvents(
  context: Context,
  eventId: string,
  threshold: number,
  limit: number,
): Promise<{ event: AuditEventRow; similarity: string }[] | null> {
  if (!(threshold >= 0 && threshold <= 1)) {
    throw badInput(`threshold must be from 0 to 1, but got ${threshold}.`, ['threshold']);
  }
  const most = listLimit(limit);
  const event = await eventById(context, eventId);
  if (event === null) return null;
  const conditions = [
    sql`service_name = ${event.serviceName}`,
    sql`event_type = ${event.eventType}`,
    sql`event_id <> ${eventId}`,
  ];
  const others = await context.db.query<AuditEventRow>(
    sql`select * from audit_events where ${allOf(conditions)} order by timestamp desc, event_id limit ${COMPARED}`,
  );
  const features = featuresOf(event);
  return others
    .map((other) => ({ event: other, similarity: jaccard(features, featuresOf(other)) }))
    .filter(({ similarity }) => similarity >= threshold)
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, most)
    .map(({ event: other, similarity }) => ({ event: other, similarity: similarity.toFixed(4) }));
}
