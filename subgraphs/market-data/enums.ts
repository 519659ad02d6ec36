/** How GraphQL's enum values are stored (domain.md §2.1), and back. */
import type { AssetKind, CandleInterval, InstrumentKind } from './generated/resolvers.ts';
import type { Interval } from './rules/candle-intervals.ts';

const INTERVAL_STORED: Record<CandleInterval, Interval> = {
  M1: '1m',
  M5: '5m',
  M15: '15m',
  H1: '1h',
  H4: '4h',
  D1: '1d',
};

const INTERVAL_SHOWN: Record<Interval, CandleInterval> = {
  '1m': 'M1',
  '5m': 'M5',
  '15m': 'M15',
  '1h': 'H1',
  '4h': 'H4',
  '1d': 'D1',
};

export function storedInterval(interval: CandleInterval): Interval {
  return INTERVAL_STORED[interval];
}

export function shownInterval(interval: Interval): CandleInterval {
  return INTERVAL_SHOWN[interval];
}

/** Kinds are stored in lower case. */
export function storedKind<Kind extends AssetKind | InstrumentKind>(kind: Kind): Lowercase<Kind> {
  return kind.toLowerCase() as Lowercase<Kind>;
}

export function shownKind<Kind extends Lowercase<AssetKind | InstrumentKind>>(kind: Kind): Uppercase<Kind> {
  return kind.toUpperCase() as Uppercase<Kind>;
}
