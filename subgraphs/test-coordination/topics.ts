/** What of test coordination can be followed. */
import { raw } from '../../platform/database/sql.ts';
import type { ChangeEvent } from '../../platform/feed/row-changes.ts';
import { topic } from '../../platform/feed/topic.ts';
import type { ChaosEventRow } from './chaos/chaos-events.ts';
import type { TestResultRow } from './results/results.ts';
import type { LogRow, TestRunRow } from './runs/runs.ts';

export type TestRunEvent = ChangeEvent<TestRunRow>;
export type TimelineEvent = ChangeEvent<LogRow>;
export type AssertionEvent = ChangeEvent<TestResultRow>;
export type ChaosChangeEvent = ChangeEvent<ChaosEventRow>;

/** Rows that a snapshot tells at most: the newest. */
const SNAPSHOT_ROWS = 500;

export const runTopic = topic<TestRunRow>({
  table: 'test_runs',
  key: 'run_id',
  fields: { runId: 'text' },
  mode: 'conflated',
  snapshotOrder: raw('created_at desc, run_id desc'),
  snapshotRows: SNAPSHOT_ROWS,
});

export const timelineTopic = topic<LogRow>({
  table: 'execution_logs',
  key: 'log_id',
  fields: { runId: 'text' },
  mode: 'lossless',
  snapshotOrder: raw('logged_at desc, sequence desc'),
  snapshotRows: SNAPSHOT_ROWS,
});

export const resultTopic = topic<TestResultRow>({
  table: 'test_results',
  key: 'result_id',
  fields: { runId: 'text' },
  mode: 'lossless',
  snapshotOrder: raw('created_at desc, result_id desc'),
  snapshotRows: SNAPSHOT_ROWS,
});

export const chaosTopic = topic<ChaosEventRow>({
  table: 'chaos_events',
  key: 'event_id',
  fields: { runId: 'text' },
  mode: 'lossless',
  snapshotOrder: raw('created_at desc, event_id desc'),
  snapshotRows: SNAPSHOT_ROWS,
});
