/** Trading's own settings, read once from the environment. */
import { z } from 'zod';
import { checkSettings } from '../../platform/config.ts';

/** Days after which what is over is archived; 0 for none but by command (domain.md §1.13). */
const days = z.coerce.number().int().min(0).max(36_500);

const schema = z.object({
  /** How long after it was placed an order may be sent that is to be executed at once, in seconds. */
  TRADING_SEND_WITHIN_SECONDS: z.coerce.number().int().min(1).max(3_600).default(30),
  /** Whether risk is asked before an order is placed. */
  TRADING_PRE_TRADE_CHECK: z.enum(['on', 'off']).default('off'),
  /** How long risk may take to answer before the order is refused, in milliseconds. */
  TRADING_PRE_TRADE_TIMEOUT_MS: z.coerce.number().int().min(1).max(60_000).default(100),
  TRADING_ORDER_DAYS: days.default(90),
  TRADING_TRADE_DAYS: days.default(365),
  TRADING_POSITION_DAYS: days.default(180),
});

/** How long things are kept where they are worked with; 0 for ever. */
export interface ArchiveDays {
  orders: number;
  trades: number;
  positions: number;
}

export interface TradingSettings {
  sendWithinMs: number;
  asksRisk: boolean;
  riskTimeoutMs: number;
  archiveDays: ArchiveDays;
}

/** Reads the settings; throws one error that lists every value that does not fit. */
export function readSettings(environment: NodeJS.ProcessEnv): TradingSettings {
  const values = checkSettings(schema, environment);
  return {
    sendWithinMs: values.TRADING_SEND_WITHIN_SECONDS * 1_000,
    asksRisk: values.TRADING_PRE_TRADE_CHECK === 'on',
    riskTimeoutMs: values.TRADING_PRE_TRADE_TIMEOUT_MS,
    archiveDays: {
      orders: values.TRADING_ORDER_DAYS,
      trades: values.TRADING_TRADE_DAYS,
      positions: values.TRADING_POSITION_DAYS,
    },
  };
}

export const settings = readSettings(process.env);
