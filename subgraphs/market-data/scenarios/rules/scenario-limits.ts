/** What each type of scenario does to a price, and how far it may go (domain.md §2.1, §2.5). */
import { type Decimal, dec } from '../../../../platform/decimal.ts';
import { refuse } from '../../../../platform/errors.ts';
import type { Pattern } from './price-effect.ts';

export type ScenarioType =
  | 'RALLY'
  | 'CRASH'
  | 'DIVERGENCE'
  | 'MEAN_REVERTING'
  | 'VOLATILITY_SPIKE'
  | 'CONSOLIDATION'
  | 'PRICE_SHOCK'
  | 'GRADUAL_DIVERGENCE'
  | 'FEED_DISRUPTION'
  | 'STABLECOIN_DEPEG'
  | 'CORRELATION_BREAK'
  | 'MARKET_CRASH';

export interface ScenarioLimits {
  pattern: Pattern;
  /** Deviation at an intensity of 1; its sign is the one that the type means. Of PULL: the strength of the pull. */
  base: string;
  /** Largest deviation either way. */
  most: string;
  /** Minutes from the start to the end of the recovery at most. */
  mostMinutes: number;
  /** Whether the deviation must build up gradually. */
  isGradualOnly?: boolean;
  /** Whether only the sign of `base` makes sense. */
  isOneWay?: boolean;
  leastSymbols?: number;
}

const HOUR = 60;
const QUARTER = '0.25';
/** The limit of types that name none of their own. */
const TWO_DAYS = 48 * HOUR;

export const SCENARIO_LIMITS: Record<ScenarioType, ScenarioLimits> = {
  RALLY: { pattern: 'SHIFT', base: '0.1', most: QUARTER, mostMinutes: TWO_DAYS, isOneWay: true },
  CRASH: { pattern: 'SHIFT', base: '-0.1', most: QUARTER, mostMinutes: TWO_DAYS, isOneWay: true },
  DIVERGENCE: { pattern: 'SHIFT', base: '0.05', most: QUARTER, mostMinutes: TWO_DAYS },
  MEAN_REVERTING: { pattern: 'OSCILLATION', base: '0.05', most: QUARTER, mostMinutes: TWO_DAYS },
  VOLATILITY_SPIKE: { pattern: 'NOISE', base: '0.05', most: QUARTER, mostMinutes: TWO_DAYS },
  CONSOLIDATION: { pattern: 'PULL', base: '0.5', most: '1', mostMinutes: TWO_DAYS, isOneWay: true },
  PRICE_SHOCK: { pattern: 'SHIFT', base: '-0.1', most: QUARTER, mostMinutes: 2 * HOUR },
  GRADUAL_DIVERGENCE: { pattern: 'SHIFT', base: '0.05', most: QUARTER, mostMinutes: TWO_DAYS, isGradualOnly: true },
  FEED_DISRUPTION: { pattern: 'PULL', base: '1', most: '1', mostMinutes: TWO_DAYS, isOneWay: true },
  STABLECOIN_DEPEG: {
    pattern: 'SHIFT',
    base: '-0.05',
    most: '0.1',
    mostMinutes: 72 * HOUR,
    isGradualOnly: true,
    isOneWay: true,
  },
  CORRELATION_BREAK: { pattern: 'SHIFT', base: '0.05', most: QUARTER, mostMinutes: TWO_DAYS, leastSymbols: 2 },
  MARKET_CRASH: { pattern: 'SHIFT', base: '-0.12', most: QUARTER, mostMinutes: TWO_DAYS, isOneWay: true },
};

export interface ScenarioPlan {
  type: ScenarioType;
  symbols: readonly string[];
  intensity: Decimal;
  /** Signed; null for the type's own times the intensity. */
  deviation: Decimal | null;
  isGradual: boolean;
  durationMinutes: number;
  /** The recovery takes so many times the duration. */
  recoveryFactor: Decimal;
}

const MOST_SYMBOLS = 50;

/**
 * The deviation of a plan that keeps the limits of its type.
 * @throws Refusal (validation) that says what would be right
 */
export function checkPlan(plan: ScenarioPlan): Decimal {
  const limits = SCENARIO_LIMITS[plan.type];
  checkRange('intensity', plan.intensity, '0.1', '2');
  checkRange('recoveryFactor', plan.recoveryFactor, '0.1', '2');
  checkSymbols(plan, limits);
  if (limits.isGradualOnly && !plan.isGradual) {
    throw invalid('isGradual', `${plan.type} must be gradual.`);
  }
  const deviation = plan.deviation ?? dec(limits.base).times(plan.intensity);
  if (deviation.isZero() || deviation.abs().greaterThan(limits.most)) {
    throw invalid(
      'deviation',
      `${plan.type} may deviate by at most ${limits.most} and not by 0, but got ${deviation}.`,
    );
  }
  if (limits.isOneWay && deviation.isNegative() !== dec(limits.base).isNegative()) {
    const sign = dec(limits.base).isNegative() ? 'below' : 'above';
    throw invalid('deviation', `The deviation of ${plan.type} must lie ${sign} 0, but got ${deviation}.`);
  }
  checkDuration(plan, limits);
  return deviation;
}

function checkSymbols({ type, symbols }: ScenarioPlan, { leastSymbols = 1 }: ScenarioLimits): void {
  const count = symbols.length;
  if (count < leastSymbols || count > MOST_SYMBOLS) {
    throw invalid('symbols', `${type} takes ${leastSymbols} to ${MOST_SYMBOLS} symbols, but got ${count}.`);
  }
  if (new Set(symbols).size < count) throw invalid('symbols', 'Each symbol may be given once.');
}

function checkDuration({ type, durationMinutes, recoveryFactor }: ScenarioPlan, { mostMinutes }: ScenarioLimits): void {
  const most = dec(mostMinutes).dividedBy(recoveryFactor.plus(1)).floor();
  if (durationMinutes >= 1 && !most.lessThan(durationMinutes)) return;
  const message = `With its recovery ${type} may take at most ${mostMinutes} minutes: durationMinutes must be 1 to ${most}, but got ${durationMinutes}.`;
  throw invalid('durationMinutes', message);
}

function checkRange(field: string, value: Decimal, least: string, most: string): void {
  const isFine = !value.lessThan(least) && !value.greaterThan(most) && value.decimalPlaces() <= 2;
  if (!isFine) throw invalid(field, `${field} must be ${least} to ${most} with at most 2 decimals, but got ${value}.`);
}

function invalid(field: string, message: string) {
  return refuse.validation(message, ['input', field]);
}

/** The deviation of the nth symbol: a broken correlation sends every other one the other way. */
export function deviationOf(type: ScenarioType, deviation: Decimal, nth: number): Decimal {
  return type === 'CORRELATION_BREAK' && nth % 2 === 1 ? deviation.negated() : deviation;
}

/** Share of the duration in which a gradual deviation builds up. */
const ONSET_SHARE = 0.25;

/** The instants of a scenario that starts now. */
export function timelineOf(
  {
    isGradual,
    durationMinutes,
    recoveryFactor,
  }: Pick<ScenarioPlan, 'isGradual' | 'durationMinutes' | 'recoveryFactor'>,
  startMs: number,
): { startMs: number; fullMs: number; recoversMs: number; endsMs: number } {
  const durationMs = durationMinutes * 60_000;
  return {
    startMs,
    fullMs: startMs + (isGradual ? durationMs * ONSET_SHARE : 0),
    recoversMs: startMs + durationMs,
    endsMs: startMs + Math.ceil(recoveryFactor.plus(1).times(durationMs).toNumber()),
  };
}
