/** What a sudden move of prices would cost (domain.md §12.5). */
import { type Decimal, dec, sum } from '../../../platform/decimal.ts';

export interface StressScenario {
  name: string;
  description: string;
  /** Relative move of the price of each asset: −0.3 takes 30 % off. */
  shocks: Readonly<Record<string, string>>;
  /** The move of assets that are not named. */
  otherShock: string;
}

/** What is run when nobody names scenarios. Currencies that stand for a dollar move only where they are named. */
export const STRESS_SCENARIOS: readonly StressScenario[] = [
  {
    name: 'crypto-crash',
    description: 'Every coin loses a third in a day, as in March 2020.',
    shocks: { BTC: '-0.35', ETH: '-0.45', USD: '0', USDT: '0', USDC: '0' },
    otherShock: '-0.5',
  },
  {
    name: 'bitcoin-drop',
    description: 'Bitcoin loses a fifth, others follow half way.',
    shocks: { BTC: '-0.2', ETH: '-0.1', USD: '0', USDT: '0', USDC: '0' },
    otherShock: '-0.1',
  },
  {
    name: 'short-squeeze',
    description: 'Every coin gains a quarter in a day.',
    shocks: { BTC: '0.25', ETH: '0.3', USD: '0', USDT: '0', USDC: '0' },
    otherShock: '0.3',
  },
  {
    name: 'stablecoin-depeg',
    description: 'Tether loses its peg.',
    shocks: { USDT: '-0.1', USDC: '-0.05', USD: '0', BTC: '-0.05', ETH: '-0.05' },
    otherShock: '-0.1',
  },
];

export interface StressedHolding {
  asset: string;
  /** In USD, signed. */
  value: Decimal;
}

export interface StressOutcome {
  /** Positive where money is lost. */
  loss: Decimal;
  /** Share of the equity before; null where there is none. */
  lossRatio: Decimal | null;
  equityAfter: Decimal | null;
  /** The equity left would not carry the exposure. */
  isMarginCall: boolean;
  /** Nothing would be left. */
  isLiquidated: boolean;
}

/** Equity that an exposure needs, as a share of it. */
const MAINTENANCE = dec('0.05');

/**
 * loss = −Σ value × shock of the asset.
 * @param equity in USD; null where it is not known
 */
export function stressed(
  holdings: readonly StressedHolding[],
  equity: Decimal | null,
  { shocks, otherShock }: Pick<StressScenario, 'shocks' | 'otherShock'>,
): StressOutcome {
  const shockOf = (asset: string) => dec(shocks[asset] ?? otherShock);
  const loss = sum(holdings.map(({ asset, value }) => value.times(shockOf(asset)))).neg();
  const exposureAfter = sum(holdings.map(({ asset, value }) => value.times(shockOf(asset).plus(1)).abs()));
  const equityAfter = equity === null ? null : equity.minus(loss);
  return {
    loss,
    lossRatio: equity?.gt(0) ? loss.div(equity) : null,
    equityAfter,
    isMarginCall: equityAfter?.lt(exposureAfter.times(MAINTENANCE)) ?? false,
    isLiquidated: loss.gt(0) && (equityAfter?.lte(0) ?? false),
  };
}
