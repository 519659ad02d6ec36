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
