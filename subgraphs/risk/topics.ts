/** What of risk can be followed. */

import { raw } from '../../platform/database/sql.ts';
import type { ChangeEvent } from '../../platform/feed/row-changes.ts';
import { topic } from '../../platform/feed/topic.ts';
import { isOpenAlert, type RiskAlertRow } from './alerts/alerts.ts';
import type { BreakerRow } from './breaker/breaker.ts';
import type { RiskMetricRow } from './measures/metrics.ts';
import type { UtilisationState } from './reports/utilisations.ts';

export type UtilisationEvent = ChangeEvent<UtilisationState>;
export type AlertEvent = ChangeEvent<RiskAlertRow>;
export type BreakerEvent = ChangeEvent<BreakerRow>;
export type MetricEvent = ChangeEvent<RiskMetricRow>;

export const utilisationTopic = topic<UtilisationState>({
  table: 'limit_states',
  key: 'state_id',
  fields: { accountId: 'text', limitId: 'text' },
  mode: 'conflated',
});

export const alertTopic = topic<RiskAlertRow>({
  table: 'risk_alerts',
  key: 'alert_id',
  fields: { accountId: 'text', severity: 'text' },
  mode: 'lossless',
  snapshot: isOpenAlert,
});

export const breakerTopic = topic<BreakerRow>({
  table: 'circuit_breakers',
  key: 'breaker_id',
  fields: { breakerId: 'text' },
  mode: 'lossless',
});

export const metricTopic = topic<RiskMetricRow>({
  table: 'risk_metrics',
  key: 'metric_id',
  fields: { accountId: 'text', instrumentId: 'text' },
  mode: 'conflated',
  snapshotOrder: raw('calculation_timestamp desc, metric_id desc'),
  snapshotRows: 100,
});
