/** The states of a market scenario (domain.md §2.3). */
import { refuse } from '../../../../platform/errors.ts';

export type ScenarioState =
  | 'DRAFT'
  | 'SCHEDULED'
  | 'RUNNING'
  | 'RECOVERING'
  | 'COMPLETED'
  | 'STOPPED'
  | 'FAILED'
  | 'CANCELLED';

/** Where a scenario can go from each state; the empty ones are final, and no price is bent in them. */
export const SCENARIO_TRANSITIONS: Record<ScenarioState, readonly ScenarioState[]> = {
  DRAFT: ['SCHEDULED'],
  SCHEDULED: ['RUNNING', 'CANCELLED'],
  RUNNING: ['RECOVERING', 'STOPPED', 'FAILED'],
  RECOVERING: ['COMPLETED', 'STOPPED', 'FAILED'],
  COMPLETED: [],
  STOPPED: [],
  FAILED: [],
  CANCELLED: [],
};

/** The states in which prices are bent. */
export const ACTIVE_STATES: readonly ScenarioState[] = ['RUNNING', 'RECOVERING'];

/**
 * `to`, when a scenario can go there.
 * @throws Refusal (invalid transition) when it cannot
 */
export function moveScenario(from: ScenarioState, to: ScenarioState): ScenarioState {
  const allowed = SCENARIO_TRANSITIONS[from];
  if (!allowed.includes(to)) throw refuse.invalidTransition(from, to, allowed, ['input', 'scenarioId']);
  return to;
}

export interface ScenarioTimes {
  state: ScenarioState;
  scheduledForMs: number | null;
  recoversAtMs: number | null;
  endsAtMs: number | null;
}

/** Where time alone leads the scenario by now, step by step; empty when it stays. A late look takes several steps. */
export function dueSteps(times: ScenarioTimes, nowMs: number): ScenarioState[] {
  const { state, scheduledForMs, recoversAtMs, endsAtMs } = times;
  const isPast = (instantMs: number | null) => instantMs !== null && instantMs <= nowMs;
  if (state === 'SCHEDULED') return isPast(scheduledForMs) ? ['RUNNING'] : [];
  const steps: ScenarioState[] = [];
  if (state === 'RUNNING' && isPast(recoversAtMs)) steps.push('RECOVERING');
  const isRecovering = state === 'RECOVERING' || steps.length > 0;
  if (isRecovering && isPast(endsAtMs)) steps.push('COMPLETED');
  return steps;
}
