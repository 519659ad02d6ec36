/** The strategies that the simulator lets trade, and what they do next: now this way, now that, back to where they were. */
import { type Decimal, dec } from '../../platform/decimal.ts';
import type { Terms } from './markets.ts';
import type { Side } from './quoting.ts';
import type { Random } from './random.ts';
import { onStep } from './walk.ts';

/** How a strategy trades. Quantities in units of the base asset. */
export interface Habits {
  strategyId: string;
  symbol: string;
  /** The position it returns to: the demo's. */
  home: string;
  /** How far it goes from there either way, open orders included. */
  reach: string;
  /** What it usually trades: so little that fees take months to matter. */
  quantity: number;
}

export const STRATEGIES: readonly Habits[] = [
  { strategyId: 'btc-trend', symbol: 'BTC-USD', home: '2.5', reach: '0.05', quantity: 0.0012 },
  { strategyId: 'eth-reversion', symbol: 'ETH-USD', home: '20', reach: '0.8', quantity: 0.022 },
];

/** Where a strategy stands. */
export interface Standing {
  position: Decimal;
  /** What its live orders have still to buy, and to sell. */
  toBuy: Decimal;
  toSell: Decimal;
  fairPrice: Decimal;
  terms: Terms;
}

export interface Intention {
  side: Side;
  quantity: Decimal;
  price: Decimal;
  /** IOC: takes what the book offers. GTC: rests. */
  timeInForce: 'IOC' | 'GTC';
}

/** How many of its orders are to be executed at once. */
const TAKING_SHARE = 0.6;
/** How far beyond the price an order that is to be executed at once may go, as a fraction. */
const TAKING_REACH = 0.003;
/** Between which distances from the price an order rests, as fractions. */
const RESTING_REACH = [0.00002, 0.0006] as const;

/** What the strategy does now; null when that would lead it out of its reach. */
export function intend({ home, reach, quantity: usual }: Habits, standing: Standing, random: Random): Intention | null {
  const { position, toBuy, toSell, fairPrice, terms } = standing;
  const away = position.minus(home).div(reach).toNumber();
  const side = random.chance(0.5 - away / 2) ? 'BUY' : 'SELL';
  const quantity = onStep(usual * random.between(0.4, 1.6), terms.quantityStep);
  // What it offers itself it cannot take: an order never meets one of its own account.
  const takes = random.chance(TAKING_SHARE) && (side === 'BUY' ? toSell : toBuy).isZero();
  const distance = takes ? -TAKING_REACH : random.between(...RESTING_REACH);
  const direction = side === 'BUY' ? -1 : 1;
  const price = onStep(fairPrice.toNumber() * (1 + direction * distance), terms.priceStep);
  const farthest = side === 'BUY' ? position.plus(toBuy).plus(quantity) : position.minus(toSell).minus(quantity);
  const isWithin = side === 'BUY' ? farthest.lte(dec(home).plus(reach)) : farthest.gte(dec(home).minus(reach));
  return isWithin ? { side, quantity, price, timeInForce: takes ? 'IOC' : 'GTC' } : null;
}
