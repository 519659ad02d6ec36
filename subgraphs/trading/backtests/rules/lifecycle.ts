/** The states of a backtest. */
import { refuse } from '../../../../platform/errors.ts';

export type BacktestStatus = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled';

/** Where a run can go from each state; the empty ones are final. A running one waits again when it cannot go on now. */
export const BACKTEST_TRANSITIONS: Record<BacktestStatus, readonly BacktestStatus[]> = {
  pending: ['running', 'cancelled', 'failed'],
  running: ['pending', 'completed', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
};

/**
 * `to`, when a run can go there.
 * @throws Refusal (invalid transition) when it cannot
 */
export function moveBacktest(from: BacktestStatus, to: BacktestStatus): BacktestStatus {
  const allowed = BACKTEST_TRANSITIONS[from];
  if (allowed.includes(to)) return to;
  const names = allowed.map((status) => status.toUpperCase());
  throw refuse.invalidTransition(from.toUpperCase(), to.toUpperCase(), names, ['input', 'runId']);
}
