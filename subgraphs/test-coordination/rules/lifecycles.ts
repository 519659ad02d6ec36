/** State machines of scenarios, runs and chaos events (domain.md §7.3), each a table. */
import { refuse } from '../../../platform/errors.ts';

export const SCENARIO_STATUSES = ['draft', 'active', 'deprecated', 'archived'] as const;
export type ScenarioStatus = (typeof SCENARIO_STATUSES)[number];

export const RUN_STATUSES = ['pending', 'running', 'passed', 'failed', 'error', 'cancelled', 'timeout'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const EVENT_STATUSES = ['pending', 'injected', 'in_progress', 'recovered', 'failed'] as const;
export type EventStatus = (typeof EVENT_STATUSES)[number];

const SCENARIOS: Record<ScenarioStatus, readonly ScenarioStatus[]> = {
  draft: ['active', 'archived'],
  active: ['deprecated', 'archived'],
  deprecated: ['active', 'archived'],
  archived: [],
};

const RUNS: Record<RunStatus, readonly RunStatus[]> = {
  pending: ['running', 'cancelled', 'error'],
  running: ['passed', 'failed', 'error', 'cancelled', 'timeout'],
  passed: [],
  failed: [],
  error: [],
  cancelled: [],
  timeout: [],
};

const EVENTS: Record<EventStatus, readonly EventStatus[]> = {
  pending: ['injected', 'failed'],
  injected: ['in_progress', 'recovered', 'failed'],
  in_progress: ['recovered', 'failed'],
  recovered: [],
  failed: [],
};

function move<Status extends string>(table: Record<Status, readonly Status[]>, from: Status, to: Status): Status {
  if (table[from].includes(to)) return to;
  const upper = (status: Status) => status.toUpperCase();
  throw refuse.invalidTransition(upper(from), upper(to), table[from].map(upper));
}

/** @throws Refusal (invalid transition) where the step is none */
export const moveScenario = (from: ScenarioStatus, to: ScenarioStatus) => move(SCENARIOS, from, to);

/** @throws Refusal (invalid transition) where the step is none */
export const moveRun = (from: RunStatus, to: RunStatus) => move(RUNS, from, to);

/** @throws Refusal (invalid transition) where the step is none */
export const moveEvent = (from: EventStatus, to: EventStatus) => move(EVENTS, from, to);

export function isOver(status: RunStatus): boolean {
  return RUNS[status].length === 0;
}

export type Ending = Exclude<RunStatus, 'pending' | 'running'>;

const EXIT_CODES: Record<Ending, number> = { passed: 0, failed: 1, error: 2, timeout: 124, cancelled: 130 };

/** What a shell is told of an ending: 0 and nothing else is PASSED. */
export function exitCodeOf(ending: Ending): number {
  return EXIT_CODES[ending];
}

/** The ending that an exit code stands for: 0 is passed, anything else failed. */
export function endingOf(exitCode: number): Ending {
  return exitCode === 0 ? 'passed' : 'failed';
}
