/** What a run comes to, gathered while its bars go by. Figures are made by the same rules as those of real trading. */
import { type Decimal, dec, round8, sampleDeviation, sum } from '../../../../platform/decimal.ts';
import { returnsOf, sharpeRatio, sortinoRatio } from '../../analytics/rules/returns.ts';
import { figuresOf } from '../../analytics/rules/round-trips.ts';
import type { SimulatedTrade } from './simulation.ts';

export interface EquityAt {
  /** Milliseconds since 1970. */
  at: number;
  equity: Decimal;
}

/** Decimals as text, rounded half-even to 8 places; null where a formula has no value. */
export interface BacktestMetrics {
  totalReturn: string;
  realizedPnl: string;
  unrealizedPnl: string;
  volatility: string | null;
  sharpeRatio: string | null;
  sortinoRatio: string | null;
  maxDrawdown: string;
  tradeCount: number;
  volume: string;
  commission: string;
  closedPositionCount: number;
  winRate: string | null;
  profitFactor: string | null;
  expectancy: string | null;
  barCount: number;
}

/** Points of the curve that are kept at most; of longer runs every second, every fourth … */
const POINTS_LIMIT = 4_000;

const DAY_MS = 86_400_000;

/** Crypto trades every day of the year. */
const PERIODS_PER_YEAR = 365;

export class Tally {
  readonly trades: SimulatedTrade[] = [];
  private readonly capital: Decimal;
  private points: EquityAt[] = [];
  private stride = 1;
  private seen = 0;
  private bars = 0;
  private last: EquityAt | null = null;
  private peak: Decimal;
  private drawdown = dec(0);
  /** Equity at the end of each UTC day so far. */
  private readonly daily: { day: number; equity: Decimal }[] = [];

  constructor(capital: Decimal) {
    this.capital = capital;
    this.peak = capital;
  }

  /** The equity after the bars that end at that instant. */
  add(point: EquityAt, barCount: number, trades: readonly SimulatedTrade[]): void {
    this.bars += barCount;
    this.last = point;
    this.trades.push(...trades);
    this.fall(point.equity);
    const day = Math.ceil(point.at / DAY_MS);
    if (this.daily.at(-1)?.day === day) this.daily.pop();
    this.daily.push({ day, equity: point.equity });
    if (this.seen++ % this.stride === 0) this.points.push(point);
    if (this.points.length < POINTS_LIMIT) return;
    this.points = this.points.filter((_, i) => i % 2 === 0);
    this.stride *= 2;
  }

  get finalEquity(): Decimal {
    return this.last?.equity ?? this.capital;
  }

  /** The curve, with its last point whatever the stride. */
  curve(): EquityAt[] {
    return this.last && this.points.at(-1) !== this.last ? [...this.points, this.last] : this.points;
  }

  /** @param closed realised P&L of each closed position @param unrealizedPnl of those that are open at the end */
  metrics(closed: readonly Decimal[], unrealizedPnl: Decimal): BacktestMetrics {
    const terms = { riskFree: dec(0), periodsPerYear: PERIODS_PER_YEAR };
    const returns = returnsOf([this.capital, ...this.daily.map(({ equity }) => equity)]);
    const gains = closed.filter((pnl) => pnl.gt(0));
    const losses = closed.filter((pnl) => pnl.lt(0));
    const { winRate, profitFactor, expectancy } = figuresOf({
      closed: closed.length,
      winners: gains.length,
      losers: losses.length,
      gains: sum(gains),
      losses: sum(losses),
    });
    return {
      totalReturn: shown(this.finalEquity.div(this.capital).minus(1)),
      realizedPnl: shown(sum(this.trades.map((trade) => trade.realizedPnl))),
      unrealizedPnl: shown(unrealizedPnl),
      volatility: shownIf(returns && sampleDeviation(returns)),
      sharpeRatio: shownIf(returns && sharpeRatio(returns, terms)),
      sortinoRatio: shownIf(returns && sortinoRatio(returns, terms)),
      maxDrawdown: shown(this.drawdown),
      tradeCount: this.trades.length,
      volume: shown(sum(this.trades.map(({ quantity, price }) => round8(quantity.times(price))))),
      commission: shown(sum(this.trades.map((trade) => trade.commission))),
      closedPositionCount: closed.length,
      winRate: shownIf(winRate),
      profitFactor: shownIf(profitFactor),
      expectancy: shownIf(expectancy),
      barCount: this.bars,
    };
  }

  private fall(equity: Decimal): void {
    if (equity.gt(this.peak)) this.peak = equity;
    const fall = this.peak.minus(equity).div(this.peak);
    if (fall.gt(this.drawdown)) this.drawdown = fall;
  }
}

function shown(value: Decimal): string {
  return round8(value).toFixed();
}

function shownIf(value: Decimal | null): string | null {
  return value && shown(value);
}
