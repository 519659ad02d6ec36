/** Runs, their phases, lines and snapshots: what is stored of them and how they are read. */
import { type Sql, sql } from '../../../platform/database/sql.ts';
import { stored } from '../../../platform/enums.ts';
import { equals, isOneOf, within } from '../../../platform/filters.ts';
import { childList, entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import type { TestRunFilter } from '../generated/resolvers.ts';
import type { RunStatus } from '../rules/lifecycles.ts';

export type RollbackStatus = 'not_started' | 'running' | 'completed' | 'failed';
export type Level = 'debug' | 'info' | 'warn' | 'error';

/** A row of `test_runs`. */
export interface TestRunRow {
  runId: string;
  scenarioId: string;
  status: RunStatus;
  startedAt: string | null;
  completedAt: string | null;
  durationMs: number | null;
  configurationSnapshot: object;
  testEnvironment: string | null;
  exitCode: number | null;
  errorMessage: string | null;
  dryRun: boolean;
  timeScale: string;
  requestedBy: string | null;
  rollbackStatus: RollbackStatus;
  currentPhase: string | null;
  stopRequestedAt: string | null;
  stopReason: string | null;
  targets: string[];
  runnerId: string | null;
  leaseUntil: string | null;
  fence: string;
  timeoutMs: string;
  traceId: string;
  createdAt: string;
  updatedAt: string;
  version: number;
}

/** An action or assertion of a phase, and what became of it. */
export interface RunStep {
  name: string;
  status: 'pending' | 'done' | 'passed' | 'failed' | 'skipped' | 'error';
  detail: string | null;
}

/** A row of `run_phases`. */
export interface RunPhaseRow {
  phaseId: string;
  runId: string;
  phaseIndex: number;
  name: string;
  plannedDurationMs: number;
  startedAt: string | null;
  endedAt: string | null;
  success: boolean | null;
  error: string | null;
  actions: RunStep[];
  assertions: RunStep[];
}

/** A row of `system_snapshots`. */
export interface SnapshotRow {
  snapshotId: string;
  runId: string;
  phase: string;
  takenAt: string;
  services: object;
  metrics: object;
}

/** A row of `execution_logs`. */
export interface LogRow {
  logId: string;
  runId: string;
  sequence: number;
  loggedAt: string;
  level: Level;
  message: string;
  data: object;
}

export type TestRunPage = Connection<TestRunRow>;
export type LogPage = Connection<LogRow>;

export const runs = entity<TestRunRow>({ name: 'TestRun', table: 'test_runs', key: 'run_id', keyType: 'text' });

export const runList = connectionSource<TestRunRow>({
  table: 'test_runs',
  id: 'run_id',
  sorts: { STARTED_AT: 'sorted_at' },
  parents: { scenario_id: 'text' },
});

export const logList = connectionSource<LogRow>({
  table: 'execution_logs',
  id: 'log_id',
  sorts: { SEQUENCE: 'sequence' },
  parents: { run_id: 'text' },
});

const PHASES_LIMIT = 100;

export const phasesOfRun = childList<RunPhaseRow>({
  name: 'phases of a run',
  table: 'run_phases',
  parent: 'run_id',
  keyType: 'text',
  orderBy: 'phase_index',
  limit: PHASES_LIMIT,
});

export const snapshotsOfRun = childList<SnapshotRow>({
  name: 'snapshots of a run',
  table: 'system_snapshots',
  parent: 'run_id',
  keyType: 'text',
  orderBy: 'taken_at',
  limit: PHASES_LIMIT,
});

export function runConditions(filter: TestRunFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { scenarioId, statuses } = filter;
  return [
    ...equals('scenario_id', scenarioId),
    ...isOneOf('status', statuses?.map(stored)),
    ...within('started_at', filter),
  ];
}

const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error'];

/** Lines of the level or a graver one. */
export function logConditions(runId: string, level: Level | null): Sql[] {
  return [
    ...equals('run_id', runId),
    ...(level === null ? [] : [sql`level = any(${LEVELS.slice(LEVELS.indexOf(level))}::text[])`]),
  ];
}
