/** What the audit's own commands do is in the trail as well, from the same transaction. */
import { randomUUID } from 'node:crypto';
import { parseTraceparent } from '../../../platform/trace.ts';
import { type Context, statementsOf, type Tx } from '../context.ts';
import type { EventContent } from '../rules/chain.ts';
import { canonicalInstant } from '../rules/events.ts';
import { append } from './append.ts';

export interface Done {
  eventType: string;
  entityType: string;
  entityId: string;
  by?: string | undefined;
  severity?: EventContent['severity'];
  payload?: Record<string, unknown>;
}

/** Adds what a command has done to the chain of the audit itself. */
export async function record(context: Context, tx: Tx, done: Done): Promise<void> {
  await append(statementsOf(tx), context.db, [ownEvent(context, done)], context.now());
}

/** The event of something that the audit itself has done in a request. */
export function ownEvent(context: Context, done: Done): EventContent {
  return {
    eventId: `audit:${randomUUID()}`,
    timestamp: canonicalInstant(context.now().toISOString()),
    traceId: context.traceId,
    spanId: parseTraceparent(context.traceparent)?.spanId ?? null,
    parentSpanId: null,
    correlationId: null,
    causationId: null,
    serviceName: 'audit',
    eventType: done.eventType,
    domain: 'audit',
    entityType: done.entityType,
    entityId: done.entityId,
    category: 'compliance',
    severity: done.severity ?? 'info',
    actorType: done.by === undefined ? null : 'user',
    actorId: done.by ?? null,
    scenarioId: null,
    chaosType: null,
    validationTag: null,
    tags: ['domain:audit'],
    metadata: {},
    payload: done.payload ?? {},
    durationNs: '0',
    schemaVersion: 1,
    origin: 'told',
  };
}
