/** Prices that might have been: five ways to go on from a series of closes, each drawn from a seed. */
import { noise } from '../../rules/seeded-noise.ts';
import { deviation, distributionDistance, mean, pearson } from './statistics.ts';

export type SimulationType =
  | 'STATISTICAL_SIMILARITY'
  | 'MONTE_CARLO'
  | 'BROWNIAN_MOTION'
  | 'MEAN_REVERSION'
  | 'TREND_FOLLOWING';

export interface SimulationPlan {
  type: SimulationType;
  /** Points to draw. */
  count: number;
  volatilityFactor: number;
  trendFactor: number;
  /** Share of the usual move by which each point is off; 0 for none. */
  noiseLevel: number;
  seed: number;
}

/** A path is drawn in logarithms, and never leaves what a price can be. */
const LOG_RANGE = 20;
/** Share of its distance from the mean that a reverting price makes good with each step. */
const REVERSION = 0.1;
/** Share of the last move that a trend repeats. */
const MOMENTUM = 0.3;
/** Paths of which the one that ends in the middle is taken. */
const PATHS = 101;

/** Draws the prices that follow the last of `closes` (at least three, oldest first). */
export function simulate(closes: readonly number[], plan: SimulationPlan): number[] {
  const returns = returnsOf(closes);
  const last = closes.at(-1) ?? 1;
  const draw = new Draws(plan.seed);
  const usual = { drift: mean(returns), spread: deviation(returns) };
  const path = plan.type === 'MONTE_CARLO' ? middlePath(usual, plan, draw) : pathOf(closes, returns, usual, plan, draw);
  return path.map((log) => {
    const off = plan.noiseLevel === 0 ? 0 : plan.noiseLevel * usual.spread * draw.normal();
    return last * Math.exp(Math.min(Math.max(log + off, -LOG_RANGE), LOG_RANGE));
  });
}

interface Usual {
  drift: number;
  spread: number;
}

/** Logarithms of the prices over the last one. */
function pathOf(
  closes: readonly number[],
  returns: readonly number[],
  { drift, spread }: Usual,
  { type, count, volatilityFactor, trendFactor }: SimulationPlan,
  draw: Draws,
): number[] {
  const trend = drift * trendFactor;
  const move = spread * volatilityFactor;
  const middle = mean(closes.map(Math.log)) - Math.log(closes.at(-1) ?? 1);
  const path: number[] = [];
  let [at, before] = [0, trend];
  for (let i = 0; i < count; i++) {
    let step: number;
    if (type === 'STATISTICAL_SIMILARITY') {
      const drawn = returns[Math.floor(draw.uniform() * returns.length)] ?? drift;
      step = trend + (drawn - drift) * volatilityFactor;
    } else if (type === 'MEAN_REVERSION') step = REVERSION * (middle + trend * i - at) + move * draw.normal();
    else if (type === 'TREND_FOLLOWING') {
      step = trend + MOMENTUM * (before - trend) + move * Math.sqrt(1 - MOMENTUM ** 2) * draw.normal();
    } else step = trend + move * draw.normal();
    before = step;
    at += step;
    path.push(at);
  }
  return path;
}

/** Of many walks the one whose end lies in the middle. */
function middlePath({ drift, spread }: Usual, plan: SimulationPlan, draw: Draws): number[] {
  const paths = Array.from({ length: PATHS }, () =>
    pathOf([1], [drift], { drift, spread }, { ...plan, type: 'BROWNIAN_MOTION' }, draw),
  );
  paths.sort((a, b) => (a.at(-1) ?? 0) - (b.at(-1) ?? 0));
  return paths[Math.floor(PATHS / 2)] ?? [];
}

/** How much a simulated series is like the historical one; each from 0 (not at all) to 1, the correlation from -1. */
export interface Similarity {
  /** Of the returns, first with first; null where one side never moves. */
  correlation: number | null;
  volatility: number;
  returnDistribution: number;
  trend: number;
  /** Mean of the others, a correlation below 0 counting as 0. */
  confidence: number;
}

export function similarityOf(historical: readonly number[], simulated: readonly number[]): Similarity {
  const [a, b] = [returnsOf(historical), returnsOf(simulated)];
  const count = Math.min(a.length, b.length);
  const correlation = pearson(a.slice(-count), b.slice(-count));
  const volatility = likeness(deviation(a), deviation(b));
  const returnDistribution = 1 - distributionDistance(a, b);
  // Two trends differ as much as the spread makes them: within it they are alike.
  const spread = deviation(a) / Math.sqrt(a.length) || Number.MIN_VALUE;
  const trend = 1 / (1 + Math.abs(mean(a) - mean(b)) / spread);
  const parts = [Math.max(correlation ?? 0, 0), volatility, returnDistribution, trend];
  return { correlation, volatility, returnDistribution, trend, confidence: mean(parts) };
}

function likeness(a: number, b: number): number {
  const larger = Math.max(a, b);
  return larger === 0 ? 1 : Math.min(a, b) / larger;
}

function returnsOf(prices: readonly number[]): number[] {
  return prices.slice(1).map((price, i) => Math.log(price / (prices[i] as number)));
}

/** Random numbers of a seed, one after the other. */
class Draws {
  private readonly seed: number;
  private drawn = 0;

  constructor(seed: number) {
    this.seed = seed;
  }

  /** From 0, below 1. */
  uniform(): number {
    return Math.min((noise(this.seed, this.drawn++) + 1) / 2, 1 - Number.EPSILON);
  }

  /** Of mean 0 and deviation 1, by Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
}
