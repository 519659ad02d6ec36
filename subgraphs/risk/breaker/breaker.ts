/** The circuit breaker of trading: what is stored of it, and its steps inside the transaction of whoever takes them. */
import { sql } from '../../../platform/database/sql.ts';
import type { Statements } from '../../../platform/database/transaction.ts';
import { entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import { type BreakerCause, type BreakerState, checkStep, movesOnAt } from '../rules/breaker.ts';

/** The row of `circuit_breakers`. */
export interface BreakerRow {
  breakerId: string;
  state: BreakerState;
  cause: BreakerCause | null;
  reason: string | null;
  triggerValue: string | null;
  openedAt: string | null;
  movesOnAt: string | null;
  closedAt: string | null;
  changedBy: string;
  updatedAt: string;
  version: number;
}

/** A row of `circuit_breaker_events`. */
export interface BreakerEventRow {
  eventId: string;
  fromState: BreakerState;
  toState: BreakerState;
  cause: BreakerCause | null;
  reason: string;
  triggerValue: string | null;
  changedBy: string;
  changedAt: string;
}

export type BreakerEventPage = Connection<BreakerEventRow>;

export const BREAKER_ID = 'trading';

export const breakers = entity<BreakerRow>({
  name: 'CircuitBreaker',
  table: 'circuit_breakers',
  key: 'breaker_id',
  keyType: 'text',
});

export const breakerEventList = connectionSource<BreakerEventRow>({
  table: 'circuit_breaker_events',
  id: 'event_id',
  sorts: { AT: 'changed_at' },
});

export interface BreakerStep {
  to: BreakerState;
  /** What opens it; null of other steps. */
  cause: BreakerCause | null;
  reason: string;
  value: string | null;
  by: string;
  traceId: string | null;
}

/** The breaker's row, which nobody else changes until the transaction ends. */
export async function lockBreaker(tx: Statements): Promise<Pick<BreakerRow, 'state' | 'movesOnAt'>> {
  const [row] = await tx.query<Pick<BreakerRow, 'state' | 'movesOnAt'>>(
    sql`select state, moves_on_at::text as "movesOnAt" from circuit_breakers where breaker_id = ${BREAKER_ID} for update`,
  );
  if (!row) throw new Error('The row of the circuit breaker is gone');
  return row;
}

/** Takes the step from the state of the locked row. Throws an invalid-transition Refusal where there is none. */
export async function step(
  tx: Statements,
  from: BreakerState,
  { to, cause, reason, value, by, traceId }: BreakerStep,
  now: Date,
) {
  checkStep(from, to);
  const isOpening = to === 'open';
  await tx.query(
    sql`update circuit_breakers
           set state = ${to}, changed_by = ${by}, trace_id = ${traceId},
               cause = case when ${isOpening} then ${cause} else cause end,
               reason = case when ${isOpening} then ${reason} else reason end,
               trigger_value = case when ${isOpening} then ${value}::numeric else trigger_value end,
               opened_at = case when ${isOpening} then ${now}::timestamptz else opened_at end,
               moves_on_at = ${movesOnAt(to, now)}::timestamptz,
               closed_at = case when ${to === 'closed'} then ${now}::timestamptz else closed_at end
         where breaker_id = ${BREAKER_ID}`,
  );
  await tx.query(
    sql`insert into circuit_breaker_events (from_state, to_state, cause, reason, trigger_value, changed_by, trace_id, changed_at)
        values (${from}, ${to}, ${isOpening ? cause : null}, ${reason}, ${value}::numeric, ${by}, ${traceId}, ${now}::timestamptz)`,
  );
}
