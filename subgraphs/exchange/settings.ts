/** The exchange's own settings, read once from the environment. */
import { z } from 'zod';
import { checkSettings } from '../../platform/config.ts';
import { dec } from '../../platform/decimal.ts';
import type { FeeRates } from './rules/reserve.ts';

/** A fraction of an execution's value, at most 10 %, with the 8 fractional digits that are stored. */
const rate = z
  .string()
  .regex(/^0(\.\d{1,8})?$/, 'must be a fraction from 0 to 0.1, for example 0.001')
  .refine((text) => dec(text).lte('0.1'), 'must be at most 0.1')
  .default('0.001');

const schema = z.object({
  /** Fee on executions where an order rested, as a fraction of their value. */
  EXCHANGE_MAKER_FEE_RATE: rate,
  /** Fee on executions where an order met a resting one, as a fraction of their value. */
  EXCHANGE_TAKER_FEE_RATE: rate,
  /** Whether only accounts with an approved KYC may place orders. */
  EXCHANGE_REQUIRE_KYC: z.stringbool().default(false),
});

export interface ExchangeSettings {
  /** New orders are taken on these; an order keeps the rates it was taken on. */
  rates: FeeRates;
  requireKyc: boolean;
}

/** Reads the settings; throws one error that lists every value that does not fit. */
export function readSettings(environment: NodeJS.ProcessEnv): ExchangeSettings {
  const values = checkSettings(schema, environment);
  return {
    rates: { maker: dec(values.EXCHANGE_MAKER_FEE_RATE), taker: dec(values.EXCHANGE_TAKER_FEE_RATE) },
    requireKyc: values.EXCHANGE_REQUIRE_KYC,
  };
}

export const settings = readSettings(process.env);
