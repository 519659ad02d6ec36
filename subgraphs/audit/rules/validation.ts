/** Whether a run of a scenario was noticed as it should have been. */
import { delayNs } from './correlation.ts';

/** An event that has to come. */
export interface Expectation {
  name: string;
  /** * stands for any text. */
  eventType: string;
  serviceName: string | null;
  /** How soon. */
  withinMs: number;
  /** After the first event of this type in the run; null for after its beginning. */
  afterEventType: string | null;
}

export interface JudgedExpectation extends Expectation {
  found: boolean;
  eventId: string | null;
  /** From what it had to follow; null where it has not come. */
  delayMs: number | null;
  withinSla: boolean;
}

export type ValidationStatus = 'pending' | 'passed' | 'failed' | 'skipped';

/** What of an event decides. */
export interface Seen {
  eventId: string;
  timestamp: string;
}

/** @param seen the first event that fits after what it had to follow; null where none has come */
export function judge(expectation: Expectation, triggeredAt: string | null, seen: Seen | null): JudgedExpectation {
  if (triggeredAt === null || seen === null) {
    return { ...expectation, found: false, eventId: null, delayMs: null, withinSla: false };
  }
  const delayMs = Math.round(Number(delayNs(triggeredAt, seen.timestamp) / 1_000n) / 1_000);
  return { ...expectation, found: true, eventId: seen.eventId, delayMs, withinSla: delayMs <= expectation.withinMs };
}

/** What a run has come to: skipped where nothing was expected of it. */
export function outcome(judged: readonly JudgedExpectation[], hasEnded: boolean): ValidationStatus {
  if (!hasEnded) return 'pending';
  if (judged.length === 0) return 'skipped';
  return judged.every(({ withinSla }) => withinSla) ? 'passed' : 'failed';
}

const STEPS: Record<ValidationStatus, readonly ValidationStatus[]> = {
  pending: ['pending', 'passed', 'failed', 'skipped'],
  passed: [],
  failed: [],
  skipped: [],
};

/** The states that a validation can go to from there. */
export function stepsFrom(status: ValidationStatus): readonly ValidationStatus[] {
  return STEPS[status];
}

/** Met ÷ evaluated, of 1; null where nothing was evaluated. */
export function complianceOf(judged: readonly Pick<JudgedExpectation, 'withinSla'>[]): number | null {
  return judged.length === 0 ? null : judged.filter(({ withinSla }) => withinSla).length / judged.length;
}
