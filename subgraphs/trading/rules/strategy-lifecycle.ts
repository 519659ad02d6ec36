/** The states of a strategy and the commands that move it (domain.md §6.4). */
import { refuse } from '../../../platform/errors.ts';

export type StrategyStatus = 'inactive' | 'active' | 'paused' | 'stopped' | 'error';

/** Where a strategy can go from each state. */
export const STRATEGY_TRANSITIONS: Record<StrategyStatus, readonly StrategyStatus[]> = {
  inactive: ['active'],
  active: ['paused', 'stopped', 'error'],
  paused: ['active', 'stopped', 'error'],
  stopped: ['inactive'],
  error: ['inactive', 'stopped'],
};

export type StrategyVerb = 'start' | 'pause' | 'resume' | 'stop' | 'fail' | 'reset';

/** What each command does. Starting and resuming both lead to active: one from rest, the other from a pause. */
export const STRATEGY_VERBS: Record<StrategyVerb, { from: readonly StrategyStatus[]; to: StrategyStatus }> = {
  start: { from: ['inactive'], to: 'active' },
  pause: { from: ['active'], to: 'paused' },
  resume: { from: ['paused'], to: 'active' },
  stop: { from: ['active', 'paused', 'error'], to: 'stopped' },
  fail: { from: ['active', 'paused'], to: 'error' },
  reset: { from: ['stopped', 'error'], to: 'inactive' },
};

/**
 * The state the command leads to.
 * @throws Refusal (invalid transition) when the strategy is in a state the command does not start from
 */
export function moveStrategy(from: StrategyStatus, verb: StrategyVerb): StrategyStatus {
  const { from: starts, to } = STRATEGY_VERBS[verb];
  if (!starts.includes(from)) {
    const allowed = STRATEGY_TRANSITIONS[from].map((status) => status.toUpperCase());
    throw refuse.invalidTransition(from.toUpperCase(), to.toUpperCase(), allowed, ['input', 'strategyId']);
  }
  return to;
}
