/** What of the audit can be followed. */
import { raw } from '../../platform/database/sql.ts';
import type { ChangeEvent } from '../../platform/feed/row-changes.ts';
import { topic } from '../../platform/feed/topic.ts';
import type { ChainBreakRow } from './chain/chains.ts';
import type { CorrelationRow } from './correlation/correlations.ts';
import type { ValidationRow } from './reports/validations.ts';
import type { AuditEventRow } from './trail/events.ts';

export type AuditEventTold = ChangeEvent<AuditEventRow>;
export type CorrelationTold = ChangeEvent<CorrelationRow>;
export type ValidationTold = ChangeEvent<ValidationRow>;
export type ChainBreakTold = ChangeEvent<ChainBreakRow>;

const LATEST = 100;

export const eventTopic = topic<AuditEventRow>({
  table: 'audit_events',
  key: 'event_id',
  fields: { traceId: 'text', serviceName: 'text' },
  mode: 'lossless',
  snapshotOrder: raw('timestamp desc, event_id desc'),
  snapshotRows: LATEST,
});

export const correlationTopic = topic<CorrelationRow>({
  table: 'audit_correlations',
  key: 'correlation_id',
  fields: { correlationType: 'text' },
  mode: 'lossless',
  snapshotOrder: raw('created_at desc, correlation_id desc'),
  snapshotRows: LATEST,
});

export const validationTopic = topic<ValidationRow>({
  table: 'scenario_validations',
  key: 'run_id',
  fields: { runId: 'text' },
  mode: 'lossless',
  snapshotOrder: raw('created_at desc, run_id desc'),
  snapshotRows: LATEST,
});

export const breakTopic = topic<ChainBreakRow>({
  table: 'chain_breaks',
  key: 'break_id',
  fields: { chainId: 'text' },
  mode: 'lossless',
  snapshot: raw('resealed_as is null'),
});
