/** What there is to say of a run: put together of its rows whenever it is asked for. */
import { sql } from '../../../platform/database/sql.ts';
import { type ChaosEventRow, eventsOfRun } from '../chaos/chaos-events.ts';
import type { Context } from '../context.ts';
import type { TestResultRow } from '../results/results.ts';
import { readDefinition } from '../rules/definition.ts';
import { deadlineMs } from '../rules/timing.ts';
import { type Level, type LogRow, phasesOfRun, type RunPhaseRow, type TestRunRow } from '../runs/runs.ts';
import { scenarios } from '../scenarios/scenarios.ts';
import { asCsv, asHtml, asJson } from './formats.ts';
import { adviceOf, impactOf, summaryOf } from './words.ts';

export type ReportFormat = 'json' | 'html' | 'csv';

export interface Entry {
  at: string;
  offsetMs: number;
  level: Level;
  message: string;
}

export interface Detection {
  name: string;
  trigger: string;
  effect: string;
  deadlineMs: number;
  delayMs: number | null;
  isDetected: boolean;
  isWithinDeadline: boolean;
}

/** What a report is made of. */
export interface Findings {
  run: TestRunRow;
  scenarioName: string;
  phases: readonly RunPhaseRow[];
  results: readonly TestResultRow[];
  events: readonly ChaosEventRow[];
  detections: readonly Detection[];
}

export interface Report {
  run: TestRunRow;
  format: ReportFormat;
  summary: string[];
  timeline: Entry[];
  impact: string[];
  recommendations: string[];
  detections: Detection[];
  content: string;
  generatedAt: string;
}

/** Lines of a report at most: a run that says more has them all in its logs. */
const LINES_LIMIT = 5_000;

export async function reportOf(context: Context, run: TestRunRow, format: ReportFormat): Promise<Report> {
  const { runId } = run;
  const [scenario, phases, events, results, lines] = await Promise.all([
    context.load(scenarios, run.scenarioId),
    context.list(phasesOfRun, runId),
    context.list(eventsOfRun, runId),
    context.db.query<TestResultRow>(
      sql`select * from test_results where run_id = ${runId} order by created_at, result_id limit ${LINES_LIMIT}`,
    ),
    context.db.query<LogRow>(
      sql`select * from execution_logs where run_id = ${runId} order by sequence limit ${LINES_LIMIT}`,
    ),
  ]);
  const detections = detectionsOf(run, results);
  const findings: Findings = {
    run,
    scenarioName: scenario?.name ?? run.scenarioId,
    phases,
    results,
    events,
    detections,
  };
  const report = {
    run,
    format,
    summary: summaryOf(findings),
    timeline: lines.map((line) => entryOf(run, line)),
    impact: impactOf(findings),
    recommendations: adviceOf(findings),
    detections,
    generatedAt: context.now().toISOString(),
  };
  const write = { json: asJson, html: asHtml, csv: asCsv }[format];
  return { ...report, content: write({ ...report, findings }) };
}

function entryOf({ startedAt, createdAt }: TestRunRow, { loggedAt, level, message }: LogRow): Entry {
  const offsetMs = Math.max(Date.parse(loggedAt) - Date.parse(startedAt ?? createdAt), 0);
  return { at: loggedAt, offsetMs, level, message };
}

/** What the scenario expects to be detected, with what its assertions have found. */
function detectionsOf(run: TestRunRow, results: readonly TestResultRow[]): Detection[] {
  const read = readDefinition(run.configurationSnapshot);
  if ('problems' in read) return [];
  const used = new Set<string>();
  return read.definition.phases.flatMap(({ name: phase, assertions }) =>
    assertions.flatMap(({ name: assertion, detection, withinSeconds }): Detection[] => {
      if (!detection || withinSeconds === undefined) return [];
      const found = results.find(
        (result) =>
          result.phase === phase &&
          result.assertionName === assertion &&
          result.deadlineMs !== null &&
          !used.has(result.resultId),
      );
      if (found) used.add(found.resultId);
      const delayMs = found?.delayMs ?? null;
      const deadline = found?.deadlineMs ?? deadlineMs(withinSeconds, Number(run.timeScale));
      return [
        {
          ...detection,
          effect: assertion,
          deadlineMs: deadline,
          delayMs,
          isDetected: delayMs !== null,
          isWithinDeadline: delayMs !== null && delayMs <= deadline,
        },
      ];
    }),
  );
}
