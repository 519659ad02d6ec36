/** What closed positions say of a strategy (domain.md §12.5). */
import { type Decimal, dec } from '../../../../platform/decimal.ts';

/** Closed positions, each counted by its realised P&L. */
export interface RoundTrips {
  closed: number;
  /** Those that realised more than nothing. */
  winners: number;
  /** Those that realised less. */
  losers: number;
  /** Sum of the winners' P&L, zero or more. */
  gains: Decimal;
  /** Sum of the losers' P&L, zero or less. */
  losses: Decimal;
}

export interface RoundTripFigures {
  /** Winners ÷ closed; null when none was closed. */
  winRate: Decimal | null;
  /** Gains ÷ |losses|; null when nothing was lost. */
  profitFactor: Decimal | null;
  /** Mean P&L of a closed position; null when none was closed. */
  expectancy: Decimal | null;
  averageWin: Decimal | null;
  /** Zero or less. */
  averageLoss: Decimal | null;
}

export function figuresOf({ closed, winners, losers, gains, losses }: RoundTrips): RoundTripFigures {
  return {
    winRate: closed === 0 ? null : dec(winners).div(closed),
    profitFactor: losses.isZero() ? null : gains.div(losses.abs()),
    expectancy: closed === 0 ? null : gains.plus(losses).div(closed),
    averageWin: winners === 0 ? null : gains.div(winners),
    averageLoss: losers === 0 ? null : losses.div(losers),
  };
}
