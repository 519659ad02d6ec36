/** How a price moves: a random walk that is drawn back to an anchor (an Ornstein-Uhlenbeck process of the logarithm). */
import { type Decimal, dec } from '../../platform/decimal.ts';
import type { Course } from './courses.ts';

const YEAR_SECONDS = 365 * 24 * 3_600;

/**
 * The price after some seconds, exactly as the process has it for a step of any length: a machine that slept for a day
 * wakes up to a price like any other.
 * @param deviate from the standard normal distribution
 */
export function walk(
  course: Course,
  step: { price: number; anchor: number; seconds: number; deviate: number },
): number {
  const { price, anchor, seconds, deviate } = step;
  const kept = 2 ** (-seconds / course.halfLifeSeconds);
  const timeConstant = course.halfLifeSeconds / Math.LN2;
  const variance = ((course.annualVolatility ** 2 / YEAR_SECONDS) * timeConstant * (1 - kept ** 2)) / 2;
  return anchor * Math.exp(Math.log(price / anchor) * kept + Math.sqrt(variance) * deviate);
}

/** The multiple of the step nearest to a number, or the nearest one below or above it; at least one step. */
export function onStep(value: number, step: Decimal, towards: 'nearest' | 'down' | 'up' = 'nearest'): Decimal {
  const steps = value / step.toNumber();
  const whole = { nearest: Math.round, down: Math.floor, up: Math.ceil }[towards](steps);
  return dec(Math.max(whole, 1)).times(step);
}
