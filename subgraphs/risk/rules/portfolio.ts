/** What a portfolio is exposed to, in USD (domain.md §12.4). */
import { type Decimal, sum, ZERO } from '../../../platform/decimal.ts';

/** An open position with its price turned into USD. It does not change: what moves is another one. */
export interface Holding {
  positionId: string;
  strategyId: string;
  accountId: string;
  instrumentId: string;
  base: string;
  quote: string;
  quantity: Decimal;
  averageEntryPrice: Decimal;
  /** In quote units. */
  price: Decimal;
  /** USD for one unit of the quote; null where nothing says what it is worth. */
  quoteRate: Decimal | null;
  unrealizedPnl: Decimal;
  realizedPnl: Decimal;
  /** When the price was made. */
  pricedAt: string;
}

/** What a position is worth in USD, signed; 0 where its quote has no price. */
export function worthOf({ quantity, price, quoteRate }: Holding): Decimal {
  return quoteRate === null ? ZERO : quantity.times(price).times(quoteRate);
}

export function grossExposure(holdings: readonly Holding[]): Decimal {
  return sum(holdings.map((holding) => worthOf(holding).abs()));
}

export function netExposure(holdings: readonly Holding[]): Decimal {
  return sum(holdings.map(worthOf));
}

/** gross ÷ equity; null where there is no equity, which is no leverage of 0. */
export function leverageOf(gross: Decimal, equity: Decimal | null): Decimal | null {
  return equity?.gt(0) ? gross.div(equity) : null;
}

/** |value| ÷ gross; null where nothing is held. */
export function concentrationOf(value: Decimal, gross: Decimal): Decimal | null {
  return gross.isZero() ? null : value.abs().div(gross);
}

/** Holdings of several strategies in one instrument, taken together. */
export function byInstrument(holdings: readonly Holding[]): Map<string, Holding[]> {
  return Map.groupBy(holdings, ({ instrumentId }) => instrumentId);
}

/** Units of each asset that the positions come to: base += q, quote −= q × price. */
export function deltas(holdings: readonly Holding[]): Map<string, Decimal> {
  const units = new Map<string, Decimal>();
  const add = (asset: string, amount: Decimal) => units.set(asset, (units.get(asset) ?? ZERO).plus(amount));
  for (const { base, quote, quantity, price } of holdings) {
    add(base, quantity);
    add(quote, quantity.times(price).neg());
  }
  return units;
}

export const RISK_LEVELS = ['low', 'medium', 'high', 'critical'] as const;
export type RiskLevel = (typeof RISK_LEVELS)[number];

/** Levels from which on leverage, and value at risk as a share of equity, are what the name says (U). */
const LEVELS: readonly [RiskLevel, leverage: number, riskShare: string][] = [
  ['critical', 20, '0.5'],
  ['high', 10, '0.3'],
  ['medium', 5, '0.15'],
];

/** How dangerous a portfolio is as a whole. */
export function riskLevelOf(leverage: Decimal | null, valueAtRisk: Decimal | null, equity: Decimal | null): RiskLevel {
  const share = valueAtRisk && equity?.gt(0) ? valueAtRisk.div(equity) : null;
  const reached = LEVELS.find(([, mostLeverage, mostShare]) => leverage?.gt(mostLeverage) || share?.gt(mostShare));
  return reached?.[0] ?? 'low';
}
