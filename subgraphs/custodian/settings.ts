/** The custodian's own settings, read once from the environment. */
import { z } from 'zod';
import { checkSettings } from '../../platform/config.ts';

const schema = z.object({
  /** Whether trades of linked accounts become settlements by themselves. */
  CUSTODIAN_FOLLOW_TRADES: z.stringbool().default(true),
  /** Whether what is due is settled, and what has expired ended, by itself. */
  CUSTODIAN_SETTLE: z.stringbool().default(true),
  /** How trades are settled. */
  CUSTODIAN_TRADE_RAIL: z.enum(['CRYPTO_INTERNAL', 'CRYPTO_EXTERNAL']).default('CRYPTO_INTERNAL'),
  /** Seconds between reconciliations with the exchange; 0 for none by itself. */
  CUSTODIAN_RECONCILE_SECONDS: z.coerce.number().int().min(0).max(86_400).default(300),
  /** What one client may transfer within 24 hours, in US dollars. */
  CUSTODIAN_VELOCITY_LIMIT_USD: z.coerce.number().int().min(1).max(1_000_000_000_000).default(25_000_000),
  /** From this on a transfer to another owner must be looked at, in US dollars. */
  CUSTODIAN_AML_REVIEW_USD: z.coerce.number().int().min(1).max(1_000_000_000_000).default(10_000),
  /** So many transfers of a client within 24 hours that are at most a fifth below that are one cut in pieces. */
  CUSTODIAN_AML_STRUCTURING_COUNT: z.coerce.number().int().min(2).max(1_000).default(3),
  /** From this share of one asset in what a client keeps, in percent, somebody should look. */
  CUSTODIAN_CONCENTRATION_REVIEW_PERCENT: z.coerce.number().min(0).max(100).default(50),
  /** Above this share a transfer is rejected; 100 for never. */
  CUSTODIAN_CONCENTRATION_LIMIT_PERCENT: z.coerce.number().min(0).max(100).default(100),
});

export interface CustodianSettings {
  followTrades: boolean;
  settle: boolean;
  tradeRail: 'CRYPTO_INTERNAL' | 'CRYPTO_EXTERNAL';
  reconcileSeconds: number;
  velocityLimitUsd: number;
  amlReviewUsd: number;
  amlStructuringCount: number;
  concentrationReviewPercent: number;
  concentrationLimitPercent: number;
}

/** Reads the settings; throws one error that lists every value that does not fit. */
export function readSettings(environment: NodeJS.ProcessEnv): CustodianSettings {
  const values = checkSettings(schema, environment);
  return {
    followTrades: values.CUSTODIAN_FOLLOW_TRADES,
    settle: values.CUSTODIAN_SETTLE,
    tradeRail: values.CUSTODIAN_TRADE_RAIL,
    reconcileSeconds: values.CUSTODIAN_RECONCILE_SECONDS,
    velocityLimitUsd: values.CUSTODIAN_VELOCITY_LIMIT_USD,
    amlReviewUsd: values.CUSTODIAN_AML_REVIEW_USD,
    amlStructuringCount: values.CUSTODIAN_AML_STRUCTURING_COUNT,
    concentrationReviewPercent: values.CUSTODIAN_CONCENTRATION_REVIEW_PERCENT,
    concentrationLimitPercent: values.CUSTODIAN_CONCENTRATION_LIMIT_PERCENT,
  };
}

export const settings = readSettings(process.env);
