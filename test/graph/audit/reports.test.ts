/** What is said of a time, days that are put aside, and chains that are anchored, broken and sealed anew. */
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestGraph } from '../../support/graph.ts';
import { watch } from '../../support/watch.ts';
import { at, type Data, openStage, type Stage } from './stage.ts';
import { ask, done, fault, refused } from './watch.ts';

let stage: Stage;
let graph: TestGraph;
const tell: Stage['tell'] = (events) => stage.tell(events);
const hour: Stage['hour'] = () => stage.hour();

beforeAll(async () => {
  stage = await openStage();
  graph = stage.graph;
});
afterAll(() => stage.close());

describe('a run of a scenario', () => {
  it('is judged by what the trail shows of it, and finally', async () => {
    const from = hour();
    await tell([
      { eventId: 'v1', timestamp: at(from + 1_000), eventType: 'price_shock_injected', scenarioId: 'crash' },
      { eventId: 'v2', timestamp: at(from + 61_000), eventType: 'drawdown_limit_breach', serviceName: 'risk' },
      { eventId: 'v3', timestamp: at(from + 5_000_000), eventType: 'emergency_position_reduction' },
    ]);
    const watcher = watch(
      graph.client,
      'scenarioValidationChanged',
      `subscription { scenarioValidationChanged(runId: "run-1") { kind cursor at validation { status } } }`,
    );
    await watcher.begun();
    const expected = [
      {
        name: 'breach',
        eventType: 'drawdown_*',
        serviceName: 'risk',
        withinMs: 120_000,
        afterEventType: 'price_shock_injected',
      },
      { name: 'reduction', eventType: 'emergency_position_reduction', withinMs: 300_000 },
    ];
    const run = { runId: 'run-1', scenarioId: 'crash', startedAt: at(from) };
    const fields = `validation { status metCount compliance expectations { name isFound delayMs isWithinSla event { eventId } } }`;
    const early = await done(graph, 'validateScenarioRun', { ...run, expected }, fields);
    expect(early.validation.status).toBe('PENDING');
    const { validation } = await done(
      graph,
      'validateScenarioRun',
      { ...run, endedAt: at(from + 3_600_000), expected },
      fields,
    );
    expect(validation).toEqual({
      status: 'FAILED',
      metCount: 1,
      compliance: '0.5',
      expectations: [
        { name: 'breach', isFound: true, delayMs: 60_000, isWithinSla: true, event: { eventId: 'v2' } },
        { name: 'reduction', isFound: false, delayMs: null, isWithinSla: false, event: null },
      ],
    });
    await watcher.until((told) => told.validation?.status === 'FAILED');
    await watcher.leave();
    const again = { ...run, endedAt: at(from + 3_600_000), expected };
    expect(await refused(graph, 'validateScenarioRun', again)).toMatchObject({
      code: 'INVALID_TRANSITION',
      from: 'FAILED',
    });
    const passed = { ...run, runId: 'run-2', endedAt: at(from + 3_600_000), expected: expected.slice(0, 1) };
    expect((await done(graph, 'validateScenarioRun', passed, fields)).validation.status).toBe('PASSED');
    const nothing = { ...run, runId: 'run-3', scenarioId: 'calm', endedAt: at(from + 1), expected: [] };
    expect((await done(graph, 'validateScenarioRun', nothing, fields)).validation.status).toBe('SKIPPED');
    const { riskSla, coverage, scenarioValidation, scenarioValidations } = await ask(
      graph,
      `query ($from: DateTime!, $to: DateTime!) {
        riskSla(from: $from, to: $to, scenarioId: "crash") { evaluatedCount metCount compliance items { name metCount evaluatedCount worstDelayMs } }
        coverage(definedCount: 4) { definedCount validatedCount coverage missing }
        scenarioValidation(runId: "run-1") { status } scenarioValidations(scenarioId: "crash") { totalCount } }`,
      { from: at(from), to: at(from + 2 * 3_600_000) },
    );
    expect(riskSla).toEqual({
      evaluatedCount: 3,
      metCount: 2,
      compliance: '0.6667',
      items: [
        { name: 'breach', metCount: 2, evaluatedCount: 2, worstDelayMs: 60_000 },
        { name: 'reduction', metCount: 0, evaluatedCount: 1, worstDelayMs: null },
      ],
    });
    expect(coverage).toEqual({ definedCount: 4, validatedCount: 1, coverage: '0.25', missing: ['calm'] });
    expect(scenarioValidation.status).toBe('FAILED');
    expect(scenarioValidations.totalCount).toBe(2);
  });
});

describe('a time', () => {
  it('is a timeline of what led to what', async () => {
    const from = hour();
    const traceId = 'ab'.repeat(16);
    await tell([
      { eventId: 't1', timestamp: at(from), eventType: 'order_created', traceId },
      { eventId: 't2', timestamp: at(from + 1), eventType: 'order_received', traceId },
      { eventId: 't3', timestamp: at(from + 2), eventType: 'order_execution', traceId },
      { eventId: 't4', timestamp: at(from + 3), eventType: 'unrelated' },
    ]);
    const { timeline } = await ask(
      graph,
      `query ($from: DateTime!, $to: DateTime!) { timeline(from: $from, to: $to, limit: 100) { eventCount depth rootCount
        events { depth event { eventId } } correlations { ruleName } validations { runId } } }`,
      { from: at(from), to: at(from + 1_000) },
    );
    expect(timeline.events.map((one: Data) => `${one.event.eventId} ${one.depth}`)).toEqual([
      't1 0',
      't2 1',
      't3 2',
      't4 0',
    ]);
    expect(timeline).toMatchObject({ eventCount: 4, depth: 2, rootCount: 2 });
    const wrong = `query ($from: DateTime!, $to: DateTime!) { timeline(from: $from, to: $to) { depth } }`;
    expect((await fault(graph, wrong, { from: at(from), to: at(from) })).message).toContain('to must lie after from');
  });

  it('has anomalies, and differs from the one before it', async () => {
    const from = hour();
    const burst = Array.from({ length: 40 }, (_, i) => ({
      timestamp: at(from + 15 * 60_000 + i),
      serviceName: 'loud',
      severity: i < 10 ? 'ERROR' : 'INFO',
      durationNs: '2000000',
    }));
    await tell([{ timestamp: at(from), serviceName: 'loud' }, ...burst]);
    const window = { from: at(from), to: at(from + 20 * 60_000) };
    const { anomalies } = await ask(
      graph,
      `query ($from: DateTime!, $to: DateTime!) { anomalies(from: $from, to: $to) { serviceName kind at count } }`,
      window,
    );
    expect(anomalies).toEqual([{ serviceName: 'loud', kind: 'SPIKE', at: at(from + 15 * 60_000), count: 40 }]);
    const { performanceImpact } = await ask(
      graph,
      `query ($from: DateTime!, $to: DateTime!) { performanceImpact(from: $from, to: $to, serviceNames: ["loud"]) {
        during { eventCount errorCount errorRate averageDurationMs } before { eventCount errorRate } rateRatio errorRateDifference } }`,
      { from: at(from + 10 * 60_000), to: at(from + 20 * 60_000) },
    );
    expect(performanceImpact).toEqual({
      during: { eventCount: 40, errorCount: 10, errorRate: 0.25, averageDurationMs: 2 },
      before: { eventCount: 1, errorRate: 0 },
      rateRatio: 40,
      errorRateDifference: 0.25,
    });
  });

  it('has a report, which is kept', async () => {
    const from = hour();
    await tell([{ eventId: 'g1', timestamp: at(from), domain: 'risk', category: 'RISK', severity: 'CRITICAL' }]);
    const { report } = await done(
      graph,
      'generateAuditReport',
      { from: at(from), to: at(from + 1_000), by: 'ann' },
      'report { reportId compliance summary recommendations generatedBy from to }',
    );
    expect(report).toMatchObject({ compliance: 'FINDINGS', generatedBy: 'ann', from: at(from) });
    expect(report.summary.counts).toMatchObject({ total: 1, byDomain: { risk: 1 }, bySeverity: { critical: 1 } });
    expect(report.summary.chains.every((one: Data) => one.isValid)).toBe(true);
    const { auditReport, auditReports } = await ask(
      graph,
      `query ($id: ID!) { auditReport(id: $id) { compliance } auditReports { totalCount } }`,
      { id: report.reportId },
    );
    expect(auditReport.compliance).toBe('FINDINGS');
    expect(auditReports.totalCount).toBe(1);
    const own = await ask(
      graph,
      `{ auditEvents(filter: { domains: ["audit"], eventTypes: ["audit_report_generated"] }) { nodes { actorId } } }`,
    );
    expect(own.auditEvents.nodes).toEqual([{ actorId: 'ann' }]);
  });
});

describe('days that are over', () => {
  it('are put aside whole, and stay found, in their chains', async () => {
    const from = Date.parse('2026-02-03T10:00:00Z');
    await tell([0, 1, 2].map((i) => ({ eventId: `old-${i}`, timestamp: at(from + i), domain: 'custodian' })));
    expect((await refused(graph, 'archiveAuditEvents', { before: at(Date.now()), by: 'ann' })).message).toContain(
      'a day ago',
    );
    const before = '2026-02-04T00:00:00Z';
    const archived = await done(graph, 'archiveAuditEvents', { before, by: 'ann' }, 'dayCount eventCount');
    expect(archived).toEqual({ dayCount: 1, eventCount: 3 });
    const { auditEvent, auditEvents, auditTrail, verifyChain } = await ask(
      graph,
      `{ auditEvent(id: "old-1") { eventId chainId } auditEvents(filter: { from: "2026-02-03T00:00:00Z", to: "2026-02-04T00:00:00Z" }) { totalCount }
         auditTrail(filter: { from: "2026-02-03T00:00:00Z", to: "2026-02-04T00:00:00Z" }, sortOrder: ASC) { nodes { eventId } }
         verifyChain(chainId: "audit:custodian") { isValid checkedCount } }`,
    );
    expect(auditEvent).toEqual({ eventId: 'old-1', chainId: 'audit:custodian' });
    expect(auditEvents.totalCount).toBe(0);
    expect(auditTrail.nodes).toHaveLength(3);
    expect(verifyChain).toEqual({ isValid: true, checkedCount: 3 });
    const ranges = await graph.sql(
      'audit',
      `select first_sequence, last_sequence, event_count, first_hash, last_hash from archived_ranges where chain_id = 'audit:custodian'`,
    );
    const [first] = await graph.sql('audit', `select hash from archived_events where event_id = 'old-0'`);
    const [last] = await graph.sql('audit', `select hash from archived_events where event_id = 'old-2'`);
    expect(ranges).toEqual([
      { first_sequence: '1', last_sequence: '3', event_count: '3', first_hash: first.hash, last_hash: last.hash },
    ]);
    await tell([{ eventId: 'old-3', timestamp: at(from + 5), domain: 'custodian' }]);
    expect(await done(graph, 'archiveAuditEvents', { before, by: 'ann' }, 'eventCount')).toEqual({ eventCount: 1 });
    expect(
      (await ask(graph, `{ verifyChain(chainId: "audit:custodian") { checkedCount isValid } }`)).verifyChain,
    ).toEqual({ checkedCount: 4, isValid: true });
  });
});

describe('the heads of the chains', () => {
  it('are written down outside the database, and what was cut off since is missed', async () => {
    await tell([
      { eventId: 'a1', domain: 'registry' },
      { eventId: 'a2', domain: 'registry' },
    ]);
    const { anchors } = await done(graph, 'anchorChains', { by: 'ann' }, 'anchors { chainId sequence hash places }');
    expect(anchors).toContainEqual({
      chainId: 'audit:registry',
      sequence: '2',
      hash: expect.any(String),
      places: ['file'],
    });
    const lines = (await readFile(stage.anchorFile, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
    expect(lines).toContainEqual(expect.objectContaining({ chainId: 'audit:registry', sequence: 2 }));
    const { chainAnchors } = await ask(graph, `{ chainAnchors(chainId: "audit:registry") { nodes { sequence } } }`);
    expect(chainAnchors.nodes).toEqual([{ sequence: '2' }]);
    const verify = `{ verifyChain(chainId: "audit:registry") { isValid anchoredUntil firstBreak { kind sequence } } }`;
    expect((await ask(graph, verify)).verifyChain).toEqual({ isValid: true, anchoredUntil: '2', firstBreak: null });

    const broken = watch(
      graph.client,
      'chainBroken',
      'subscription { chainBroken { kind cursor at chainBreak { chainId kind sequence } } }',
    );
    await broken.begun();
    const was = await readFile(stage.anchorFile, 'utf8');
    await writeFile(
      stage.anchorFile,
      `${was}\n{"chainId":"audit:registry","sequence":5,"hash":"${'f'.repeat(64)}","anchoredAt":"x"}\n{"chainId":"audit:reg`,
    );
    expect((await ask(graph, verify)).verifyChain.firstBreak).toEqual({ kind: 'TRUNCATION', sequence: '3' });
    const { chainBreak } = await broken.until((told) => told.chainBreak?.chainId === 'audit:registry');
    expect(chainBreak).toEqual({ chainId: 'audit:registry', kind: 'TRUNCATION', sequence: '3' });
    await broken.leave();
    await writeFile(stage.anchorFile, was);
  });

  it('go on in a new chain once one is broken, which names the break', async () => {
    expect(await refused(graph, 'resealChain', { chainId: 'audit:custodian', reason: 'x', by: 'ann' })).toMatchObject({
      code: 'INVALID_TRANSITION',
    });
    expect(await refused(graph, 'resealChain', { chainId: 'none', reason: 'x', by: 'ann' })).toMatchObject({
      code: 'NOT_FOUND',
    });
    const { chain } = await done(
      graph,
      'resealChain',
      { chainId: 'audit:registry', reason: 'the file was tampered with', by: 'ann' },
      'chain { chainId state isCurrent sequence }',
    );
    expect(chain).toEqual({ chainId: 'audit:registry:2', state: 'INTACT', isCurrent: true, sequence: '1' });
    await tell([{ eventId: 'a3', domain: 'registry' }]);
    const { auditEvent, chainBreaks, trail, old } = await ask(
      graph,
      `{ auditEvent(id: "a3") { chainId sequence } chainBreaks(chainId: "audit:registry") { kind resealedAs resealedBy }
         trail: verifyChain(chainId: "audit:registry:2") { isValid checkedCount } old: auditChains { chainId state isCurrent }
         }`,
    );
    expect(auditEvent).toEqual({ chainId: 'audit:registry:2', sequence: '2' });
    expect(chainBreaks).toEqual([{ kind: 'TRUNCATION', resealedAs: 'audit:registry:2', resealedBy: 'ann' }]);
    expect(trail).toEqual({ isValid: true, checkedCount: 2 });
    expect(old).toContainEqual({ chainId: 'audit:registry', state: 'BROKEN', isCurrent: false });
    const [sealedAs] = await graph.sql(
      'audit',
      `select payload from audit_events where chain_id = 'audit:registry:2' and sequence = 1`,
    );
    expect(sealedAs.payload.broken).toMatchObject({
      chainId: 'audit:registry',
      breaks: [{ kind: 'truncation', sequence: '3' }],
    });
  });

  it('are not there for a chain that is none', async () => {
    const { verifyChain } = await ask(graph, `{ verifyChain(chainId: "none") { isValid } }`);
    expect(verifyChain).toBeNull();
    expect((await fault(graph, `{ verifyChain(chainId: "audit:audit", from: 0) { isValid } }`)).message).toContain(
      'at least 1',
    );
  });
});
