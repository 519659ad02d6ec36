/** A run as a person follows it: started, told line by line, and reported. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GraphClient } from '../../platform/graph-client.ts';
import type { Format, ScenarioArguments } from './arguments.ts';
import { asText, type Told } from './text.ts';

/** What a run takes when nobody says how fast it is to be. */
const USUAL_SECONDS = 30;

const LOOK_MS = 250;

/** A scenario is there a moment after a graph has started. */
const ATTEMPTS = 50;

const SCENARIO = 'query ($id: ID!) { scenario(id: $id) { durationSeconds } }';
const START = `mutation ($input: StartTestRunInput!) { startTestRun(input: $input) {
  run { runId timeScale } errors { message } } }`;

export interface StartedRun {
  runId: string;
  timeScale: string;
}

export async function startRun(
  graph: GraphClient,
  { scenarioId, scale, dryRun }: Pick<ScenarioArguments, 'scale' | 'dryRun'> & { scenarioId: string },
): Promise<StartedRun> {
  const durationSeconds = await durationOf(graph, scenarioId);
  const timeScale = scale ?? String(Math.max(Math.round(durationSeconds / USUAL_SECONDS), 1));
  const input = { scenarioId, timeScale, dryRun, requestedBy: 'npm run scenario' };
  const { startTestRun } = await graph.request<{
    startTestRun: { run: StartedRun | null; errors: { message: string }[] };
  }>(START, { input });
  const [refusal] = startTestRun.errors;
  if (refusal || !startTestRun.run) throw new Error(refusal?.message ?? 'The run was not started.');
  return startTestRun.run;
}

async function durationOf(graph: GraphClient, id: string): Promise<number> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { scenario } = await graph.request<{ scenario: { durationSeconds: number } | null }>(SCENARIO, { id });
    if (scenario) return scenario.durationSeconds;
    await sleep(LOOK_MS / 2);
  }
  throw new Error(`There is no scenario "${id}": npm run scenario -- --list shows all.`);
}

const LOOK = `query ($id: ID!, $after: String) {
  testRun(id: $id) { status exitCode startedAt }
  testRunLogs(runId: $id, level: INFO, first: 500, after: $after) { nodes { at level message } pageInfo { endCursor } } }`;

interface Looked {
  testRun: { status: string; exitCode: number | null; startedAt: string | null };
  testRunLogs: { nodes: { at: string; level: string; message: string }[]; pageInfo: { endCursor: string | null } };
}

export interface FollowedRun {
  over: Promise<{ exitCode: number }>;
  /** Stops the run where it is not over, and waits until everything is set right. */
  end(): Promise<void>;
}

export function followRun(graph: GraphClient, runId: string, print: (line: string) => void): FollowedRun {
  let isOver = false;
  const over = (async () => {
    let after: string | null = null;
    for (;;) {
      const { testRun, testRunLogs }: Looked = await graph.request<Looked>(LOOK, { id: runId, after });
      for (const { at, level, message } of testRunLogs.nodes) {
        const offset = (Date.parse(at) - Date.parse(testRun.startedAt ?? at)) / 1_000;
        print(`${offset.toFixed(1).padStart(7)} s  ${level === 'INFO' ? '' : `${level}: `}${message}`);
      }
      after = testRunLogs.pageInfo.endCursor ?? after;
      if (testRun.exitCode !== null && testRunLogs.nodes.length === 0) {
        isOver = true;
        return { exitCode: testRun.exitCode };
      }
      await sleep(LOOK_MS);
    }
  })();
  return {
    over,
    async end() {
      if (isOver) return;
      await graph.request(
        `mutation ($input: StopTestRunInput!) { stopTestRun(input: $input) { errors { message } } }`,
        {
          input: { runId, reason: 'It was interrupted.' },
        },
      );
      await over;
    },
  };
}

const REPORT = `query ($id: ID!, $format: ReportFormat!) { testReport(runId: $id, format: $format) {
  content summary impact recommendations
  detections { name trigger deadlineMs delayMs isWithinDeadline } run { runId traceId status } } }`;

export async function reportOf(graph: GraphClient, runId: string, format: Format): Promise<string> {
  const variables = { id: runId, format: format === 'text' ? 'JSON' : format.toUpperCase() };
  const { testReport } = await graph.request<{ testReport: Told & { content: string } }>(REPORT, variables);
  return format === 'text' ? asText(testReport) : testReport.content;
}
