/** What of trading can be exported and imported: strategies before their orders, orders before their trades. */
import type { TransferKind } from '../../platform/transfer/kind.ts';

const OF_STRATEGY = { strategyId: 'strategy_id', accountId: 'account_id', symbol: 'instrument_id' };

export const exports: readonly TransferKind[] = [
  {
    name: 'strategies',
    table: 'strategies',
    key: ['strategy_id'],
    time: 'created_at',
    filters: { strategyId: 'strategy_id', accountId: 'account_id' },
  },
  { name: 'orders', table: 'orders', key: ['order_id'], time: 'created_at', filters: OF_STRATEGY },
  { name: 'trades', table: 'trades', key: ['trade_id'], time: 'executed_at', filters: OF_STRATEGY },
  { name: 'positions', table: 'positions', key: ['position_id'], time: 'opened_at', filters: OF_STRATEGY },
];
