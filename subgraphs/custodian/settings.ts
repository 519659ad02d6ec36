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
});

export interface CustodianSettings {
  followTrades: boolean;
  settle: boolean;
  tradeRail: 'CRYPTO_INTERNAL' | 'CRYPTO_EXTERNAL';
  reconcileSeconds: number;
  velocityLimitUsd: number;
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
  };
}

export const settings = readSettings(process.env);
