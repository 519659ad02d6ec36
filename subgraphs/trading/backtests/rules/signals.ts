/**
 * The strategies that can be tested: each looks at closed bars, one after the other, and says which way it wants to be.
 * They decide by exact sums, so that a run gives the same on every machine.
 */
import { type Decimal, dec } from '../../../../platform/decimal.ts';
import type { Bar } from './bars.ts';
import { Extremes } from './extremes.ts';
import type { BacktestType, Parameters } from './settings.ts';

/** Short, flat or long. */
export type Target = -1 | 0 | 1;

export interface Signals {
  /** What is wanted after this bar has closed. */
  next(bar: Bar): Target;
}

export function createSignals(type: BacktestType, parameters: Parameters): Signals {
  return MAKERS[type](parameters);
}

const MAKERS: Record<BacktestType, (parameters: Parameters) => Signals> = {
  trend_following: ({ fastPeriod, slowPeriod, allowShort }) =>
    new MovingAverages(Number(fastPeriod), Number(slowPeriod), allowShort === true),
  mean_reversion: ({ period, entryZ, exitZ, allowShort }) =>
    new Reversion(Number(period), dec(String(entryZ)), dec(String(exitZ)), allowShort === true),
  momentum: ({ entryPeriod, exitPeriod, allowShort }) =>
    new Breakout(Number(entryPeriod), Number(exitPeriod), allowShort === true),
};

/** The sums of the last values. */
class Window {
  sum = dec(0);
  squares = dec(0);
  private readonly values: Decimal[] = [];
  private readonly size: number;

  constructor(size: number) {
    this.size = size;
  }

  add(value: Decimal): void {
    this.values.push(value);
    this.sum = this.sum.plus(value);
    this.squares = this.squares.plus(value.times(value));
    if (this.values.length <= this.size) return;
    const gone = this.values.shift() as Decimal;
    this.sum = this.sum.minus(gone);
    this.squares = this.squares.minus(gone.times(gone));
  }

  get isFull(): boolean {
    return this.values.length === this.size;
  }
}

/** Long while the mean close of the last few bars is above that of many; otherwise flat, or short. */
class MovingAverages implements Signals {
  private readonly fast: Window;
  private readonly slow: Window;
  private readonly fastPeriod: number;
  private readonly slowPeriod: number;
  private readonly below: Target;
  private target: Target = 0;

  constructor(fastPeriod: number, slowPeriod: number, allowShort: boolean) {
    this.fastPeriod = fastPeriod;
    this.slowPeriod = slowPeriod;
    this.fast = new Window(fastPeriod);
    this.slow = new Window(slowPeriod);
    this.below = allowShort ? -1 : 0;
  }

  next({ close }: Bar): Target {
    this.fast.add(close);
    this.slow.add(close);
    if (!this.slow.isFull) return this.target;
    // The means compared without dividing: fast ÷ f against slow ÷ s.
    const difference = this.fast.sum.times(this.slowPeriod).cmp(this.slow.sum.times(this.fastPeriod));
    if (difference !== 0) this.target = difference > 0 ? 1 : this.below;
    return this.target;
  }
}

/**
 * Buys what has fallen far below its mean, in deviations of the last closes, until it is nearly back; with shorts allowed
 * it sells what has risen far above.
 */
class Reversion implements Signals {
  private readonly window: Window;
  private readonly period: number;
  private readonly entry: Decimal;
  private readonly exit: Decimal;
  private readonly allowShort: boolean;
  private target: Target = 0;

  constructor(period: number, entryZ: Decimal, exitZ: Decimal, allowShort: boolean) {
    this.window = new Window(period);
    this.period = period;
    this.entry = entryZ.times(entryZ);
    this.exit = exitZ.times(exitZ);
    this.allowShort = allowShort;
  }

  next({ close }: Bar): Target {
    const { window, period } = this;
    window.add(close);
    if (!window.isFull) return this.target;
    // z = distance ÷ deviation; both times the period, and squared, so that nothing is divided or rooted.
    const distance = close.times(period).minus(window.sum);
    const squared = distance.times(distance);
    const variance = window.squares.times(period).minus(window.sum.times(window.sum));
    if (variance.isZero()) return this.target;
    const isFar = squared.gte(variance.times(this.entry));
    const isBack = squared.lte(variance.times(this.exit));
    if (isFar && distance.isNegative()) this.target = 1;
    else if (isFar) this.target = this.allowShort ? -1 : 0;
    else if (isBack || this.hasCrossed(distance)) this.target = 0;
    return this.target;
  }

  /** Past the mean, on the other side than where it was bought or sold. */
  private hasCrossed(distance: Decimal): boolean {
    return this.target !== 0 && distance.isNegative() !== (this.target === 1);
  }
}

/**
 * Buys when a bar closes above everything that the bars of a longer time before it reached, and sells again when one
 * closes below what those of a shorter time reached; with shorts allowed the same the other way about.
 */
class Breakout implements Signals {
  private readonly entry: Extremes;
  private readonly exit: Extremes;
  private readonly allowShort: boolean;
  private target: Target = 0;

  constructor(entryPeriod: number, exitPeriod: number, allowShort: boolean) {
    this.entry = new Extremes(entryPeriod);
    this.exit = new Extremes(exitPeriod);
    this.allowShort = allowShort;
  }

  next(bar: Bar): Target {
    const { entry, exit } = this;
    if (entry.isFull) this.decide(bar.close);
    entry.add(bar);
    exit.add(bar);
    return this.target;
  }

  private decide(close: Decimal): void {
    const { entry, exit } = this;
    if (close.gt(entry.highest)) this.target = 1;
    else if (close.lt(entry.lowest) && this.allowShort) this.target = -1;
    else if (this.target === 1 && exit.isFull && close.lt(exit.lowest)) this.target = 0;
    else if (this.target === -1 && exit.isFull && close.gt(exit.highest)) this.target = 0;
  }
}
