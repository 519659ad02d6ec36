/** What may become of an alert, and whom it reaches if nobody takes it up (domain.md §5.3). */
import { refuse } from '../../../platform/errors.ts';
import type { Severity } from './utilisation.ts';

export const ALERT_STATUSES = ['active', 'acknowledged', 'resolved', 'expired'] as const;
export type AlertStatus = (typeof ALERT_STATUSES)[number];

const NEXT: Record<AlertStatus, readonly AlertStatus[]> = {
  active: ['acknowledged', 'resolved', 'expired'],
  acknowledged: ['resolved', 'expired'],
  resolved: [],
  expired: [],
};

/** The statuses an alert can go to. */
export function nextStatuses(status: AlertStatus): readonly AlertStatus[] {
  return NEXT[status];
}

export function isOpen(status: AlertStatus): boolean {
  return NEXT[status].length > 0;
}

/** @throws Refusal (invalid transition) where the step is none */
export function checkStep(from: AlertStatus, to: AlertStatus): void {
  if (NEXT[from].includes(to)) return;
  const upper = (status: AlertStatus) => status.toUpperCase();
  throw refuse.invalidTransition(upper(from), upper(to), NEXT[from].map(upper));
}

export const TARGETS = ['risk_team', 'head_of_trading', 'chief_risk_officer', 'chief_executive', 'board'] as const;
export type Target = (typeof TARGETS)[number];

export const HIGHEST_LEVEL = 2;

const MINUTE_MS = 60_000;

interface EscalationRule {
  /** Who is told at each level; level 0 when the alert is raised. */
  targets: readonly [Target[], Target[], Target[]];
  /** How long an alert that nobody takes up stays at level 0. */
  afterMs: number;
}

/** Severities that are left out never escalate. */
const RULES: Partial<Record<Severity, EscalationRule>> = {
  high: {
    targets: [['risk_team'], ['head_of_trading', 'chief_risk_officer'], ['chief_executive']],
    afterMs: 15 * MINUTE_MS,
  },
  critical: {
    targets: [['risk_team', 'head_of_trading'], ['chief_executive', 'board'], ['chief_risk_officer']],
    afterMs: 5 * MINUTE_MS,
  },
};

/** Who is told of an alert of that severity when it reaches the level. */
export function targetsOf(severity: Severity, level: number): readonly Target[] {
  return RULES[severity]?.targets[level] ?? [];
}

/** How long after it was raised an alert escalates by itself, in milliseconds; null where it never does. */
export function escalatesAfterMs(severity: Severity): number | null {
  return RULES[severity]?.afterMs ?? null;
}

/** Whether an alert is due to go to level 1. Acknowledging it has stopped the clock. */
export function isEscalationDue(
  alert: { severity: Severity; status: AlertStatus; escalationLevel: number; triggeredAt: string },
  now: Date,
): boolean {
  const afterMs = escalatesAfterMs(alert.severity);
  if (afterMs === null || alert.status !== 'active' || alert.escalationLevel > 0) return false;
  return now.getTime() - Date.parse(alert.triggeredAt) >= afterMs;
}

/** Alerts an hour; past it all but critical ones are only counted, in one summary alert. */
export const ALERTS_PER_HOUR = 50;
