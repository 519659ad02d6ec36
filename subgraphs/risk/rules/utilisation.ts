/** How far a limit is used, and what that is called (domain.md §5.3, §5.5). */
import { type Decimal, dec } from '../../../platform/decimal.ts';

export const BANDS = ['ok', 'warning', 'breached'] as const;
export type Band = (typeof BANDS)[number];

export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** On the way down a band is left only this far below the level at which it is entered. */
const HYSTERESIS = dec('0.98');
const FULL = dec(1);

/** |current| ÷ threshold. */
export function utilisationOf(current: Decimal, threshold: Decimal): Decimal {
  return current.abs().div(threshold);
}

/** The band of a utilisation that was in `before` until now. `warningAt` is a share of the threshold, below 1. */
export function bandOf(utilisation: Decimal, warningAt: Decimal, before: Band): Band {
  const breachedAt = before === 'breached' ? FULL.times(HYSTERESIS) : FULL;
  if (utilisation.gte(breachedAt)) return 'breached';
  const warnedAt = before === 'ok' ? warningAt : warningAt.times(HYSTERESIS);
  return utilisation.gte(warnedAt) ? 'warning' : 'ok';
}

const LEVELS: readonly [from: Decimal, Severity][] = [
  [FULL, 'critical'],
  [dec('0.9'), 'high'],
  [dec('0.75'), 'medium'],
  [dec('0.5'), 'low'],
];

/** The severity of a utilisation; null where it is none's business. */
export function severityOf(utilisation: Decimal): Severity | null {
  return LEVELS.find(([from]) => utilisation.gte(from))?.[1] ?? null;
}

/** What an alert of a band says: a breach is critical though hysteresis may hold it a little below 1. */
export function severityIn(band: Exclude<Band, 'ok'>, utilisation: Decimal): Severity {
  if (band === 'breached') return 'critical';
  const severity = severityOf(utilisation) ?? 'low';
  return severity === 'critical' ? 'high' : severity;
}

export function isWorse(severity: Severity, than: Severity): boolean {
  return SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(than);
}
