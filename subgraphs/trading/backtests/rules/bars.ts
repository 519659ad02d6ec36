/** Bars as a backtest sees them. */
import type { Decimal } from '../../../../platform/decimal.ts';

export interface Bar {
  /** Milliseconds since 1970. */
  start: number;
  end: number;
  open: Decimal;
  high: Decimal;
  low: Decimal;
  close: Decimal;
}

/** How long the bars of each interval are. */
export const BAR_MS = {
  M1: 60_000,
  M5: 300_000,
  M15: 900_000,
  H1: 3_600_000,
  H4: 14_400_000,
  D1: 86_400_000,
} as const;

export type BarInterval = keyof typeof BAR_MS;
