/** What an open position is worth at a price (domain.md §12.2); the database computes the same of what it stores. */
import { dec, round8 } from '../../../platform/decimal.ts';

export interface Mark {
  /** Quote units. */
  price: string;
  /** When the price was made, RFC 3339. */
  at: string;
}

export interface Marked {
  quantity: string;
  averageEntryPrice: string;
  realizedPnl: string;
  currentPrice: string;
  markedAt: string;
  marketValue: string;
  exposure: string;
  unrealizedPnl: string;
  totalPnl: string;
}

/** The position at the mark; as it is when its own mark is as new, or newer. */
export function valueAt<Position extends Marked>(position: Position, mark: Mark | undefined): Position {
  if (!mark || Date.parse(mark.at) <= Date.parse(position.markedAt)) return position;
  const price = dec(mark.price);
  const marketValue = round8(price.times(position.quantity));
  const unrealizedPnl = round8(price.minus(position.averageEntryPrice).times(position.quantity));
  return {
    ...position,
    currentPrice: mark.price,
    markedAt: mark.at,
    marketValue: marketValue.toFixed(),
    exposure: marketValue.abs().toFixed(),
    unrealizedPnl: unrealizedPnl.toFixed(),
    totalPnl: unrealizedPnl.plus(position.realizedPnl).toFixed(),
  };
}

/** A mark is stale once it is older: its market has been silent, or the way to it is interrupted. */
const STALE_AFTER_MS = 30_000; // 30 seconds

const MAX_AGE_MS = 2_147_483_647; // the largest Int of GraphQL

/** Age of a mark in milliseconds, never negative, at most the largest Int. */
export function markAgeMs(markedAt: string, now: Date): number {
  return Math.min(Math.max(now.getTime() - Date.parse(markedAt), 0), MAX_AGE_MS);
}

export function isStaleMark(markedAt: string, now: Date): boolean {
  return markAgeMs(markedAt, now) > STALE_AFTER_MS;
}
