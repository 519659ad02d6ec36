/** What people do with runs, results and chaos events, and how they are read back. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { watch } from '../../support/watch.ts';
import {
  ask,
  done,
  leftovers,
  libraryLoaded,
  over,
  refused,
  runOf,
  scenarioOf,
  start,
  waiting,
  write,
} from './bench.ts';

let graph: TestGraph;

beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS, isChaosOn: true, poolSize: 5 });
  await libraryLoaded(graph);
});
afterAll(() => graph.close());

describe('a run', () => {
  it('goes through its phases in order, and its figures are those of its scenario', async () => {
    await write(graph, 'plain');
    const runId = await start(graph, 'plain', { requestedBy: 'ann', testEnvironment: 'here' });
    const run = await over(graph, runId);
    expect(run).toMatchObject({ status: 'PASSED', exitCode: 0, rollbackStatus: 'COMPLETED', currentPhase: null });
    expect(
      run.phases.map(({ name, isSuccessful }: { name: string; isSuccessful: boolean }) => [name, isSuccessful]),
    ).toEqual([
      ['first', true],
      ['second', true],
    ]);
    const [row] = await graph.sql(
      'test-coordination',
      `select abs(duration_ms - extract(epoch from completed_at - started_at) * 1000) <= 1000 as fits from test_runs where run_id = $1`,
      [runId],
    );
    expect(row.fits).toBe(true);
    expect(await scenarioOf(graph, 'plain')).toMatchObject({
      passRate: '1',
      averageDurationMs: expect.any(String),
      runs: { totalCount: 1 },
    });
    expect(await refused(graph, 'deleteScenario', { scenarioId: 'plain' })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    expect(await refused(graph, 'stopTestRun', { runId })).toMatchObject({
      code: 'INVALID_TRANSITION',
      from: 'PASSED',
    });
  });

  it('fails when an assertion does not hold, and the phases after it are not begun', async () => {
    const phases = [
      {
        name: 'bad',
        durationSeconds: 0,
        assertions: [{ name: 'service_health', service: 'risk', expected: 'UNHEALTHY' }],
      },
      { name: 'never', durationSeconds: 0 },
    ];
    await write(graph, 'failing', { configuration: { phases } });
    const run = await over(graph, await start(graph, 'failing'));
    expect(run).toMatchObject({ status: 'FAILED', exitCode: 1, rollbackStatus: 'COMPLETED' });
    expect(run.phases.map(({ isSuccessful }: { isSuccessful: boolean | null }) => isSuccessful)).toEqual([false, null]);
    expect(run.errorMessage).toContain('service_health');
    expect(await scenarioOf(graph, 'failing')).toMatchObject({ passRate: '0' });
  });

  it('keeps the configuration it was started with, whatever becomes of the scenario', async () => {
    await write(graph, 'kept');
    const runId = await start(graph, 'kept', { overrides: { timeoutSeconds: 60 } });
    await done(graph, 'updateScenario', { scenarioId: 'kept', configuration: waiting(99) });
    await over(graph, runId);
    const { testRun } = await ask(graph, 'query ($id: ID!) { testRun(id: $id) { configurationSnapshot } }', {
      id: runId,
    });
    expect(testRun.configurationSnapshot).toMatchObject({ timeoutSeconds: 60, phases: [{}, { durationSeconds: 0 }] });
    await expect(
      graph.sql('test-coordination', `update test_runs set configuration_snapshot = '{}' where run_id = $1`, [runId]),
    ).rejects.toThrow('never changes');
    expect(await refused(graph, 'startTestRun', { scenarioId: 'kept', overrides: { phases: [] } })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  });

  it('that is dry does nothing and injects nothing', async () => {
    const runId = await start(graph, 'market-crash', { dryRun: true });
    const run = await over(graph, runId);
    expect(run).toMatchObject({ status: 'PASSED', isDryRun: true, chaosEvents: [], passRate: null });
    expect(
      run.phases
        .flatMap(({ actions }: { actions: { status: string }[] }) => actions)
        .map((one: { status: string }) => one.status),
    ).toEqual(['skipped', 'skipped', 'skipped']);
    await expect(
      graph.sql(
        'test-coordination',
        `insert into chaos_events (run_id, event_type, action, target_service) values ($1, 'clock_skew', 'x', 'risk')`,
        [runId],
      ),
    ).rejects.toThrow('dry run');
  });

  it('is stopped, also when it waits, and no more than three are under way', async () => {
    await write(graph, 'long', { configuration: waiting(2_500_000) });
    const running = [await start(graph, 'long'), await start(graph, 'long'), await start(graph, 'long')];
    expect(await refused(graph, 'startTestRun', { scenarioId: 'plain' })).toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('3 runs are under way'),
    });
    for (const runId of running) await done(graph, 'stopTestRun', { runId, reason: 'enough' });
    for (const runId of running) {
      expect(await over(graph, runId)).toMatchObject({
        status: 'CANCELLED',
        exitCode: 130,
        errorMessage: 'enough',
        rollbackStatus: 'COMPLETED',
      });
    }
  });

  it('locks what it disturbs against other runs', async () => {
    const configuration = { ...waiting(2_500_000), targets: ['exchange'] };
    await write(graph, 'greedy', { configuration });
    const runId = await start(graph, 'greedy');
    expect(await refused(graph, 'startTestRun', { scenarioId: 'service-restart' })).toMatchObject({
      code: 'CONFLICT',
      message: `Run "${runId}" disturbs exchange until it is over.`,
    });
    await done(graph, 'stopTestRun', { runId });
    await over(graph, runId);
    const locks = await graph.sql('test-coordination', 'select target from target_locks where expires_at > now()');
    expect(locks).toEqual([]);
  });

  it('ends as TIMEOUT when it takes too long', async () => {
    await write(graph, 'slow', { configuration: waiting(60, { timeoutSeconds: 1 }) });
    const run = await over(graph, await start(graph, 'slow', { timeScale: '1' }));
    expect(run).toMatchObject({ status: 'TIMEOUT', exitCode: 124, rollbackStatus: 'COMPLETED' });
  });

  it('is read by id, scenario, status and time, newest first', async () => {
    const { testRuns, empty } = await ask(
      graph,
      `{ testRuns(filter: { scenarioId: "long", statuses: [CANCELLED] }, first: 10) { totalCount nodes { startedAt scenario { scenarioId } } }
         empty: testRuns(filter: { from: "2099-01-01T00:00:00Z" }) { nodes { runId } } }`,
    );
    expect(testRuns.totalCount).toBe(3);
    const starts = testRuns.nodes.map(({ startedAt }: { startedAt: string }) => Date.parse(startedAt));
    expect(starts).toEqual([...starts].sort((a, b) => b - a));
    expect(empty.nodes).toEqual([]);
    expect(await runOf(graph, 'none')).toBeNull();
  });

  it('is deleted with what belongs to it, when it is over', async () => {
    const runId = await start(graph, 'plain');
    await over(graph, runId);
    await expect(
      graph.sql('test-coordination', 'delete from execution_logs where run_id = $1', [runId]),
    ).rejects.toThrow('append-only');
    expect(await done(graph, 'deleteTestRun', { runId }, 'wasDeleted')).toMatchObject({ wasDeleted: true });
    expect(await graph.sql('test-coordination', 'select 1 from execution_logs where run_id = $1', [runId])).toEqual([]);
    expect(await done(graph, 'deleteTestRun', { runId }, 'wasDeleted')).toMatchObject({ wasDeleted: false });
  });
});

describe('results', () => {
  const result = { name: 'outside', type: 'LATENCY', expectedValue: '1', actualValue: '2', status: 'FAILED' };

  it('are recorded one by one or together, all or none, and never changed', async () => {
    const runId = await start(graph, 'plain');
    const { traceId } = await over(graph, runId);
    const one = await done(
      graph,
      'recordTestResult',
      { runId, result: { ...result, resultId: 'r1' } },
      'result { resultId correlationId }',
    );
    expect(one.result).toEqual({ resultId: 'r1', correlationId: traceId });
    const passing = { ...result, status: 'PASSED' };
    await done(graph, 'recordTestResults', { runId, results: [passing, passing, { ...result, status: 'ERROR' }] });
    expect(await done(graph, 'recordTestResults', { runId, results: [] }, 'results { resultId }')).toMatchObject({
      results: [],
    });
    expect(
      await refused(graph, 'recordTestResults', { runId, results: [passing, { ...result, resultId: 'r1' }] }),
    ).toMatchObject({ code: 'CONFLICT' });
    expect(await refused(graph, 'recordTestResult', { runId: 'none', result })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await runOf(graph, runId)).toMatchObject({
      passRate: '0.66666667',
      resultCounts: [
        { status: 'PASSED', count: 2 },
        { status: 'FAILED', count: 1 },
        { status: 'SKIPPED', count: 0 },
        { status: 'ERROR', count: 1 },
      ],
    });
    await expect(graph.sql('test-coordination', `update test_results set status = 'passed'`)).rejects.toThrow(
      'append-only',
    );
    const { testResult, byRun, byType, failed, byTrace, assertionStatistics, none } = await ask(
      graph,
      `query ($runId: ID!, $trace: String) { testResult(id: "r1") { name run { runId } }
         byRun: testResults(filter: { runId: $runId }) { totalCount }
         byType: testResults(filter: { type: LATENCY }) { totalCount }
         failed: testResults(filter: { runId: $runId, statuses: [FAILED] }) { nodes { resultId } }
         byTrace: testResults(filter: { correlationId: $trace }) { totalCount }
         assertionStatistics(type: LATENCY) { total passed failed skipped error passRate }
         none: assertionStatistics(type: THROUGHPUT) { total passRate } }`,
      { runId, trace: traceId },
    );
    expect(testResult).toEqual({ name: 'outside', run: { runId } });
    expect([byRun.totalCount, byType.totalCount, byTrace.totalCount]).toEqual([4, 4, 4]);
    expect(failed.nodes).toEqual([{ resultId: 'r1' }]);
    expect(assertionStatistics).toEqual({
      total: 4,
      passed: 2,
      failed: 1,
      skipped: 0,
      error: 1,
      passRate: '0.66666667',
    });
    expect(none).toEqual({ total: 0, passRate: null });
  });
});

describe('chaos', () => {
  it('is injected and cleared by hand while a run is under way, once a target and type', async () => {
    await write(graph, 'open', { configuration: waiting(2_500_000) });
    const runId = await start(graph, 'open');
    await vi.waitFor(async () => expect((await runOf(graph, runId)).status).toBe('RUNNING'), 10_000);
    const events = watch(
      graph.client,
      'chaosEventUpdated',
      `subscription { chaosEventUpdated(runId: "${runId}") { kind cursor at event { eventId status recoveryTimeMs } } }`,
    );
    await events.begun();
    const input = { runId, type: 'NETWORK_LATENCY', targetService: 'risk', parameters: { delayMs: 5 } };
    const { event } = await done(graph, 'injectChaos', input, 'event { eventId status }');
    expect(event.status).toBe('PENDING');
    expect(await refused(graph, 'injectChaos', input)).toMatchObject({ code: 'CONFLICT' });
    expect(await refused(graph, 'injectChaos', { ...input, type: 'CPU_STRESS' })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    await events.until((told) => told.event?.status === 'IN_PROGRESS');
    const { riskFaults, chaosEvents } = await ask(
      graph,
      `query ($runId: ID!) { riskFaults(runId: $runId) { kind } chaosEvents(filter: { runId: $runId, isActive: true, type: NETWORK_LATENCY,
         targetService: "risk" }) { nodes { eventId service { serviceId } run { runId } } } }`,
      { runId },
    );
    expect(riskFaults).toEqual([{ kind: 'LATENCY' }]);
    expect(chaosEvents.nodes).toEqual([{ eventId: event.eventId, service: null, run: { runId } }]);
    await done(graph, 'clearChaos', { eventId: event.eventId });
    const told = await events.until((one) => one.event?.status === 'RECOVERED');
    expect(told.event.recoveryTimeMs).toBeGreaterThanOrEqual(0);
    await events.leave();
    expect(await refused(graph, 'clearChaos', { eventId: event.eventId })).toMatchObject({
      code: 'INVALID_TRANSITION',
    });
    const { averageRecoveryTime, other, chaosEvent } = await ask(
      graph,
      `query ($id: ID!) { averageRecoveryTime(type: NETWORK_LATENCY) other: averageRecoveryTime(type: CLOCK_SKEW) chaosEvent(id: $id) { status } }`,
      { id: event.eventId },
    );
    expect(Number(averageRecoveryTime)).toBe(told.event.recoveryTimeMs);
    expect(other).toBeNull();
    expect(chaosEvent).toEqual({ status: 'RECOVERED' });
    // What is still injected when a run ends is taken back.
    await done(graph, 'injectChaos', input);
    await vi.waitFor(
      async () => expect((await ask(graph, '{ riskFaults { kind } }')).riskFaults).toHaveLength(1),
      10_000,
    );
    await done(graph, 'stopTestRun', { runId });
    const run = await over(graph, runId);
    expect(run.chaosEvents.map(({ status }: { status: string }) => status)).toEqual(['RECOVERED', 'RECOVERED']);
    expect(await leftovers(graph)).toEqual([]);
    expect(await refused(graph, 'injectChaos', input)).toMatchObject({ code: 'VALIDATION_FAILED' });
  });
});

describe('what a run tells', () => {
  it('is followed live: its state, its lines, and what its assertions find', async () => {
    const phases = [{ name: 'only', durationSeconds: 0, assertions: [{ name: 'service_health', service: 'trading' }] }];
    await write(graph, 'told', { configuration: { phases } });
    const runId = 'followed';
    const of = (field: string, selection: string) =>
      watch(graph.client, field, `subscription { ${field}(runId: "${runId}") { kind cursor at ${selection} } }`);
    const runs = of('testRunUpdated', 'run { status }');
    const lines = of('scenarioTimeline', 'entry { sequence message level }');
    const assertions = of('assertionEvaluated', 'result { name status }');
    await Promise.all([runs.begun(), lines.begun(), assertions.begun()]);
    await start(graph, 'told', { runId });
    await runs.until(({ run }) => run?.status === 'PASSED');
    await lines.until(({ entry }) => entry?.message.includes('the run is over'));
    await assertions.until(({ result }) => result?.status === 'PASSED');
    const sequence = lines.changes().map(({ entry }) => entry.sequence);
    expect(sequence).toEqual(sequence.map((_, i) => i + 1));
    await Promise.all([runs.leave(), lines.leave(), assertions.leave()]);
    const { testRunLogs } = await ask(
      graph,
      `{ testRunLogs(runId: "${runId}", level: INFO) { nodes { sequence message } } }`,
    );
    expect(testRunLogs.nodes[0]).toEqual({ sequence: 1, message: 'the run begins' });
  });

  it('is reported as JSON, HTML and CSV', async () => {
    const report = async (format: string) =>
      (
        await ask(
          graph,
          `query ($format: ReportFormat) { testReport(runId: "followed", format: $format) { format content summary impact
             recommendations timeline { offsetMs message } detections { name } generatedAt run { runId } } }`,
          { format },
        )
      ).testReport;
    const json = await report('JSON');
    expect(JSON.parse(json.content)).toMatchObject({
      runId: 'followed',
      status: 'passed',
      exitCode: 0,
      summary: json.summary,
    });
    expect(json.summary[0]).toMatch(/^Scenario told: PASSED after /);
    expect(json).toMatchObject({ detections: [], recommendations: ['Nothing: everything was as it should be.'] });
    const html = await report('HTML');
    expect(html.content).toMatch(/^<!doctype html>[\s\S]*<h1>Scenario told: PASSED<\/h1>/);
    const { content } = await report('CSV');
    const rows = content.trimEnd().split('\r\n');
    expect(rows[0]).toBe('at,offset_ms,level,message');
    expect(rows).toHaveLength(json.timeline.length + 1);
    expect((await ask(graph, '{ testReport(runId: "none") { content } }')).testReport).toBeNull();
  });

  it('is known to the strategy that it traded by, and to its trace', async () => {
    await write(graph, 'trader', {
      configuration: {
        bench: { instruments: [{ symbol: 'XTRY-USD', price: '10' }] },
        phases: [{ name: 'only', durationSeconds: 0 }],
      },
    });
    const run = await over(graph, await start(graph, 'trader', { runId: 'by-strategy' }));
    expect(run).toMatchObject({ status: 'PASSED', rollbackStatus: 'COMPLETED' });
    const { strategy, testRun } = await ask(
      graph,
      `{ strategy(id: "test-by-strategy") { status scenarios { scenarioId } } testRun(id: "by-strategy") { traceId trace { traceId } } }`,
    );
    expect(strategy).toEqual({ status: 'STOPPED', scenarios: [{ scenarioId: 'trader' }] });
    expect(testRun.trace).toEqual({ traceId: testRun.traceId });
  });
});
