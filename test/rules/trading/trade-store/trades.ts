/** Managed trades for the tests of their rules. */
import type { ManagedTrade } from '../../../../subgraphs/trading/trade-store/rules/managed-trade.ts';
import { newTrade, type TradeTerms } from '../../../../subgraphs/trading/trade-store/rules/steps.ts';

export const START = '2026-01-01T00:00:00Z';
export const END = '2026-01-02T00:00:00Z';

export function opened(terms: Partial<TradeTerms> = {}): ManagedTrade {
  const whole = { tradeId: 't', symbol: 'BTC-USD', side: 'long' as const, quantity: '1', entryPrice: '100', ...terms };
  return newTrade({ ...whole, entryTime: START }, START);
}
