/** Risk's own settings, read once from the environment. */
import { z } from 'zod';
import { checkSettings } from '../../platform/config.ts';

const days = z.coerce.number().int().min(1).max(36_500);

const schema = z.object({
  /** Days that calculated metrics are kept. */
  RISK_METRIC_DAYS: days.default(180),
  /** Days that snapshots of positions are kept. */
  RISK_SNAPSHOT_DAYS: days.default(180),
  /** Days that what portfolios were worth each minute is kept: at least the longest look back. */
  RISK_POINT_DAYS: days.min(365).default(365),
  /** Days that alerts are kept which are over. */
  RISK_ALERT_DAYS: days.default(90),
  /** Days that breaches are kept which are over: at least as long as their alerts. */
  RISK_BREACH_DAYS: days.default(365),
  /** Days that results of stress tests are kept. */
  RISK_STRESS_TEST_DAYS: days.default(365),
});

export interface RiskSettings {
  metricDays: number;
  snapshotDays: number;
  pointDays: number;
  alertDays: number;
  breachDays: number;
  stressTestDays: number;
}

/** Reads the settings; throws one error that lists every value that does not fit. */
export function readSettings(environment: NodeJS.ProcessEnv): RiskSettings {
  const values = checkSettings(schema, environment);
  return {
    metricDays: values.RISK_METRIC_DAYS,
    snapshotDays: values.RISK_SNAPSHOT_DAYS,
    pointDays: values.RISK_POINT_DAYS,
    alertDays: values.RISK_ALERT_DAYS,
    breachDays: values.RISK_BREACH_DAYS,
    stressTestDays: values.RISK_STRESS_TEST_DAYS,
  };
}

export const settings = readSettings(process.env);
