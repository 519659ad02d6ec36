/** What services and administrators do with events. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { refuse } from '../../../platform/errors.ts';
import { boundedText } from '../../../platform/texts.ts';
import { type Context, statementsOf, type Tx } from '../context.ts';
import type {
  ArchiveAuditEventsInput,
  IngestAuditEventInput,
  IngestAuditEventsInput,
  ReprocessAuditEventInput,
} from '../generated/resolvers.ts';
import { canonicalJson, readJson } from '../rules/canonical.ts';
import type { EventContent } from '../rules/chain.ts';
import { delayNs } from '../rules/correlation.ts';
import { toldEvent } from '../rules/ingest.ts';
import { append, type Existing, forgetDays } from './append.ts';
import { type Archived, archiveBefore } from './archive.ts';
import { record } from './own.ts';

export type IngestedPayload = CommandPayload<{ eventId: string; isNew: boolean }>;
export type IngestedManyPayload = CommandPayload<{ eventIds: string[]; knownCount: number }>;
export type ArchivedPayload = CommandPayload<Archived>;
export type EventPayload = CommandPayload<{ eventId: string }>;

const EVENTS_LIMIT = 1_000;

/** A cause may seem to be younger than its effect by this: clocks differ. */
const TOLERANCE_NS = 5_000_000_000n; // 5 seconds

/** Adds one event. */
export function ingestAuditEvent(context: Context, input: IngestAuditEventInput): Promise<IngestedPayload> {
  return touching(
    context,
    command(context, 'ingestAuditEvent', input, async (tx) => {
      const event = toldEvent(input.event, context.traceId, context.now(), ['input', 'event']);
      const { sealedIds } = await add(context, tx, [event], [['input', 'event']]);
      return { eventId: event.eventId, isNew: sealedIds.length > 0 };
    }),
  );
}

/** Adds events in their order, or none. */
export function ingestAuditEvents(context: Context, input: IngestAuditEventsInput): Promise<IngestedManyPayload> {
  return touching(
    context,
    command(context, 'ingestAuditEvents', input, async (tx) => {
      if (input.events.length > EVENTS_LIMIT) {
        const message = `events takes at most ${EVENTS_LIMIT}, but got ${input.events.length}.`;
        throw refuse.validation(message, ['input', 'events']);
      }
      const paths = input.events.map((_, i) => ['input', 'events', String(i)]);
      const events = input.events.map((event, i) =>
        toldEvent(event, context.traceId, context.now(), paths[i] as string[]),
      );
      const { sealedIds, knownCount } = await add(context, tx, events, paths);
      return { eventIds: sealedIds, knownCount };
    }),
  );
}

async function touching<Payload>(context: Context, done: Promise<Payload>): Promise<Payload> {
  const payload = await done;
  context.service.engine.touch();
  return payload;
}

async function add(context: Context, tx: Tx, events: readonly EventContent[], paths: readonly (readonly string[])[]) {
  await checkCauses(tx, events, paths);
  const ids = events.map(({ eventId }) => eventId);
  const twice = ids.findIndex((id, i) => ids.indexOf(id) !== i);
  if (twice >= 0) {
    throw refuse.validation(`eventId "${ids[twice]}" is given twice.`, [...(paths[twice] ?? []), 'eventId']);
  }
  const { sealed, existing } = await append(statementsOf(tx), context.db, events, context.now());
  await checkSame(tx, events, existing, paths);
  const order = new Map(ids.map((id, i) => [id, i]));
  const sealedIds = sealed.map(({ eventId }) => eventId);
  sealedIds.sort((a, b) => Number(order.get(a)) - Number(order.get(b)));
  return { sealedIds, knownCount: existing.length };
}

async function checkCauses(
  tx: Tx,
  events: readonly EventContent[],
  paths: readonly (readonly string[])[],
): Promise<void> {
  const causes = events.flatMap(({ causationId }) => causationId ?? []);
  if (causes.length === 0) return;
  const rows = await tx.$queryRaw<{ eventId: string; timestamp: string }[]>(sql`
    select event_id as "eventId", to_char(timestamp at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as timestamp
      from sealed_events where event_id = any(${causes}::text[])`);
  const given = new Map(events.map(({ eventId, timestamp }) => [eventId, timestamp]));
  const at = new Map([...given, ...rows.map((row) => [row.eventId, row.timestamp] as const)]);
  for (const [i, { eventId, causationId, timestamp }] of events.entries()) {
    if (causationId === null) continue;
    const path = [...(paths[i] ?? []), 'causationId'];
    const cause = causationId === eventId ? undefined : at.get(causationId);
    if (cause === undefined) throw refuse.notFound('AuditEvent', causationId, path);
    if (delayNs(timestamp, cause) > TOLERANCE_NS) {
      throw refuse.validation('What has caused an event comes at most 5 seconds after it.', path);
    }
  }
}

/** Columns that are not the caller's: a repeat may differ in them. */
const OURS = ['timestamp', 'traceId'] as const;

async function checkSame(
  tx: Tx,
  events: readonly EventContent[],
  existing: readonly Existing[],
  paths: readonly (readonly string[])[],
): Promise<void> {
  if (existing.length === 0) return;
  const rows = await tx.$queryRaw<{ content: string }[]>(sql`
    select json_build_object(
      'eventId', event_id, 'spanId', span_id, 'parentSpanId', parent_span_id, 'correlationId', correlation_id,
      'causationId', causation_id, 'serviceName', service_name, 'eventType', event_type, 'domain', domain,
      'entityType', entity_type, 'entityId', entity_id, 'category', category, 'severity', severity,
      'actorType', actor_type, 'actorId', actor_id, 'scenarioId', scenario_id, 'chaosType', chaos_type,
      'validationTag', validation_tag, 'tags', tags, 'metadata', metadata, 'payload', payload,
      'durationNs', duration_ns::text, 'schemaVersion', schema_version, 'origin', origin)::text as content
      from all_events where event_id = any(${existing.map(({ eventId }) => eventId)}::text[])`);
  const known = new Map(
    rows.map(({ content }) => {
      const value = readJson(content) as { eventId: string };
      return [value.eventId, canonicalJson(value)];
    }),
  );
  for (const [i, event] of events.entries()) {
    const there = known.get(event.eventId);
    if (there === undefined) continue;
    const told: Partial<EventContent> = { ...event };
    for (const name of OURS) delete told[name];
    if (there !== canonicalJson(told)) {
      const message = `The event "${event.eventId}" is in the trail with other content.`;
      throw refuse.conflict(null, message, [...(paths[i] ?? []), 'eventId']);
    }
  }
}

const DAY_MS = 86_400_000;
const NAME_LENGTH = 255;

/** Puts whole days aside. */
export async function archiveAuditEvents(context: Context, input: ArchiveAuditEventsInput): Promise<ArchivedPayload> {
  const payload = await command(context, 'archiveAuditEvents', input, async (tx) => {
    const by = boundedText(input.by, NAME_LENGTH, ['input', 'by']);
    if (Date.parse(input.before) > context.now().getTime() - DAY_MS) {
      throw refuse.validation('before must lie at least a day ago.', ['input', 'before']);
    }
    const archived = await archiveBefore(statementsOf(tx), input.before, by);
    await record(context, tx, {
      eventType: 'events_archived',
      entityType: 'Archive',
      entityId: input.before,
      by,
      payload: { ...archived },
    });
    return archived;
  });
  forgetDays(context.db);
  return payload;
}

/** Takes a failed event up again. */
export function reprocessAuditEvent(context: Context, input: ReprocessAuditEventInput): Promise<EventPayload> {
  return touching(
    context,
    command(context, 'reprocessAuditEvent', input, async (tx) => {
      const { eventId } = input;
      const [row] = await tx.$queryRaw<{ status: string }[]>(
        sql`select status from sealed_events where event_id = ${eventId} for update`,
      );
      if (!row) throw refuse.notFound('AuditEvent', eventId, ['input', 'eventId']);
      if (row.status !== 'failed') throw refuse.invalidTransition(row.status.toUpperCase(), 'PENDING', []);
      await tx.$executeRaw(sql`
        update sealed_events set status = 'pending', failure = null, processed_at = null where event_id = ${eventId}`);
      await record(context, tx, { eventType: 'event_reprocessed', entityType: 'AuditEvent', entityId: eventId });
      return { eventId };
    }),
  );
}
