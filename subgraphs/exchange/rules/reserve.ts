/** What an order sets aside of its account's balance while it lives (domain.md §3.5). */
import { type Decimal, dec, round8 } from '../../../platform/decimal.ts';
import { ZERO } from './money.ts';

export interface FeeRates {
  /** Fraction of an execution's value when the order rested: 0.001 is 0.1 %. */
  maker: Decimal;
  /** Fraction of an execution's value when the order met a resting one. */
  taker: Decimal;
}

/**
 * How far above its stop price a triggered buy may pay, as a fraction. Its funds are set aside before anybody knows the
 * price at which it will execute, so there has to be one.
 */
export const STOP_SLIPPAGE_CAP = dec('0.05');

interface Reserving {
  type: 'MARKET' | 'LIMIT' | 'STOP';
  side: 'BUY' | 'SELL';
  /** What is still to be executed, in units of the base asset. */
  quantity: Decimal;
  price: Decimal | null;
  stopPrice: Decimal | null;
}

/** The worst price at which the order may execute; null when any will do. */
export function worstPrice(order: Pick<Reserving, 'side' | 'price' | 'stopPrice'>): Decimal | null {
  if (order.price !== null) return order.price;
  if (order.stopPrice === null || order.side === 'SELL') return null;
  return round8(order.stopPrice.times(STOP_SLIPPAGE_CAP.plus(1)));
}

/**
 * What a LIMIT or STOP order reserves. A sell: its quantity, of the base asset. A buy: quantity × worst price ×
 * (1 + fee rate) of the quote asset, rounded half-even to 8 places, with the higher of the two rates since the order may
 * take now and make later. A MARKET order never rests and reserves nothing.
 */
export function reserveFor(order: Reserving, rates: FeeRates): Decimal {
  const price = worstPrice(order);
  if (order.type === 'MARKET') return ZERO;
  if (order.side === 'SELL') return order.quantity;
  if (price === null) throw new Error(`A ${order.type} buy must have a price`);
  const rate = rates.maker.gt(rates.taker) ? rates.maker : rates.taker;
  return round8(order.quantity.times(price).times(rate.plus(1)));
}
