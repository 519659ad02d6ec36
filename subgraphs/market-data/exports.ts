/** What of market data can be exported and imported: assets before instruments, instruments before their candles. */
import type { TransferKind } from '../../platform/transfer/kind.ts';

export const exports: readonly TransferKind[] = [
  { name: 'assets', table: 'assets', key: ['code'], time: 'created_at' },
  { name: 'instruments', table: 'symbols', key: ['symbol_id'], time: 'created_at', filters: { symbol: 'symbol' } },
  {
    name: 'candles',
    table: 'candles',
    key: ['candle_id', 'start_time'],
    time: 'start_time',
    filters: { symbol: 'symbol', interval: 'interval' },
    ensurePartitions: 'ensure_candle_partitions',
  },
];
