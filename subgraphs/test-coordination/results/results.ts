/** Results of assertions: what is stored of them and how they are read. */
import { type Sql, sql } from '../../../platform/database/sql.ts';
import { stored } from '../../../platform/enums.ts';
import { equals, isOneOf } from '../../../platform/filters.ts';
import { derived, entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import type { Context } from '../context.ts';
import type { TestResultFilter } from '../generated/resolvers.ts';
import type { AssertionType } from '../rules/definition.ts';
import { passRate } from '../rules/statistics.ts';

export const RESULT_STATUSES = ['passed', 'failed', 'skipped', 'error'] as const;
export type ResultStatus = (typeof RESULT_STATUSES)[number];

/** A row of `test_results`. */
export interface TestResultRow {
  resultId: string;
  runId: string;
  phase: string | null;
  assertionName: string;
  assertionType: AssertionType;
  expectedValue: string;
  actualValue: string;
  status: ResultStatus;
  verificationTime: string;
  delayMs: number | null;
  deadlineMs: number | null;
  errorDetails: string | null;
  correlationId: string | null;
  createdAt: string;
}

export type TestResultPage = Connection<TestResultRow>;

export const results = entity<TestResultRow>({
  name: 'TestResult',
  table: 'test_results',
  key: 'result_id',
  keyType: 'text',
});

export const resultList = connectionSource<TestResultRow>({
  table: 'test_results',
  id: 'result_id',
  sorts: { CREATED_AT: 'created_at' },
  parents: { run_id: 'text' },
});

export function resultConditions(filter: TestResultFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { runId, type, statuses, correlationId } = filter;
  return [
    ...equals('run_id', runId),
    ...equals('assertion_type', type && stored(type)),
    ...isOneOf('status', statuses?.map(stored)),
    ...equals('correlation_id', correlationId),
  ];
}

export type Counts = Record<ResultStatus, number>;

const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0, error: 0 };

const counts = derived<Counts>({
  name: 'counts of results',
  table: 'test_results',
  column: 'run_id',
  keyType: 'text',
  absent: NOTHING,
});

interface CountRow {
  runId: string;
  status: ResultStatus;
  count: number;
}

/** How many results of a run found what. */
export function countsOfRun(context: Context, runId: string): Promise<Counts> {
  return context.derive(counts, runId, async (ids) => {
    const rows = await context.db.query<CountRow>(sql`
      select run_id, status, count(*)::int as count from test_results where run_id = any(${ids}::text[])
       group by run_id, status`);
    const byRun = Map.groupBy(rows, (row) => row.runId);
    return ids.map((id) => sumOf(byRun.get(id) ?? []));
  });
}

function sumOf(rows: readonly Pick<CountRow, 'status' | 'count'>[]): Counts {
  return { ...NOTHING, ...Object.fromEntries(rows.map(({ status, count }) => [status, count])) };
}

export interface Statistics extends Counts {
  type: AssertionType;
  total: number;
  passRate: string | null;
}

/** How assertions of a type have done, in all runs. */
export async function statisticsOf(context: Context, type: AssertionType): Promise<Statistics> {
  const rows = await context.db.query<CountRow>(
    sql`select status, count(*)::int as count from test_results where assertion_type = ${type} group by status`,
  );
  const found = sumOf(rows);
  const total = RESULT_STATUSES.reduce((all, status) => all + found[status], 0);
  return { type, ...found, total, passRate: rateOf(found) };
}

/** PASSED by PASSED and FAILED. */
export function rateOf({ passed, failed }: Counts): string | null {
  return passRate(passed, passed + failed)?.toFixed() ?? null;
}
