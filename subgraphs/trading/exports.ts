/**
 * What of trading can be exported and imported: strategies before their orders, orders before their trades. Rows that were
 * archived are kinds of their own.
 */
import type { TransferKind } from '../../platform/transfer/kind.ts';

const OWNERS = { strategyId: 'strategy_id', accountId: 'account_id' };

const orders = { key: ['order_id'], time: 'created_at', filters: { ...OWNERS, symbol: 'instrument_id' } };
const trades = { key: ['trade_id'], time: 'executed_at', filters: { ...OWNERS, symbol: 'instrument_id' } };
const positions = { key: ['position_id'], time: 'opened_at', filters: { ...OWNERS, symbol: 'instrument_id' } };

export const exports: readonly TransferKind[] = [
  { name: 'strategies', table: 'strategies', key: ['strategy_id'], time: 'created_at', filters: OWNERS },
  { name: 'orders', table: 'orders', ...orders },
  { name: 'trades', table: 'trades', ...trades },
  { name: 'positions', table: 'positions', ...positions },
  {
    name: 'managed-trades',
    table: 'managed_trades',
    key: ['trade_id'],
    time: 'entry_time',
    filters: { ...OWNERS, symbol: 'symbol' },
  },
  { name: 'archived-orders', table: 'orders_archive', ...orders },
  { name: 'archived-trades', table: 'trades_archive', ...trades },
  { name: 'archived-positions', table: 'positions_archive', ...positions },
];
