/** Positions by the average-cost method (domain.md §12.2). */
import { Decimal, dec, round8 } from '../../../platform/decimal.ts';
import type { Side } from './order-entry.ts';

/** A position as far as cost goes. */
export interface Holding {
  /** Signed: positive is long, negative is short, zero is closed. */
  quantity: Decimal;
  averageEntryPrice: Decimal;
  /** Gains and losses taken since the position was opened, less its commissions. */
  realizedPnl: Decimal;
}

export interface Execution {
  side: Side;
  /** Above zero. */
  quantity: Decimal;
  /** Above zero. */
  price: Decimal;
  /** Zero or more. */
  commission: Decimal;
}

export interface TradeEffect {
  /** The position that was there, after the trade; null when there was none. Its quantity is zero when it closed. */
  held: Holding | null;
  /** The position the trade opened, from nothing or by a flip; null when it opened none. */
  opened: Holding | null;
  /** What the trade realised: what it adds to the realised P&L of the positions together. */
  realizedPnl: Decimal;
}

/**
 * What a trade does to the open position of its strategy and instrument. A trade against the position realises the
 * difference to the average entry price and leaves that price alone. One larger than the position is a flip: it
 * closes the position, which bears the whole commission, and opens another with the remainder at the trade's price.
 */
export function applyTrade(position: Holding | null, trade: Execution): TradeEffect {
  const change = trade.side === 'buy' ? trade.quantity : trade.quantity.negated();
  if (position === null) {
    const opened = { quantity: change, averageEntryPrice: trade.price, realizedPnl: trade.commission.negated() };
    return { held: null, opened, realizedPnl: opened.realizedPnl };
  }
  if (position.quantity.isPositive() === change.isPositive()) return increase(position, change, trade);
  return reduce(position, change, trade);
}

function increase(position: Holding, change: Decimal, trade: Execution): TradeEffect {
  const quantity = position.quantity.plus(change);
  const cost = position.quantity.times(position.averageEntryPrice).plus(change.times(trade.price));
  const realizedPnl = trade.commission.negated();
  const averageEntryPrice = round8(cost.div(quantity));
  return {
    held: { quantity, averageEntryPrice, realizedPnl: position.realizedPnl.plus(realizedPnl) },
    opened: null,
    realizedPnl,
  };
}

function reduce(position: Holding, change: Decimal, trade: Execution): TradeEffect {
  const closed = Decimal.min(position.quantity.abs(), change.abs());
  const direction = position.quantity.isPositive() ? 1 : -1;
  const gain = closed.times(trade.price.minus(position.averageEntryPrice)).times(direction);
  const realizedPnl = round8(gain).minus(trade.commission);
  const remainder = position.quantity.plus(change);
  const flips = remainder.isPositive() !== position.quantity.isPositive() && !remainder.isZero();
  return {
    held: {
      quantity: flips ? dec(0) : remainder,
      averageEntryPrice: position.averageEntryPrice,
      realizedPnl: position.realizedPnl.plus(realizedPnl),
    },
    opened: flips ? { quantity: remainder, averageEntryPrice: trade.price, realizedPnl: dec(0) } : null,
    realizedPnl,
  };
}
