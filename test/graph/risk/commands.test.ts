/** What people and services do with limits, alerts, metrics and snapshots. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import type { Feed } from '../../../platform/feed/feed.ts';
import type { Subgraph } from '../../../platform/subgraph.ts';
import type { Context } from '../../../subgraphs/risk/context.ts';
import { Retention } from '../../../subgraphs/risk/monitor/retention.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ACCOUNT, ask, done, fault, looked, openDesk, REFERENCE, refused, send } from './watch-desk.ts';

let graph: TestGraph;
let clock = 0;
const now = () => new Date(Date.now() + clock);

beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS, now });
  await openDesk(graph);
});
afterAll(() => graph.close());

const LIMIT =
  'limit { limitId version threshold isEnabled author approvedBy } pendingChange { changeId status threshold isEnabled }';
const set = (input: object) => done(graph, 'setRiskLimit', { type: 'NOTIONAL', by: 'ann', ...input }, LIMIT);

describe('a limit', () => {
  it('is made, tightened at once, and loosened by two people', async () => {
    const { limit } = await set({ threshold: '1000', warning: '700', description: 'For all' });
    expect(limit).toMatchObject({ version: 1, isEnabled: true, approvedBy: null });
    const tighter = await set({ threshold: '900', by: 'bob' });
    expect(tighter).toMatchObject({
      limit: { limitId: limit.limitId, version: 2, threshold: '900', author: 'bob' },
      pendingChange: null,
    });

    const looser = await set({ threshold: '2000' });
    expect(looser).toMatchObject({
      limit: { threshold: '900' },
      pendingChange: { status: 'PENDING', threshold: '2000' },
    });
    const { changeId } = looser.pendingChange;
    expect(await refused(graph, 'setRiskLimit', { type: 'NOTIONAL', threshold: '3000', by: 'ann' })).toMatchObject({
      code: 'CONFLICT',
    });
    expect(await refused(graph, 'approveLimitChange', { changeId, by: 'ann' })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    await done(graph, 'approveLimitChange', { changeId, by: 'cid' });
    expect(await refused(graph, 'approveLimitChange', { changeId, by: 'cid' })).toMatchObject({
      code: 'INVALID_TRANSITION',
    });
    const { riskLimit, limitHistory } = await ask(
      graph,
      `query ($id: ID!) { riskLimit(id: $id) { threshold author approvedBy version pendingChange { changeId } }
        limitHistory(limitId: $id, sortOrder: ASC) { nodes { version threshold author approvedBy } } }`,
      { id: limit.limitId },
    );
    expect(riskLimit).toEqual({ threshold: '2000', author: 'ann', approvedBy: 'cid', version: 3, pendingChange: null });
    expect(limitHistory.nodes.map((one: { threshold: string }) => one.threshold)).toEqual(['1000', '900', '2000']);
    await expect(graph.sql('risk', 'delete from limit_versions')).rejects.toThrow('append-only');
    await expect(graph.sql('risk', 'delete from risk_limits')).rejects.toThrow('append-only');
  });

  it('that a more specific one would loosen waits as well; a stricter one does not', async () => {
    const loose = await set({ threshold: '5000', scope: { accountId: ACCOUNT } });
    expect(loose).toMatchObject({ limit: { isEnabled: false }, pendingChange: { isEnabled: true } });
    const strict = await set({ threshold: '100', scope: { symbol: 'ETHUSD' } });
    expect(strict).toMatchObject({ limit: { isEnabled: true }, pendingChange: null });
    await done(graph, 'rejectLimitChange', { changeId: loose.pendingChange.changeId, reason: 'too much', by: 'bob' });
    const off = await done(graph, 'disableLimit', { limitId: strict.limit.limitId, by: 'ann' }, LIMIT);
    expect(off).toMatchObject({ limit: { isEnabled: true }, pendingChange: { isEnabled: false } });
    await done(graph, 'approveLimitChange', { changeId: off.pendingChange.changeId, by: 'bob' });
    const on = await done(graph, 'enableLimit', { limitId: strict.limit.limitId, by: 'ann' }, LIMIT);
    expect(on).toMatchObject({ limit: { isEnabled: true }, pendingChange: null });
  });

  it('is found by what it is about, and by whether it is in force', async () => {
    await looked(graph);
    const { byType, byInstrument, byAccount, global, enabled, effective, changes } = await ask(
      graph,
      `query ($id: ID!) {
        byType: riskLimits(filter: { type: NOTIONAL }) { totalCount }
        byInstrument: riskLimits(filter: { symbol: "eth/usd" }) { nodes { threshold instrument { displayName } } }
        byAccount: riskLimits(filter: { accountId: $id }) { nodes { threshold account { accountId } } }
        global: riskLimits(filter: { isGlobal: true }) { nodes { threshold } }
        enabled: riskLimits(filter: { isEnabled: false }) { nodes { threshold } }
        effective: effectiveLimits(scope: { symbol: "ETH-USD", accountId: $id }) { threshold }
        changes: limitChanges(status: REJECTED) { nodes { reason decidedBy limit { threshold } } } }`,
      { id: ACCOUNT },
    );
    expect(byType.totalCount).toBe(3);
    expect(byInstrument.nodes).toEqual([{ threshold: '100', instrument: { displayName: 'Ether' } }]);
    expect(byAccount.nodes).toEqual([{ threshold: '5000', account: { accountId: ACCOUNT } }]);
    expect(global.nodes).toEqual([{ threshold: '2000' }]);
    expect(enabled.nodes).toEqual([{ threshold: '5000' }]);
    expect(effective).toEqual([{ threshold: '100' }]);
    expect(changes.nodes).toEqual([{ reason: 'too much', decidedBy: 'bob', limit: { threshold: '5000' } }]);
  });

  it.each([
    [{ threshold: '0' }, /positive/],
    [{ threshold: '-1' }, /positive/],
    [{ threshold: '10', warning: '10' }, /below the threshold/],
    [{ type: 'LEVERAGE', direction: 'LONG', threshold: '3' }, /no side/],
    [{ type: 'DELTA', threshold: '3' }, /names an asset/],
    [{ threshold: '1', scope: { accountId: 'nobody' } }, /must be exchange/],
    [{ threshold: '1', by: ' ' }, /must not begin or end|1 to 255/],
  ])('is refused when it makes no sense: %o', async (input, message) => {
    const refusal = await refused(graph, 'setRiskLimit', { type: 'NOTIONAL', by: 'ann', ...input });
    expect(refusal).toMatchObject({ code: 'VALIDATION_FAILED', message: expect.stringMatching(message) });
  });

  it('is made once by two at once, and once by a repeat of the same key', async () => {
    const input = { type: 'LEVERAGE', threshold: '3', by: 'ann' };
    const answers = await Promise.all([1, 2, 3].map(() => send(graph, 'setRiskLimit', input, LIMIT)));
    expect(new Set(answers.map(({ limit }) => limit.limitId)).size).toBe(1);
    const key = { ...input, type: 'VAR', threshold: '750000', idempotencyKey: 'once' };
    const [first, second] = [
      await send(graph, 'setRiskLimit', key, LIMIT),
      await send(graph, 'setRiskLimit', key, LIMIT),
    ];
    expect(second.limit.version).toBe(first.limit.version);
  });
});

describe('an alert', () => {
  const ALERT = 'isNew alert { alertId severity status occurrences escalationLevel notified escalatesAt metricName }';
  const raise = (input: object = {}) =>
    done(graph, 'raiseAlert', { severity: 'HIGH', metricName: 'latency', message: 'It is slow.', ...input }, ALERT);

  it('that occurs again while it is open is one, and as bad as the worst', async () => {
    const first = await raise();
    const again = await raise({ severity: 'LOW' });
    expect(again).toMatchObject({
      isNew: false,
      alert: { alertId: first.alert.alertId, occurrences: 2, severity: 'HIGH' },
    });
    const worse = await raise({ severity: 'CRITICAL' });
    expect(worse.alert).toMatchObject({
      severity: 'CRITICAL',
      occurrences: 3,
      notified: ['RISK_TEAM', 'HEAD_OF_TRADING'],
    });
    await done(graph, 'resolveAlert', { alertId: first.alert.alertId, note: 'restarted', by: 'ann' });
    expect((await raise()).isNew).toBe(true);
  });

  it('escalates when nobody takes it up in time, not when somebody has, and by hand', async () => {
    const taken = await raise({ dedupKey: 'taken', severity: 'CRITICAL' });
    const left = await raise({ dedupKey: 'left', severity: 'CRITICAL' });
    const { alertId } = taken.alert;
    await done(graph, 'acknowledgeAlert', { alertId, by: 'ann' });
    clock += 6 * 60_000;
    const escalate = { alertId: left.alert.alertId, by: 'bob' };
    expect(left.alert.escalatesAt).not.toBeNull();
    const { alert } = await done(
      graph,
      'escalateAlert',
      escalate,
      'alert { escalationLevel notified escalations { level by } }',
    );
    expect(alert).toMatchObject({
      escalationLevel: 1,
      escalations: [
        { level: 0, by: 'system' },
        { level: 1, by: 'bob' },
      ],
    });
    expect(alert.notified).toContain('BOARD');
    await done(graph, 'escalateAlert', escalate);
    expect(await refused(graph, 'escalateAlert', escalate)).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await refused(graph, 'escalateAlert', { ...escalate, alertId })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  });

  it('expires when its time is over, and is final then', async () => {
    const expiresAt = new Date(now().getTime() + 60_000).toISOString();
    const { alert } = await raise({ dedupKey: 'short', severity: 'LOW', expiresAt });
    expect((await done(graph, 'expireAlerts', {}, 'expiredCount')).expiredCount).toBe(0);
    clock += 61_000;
    expect((await done(graph, 'expireAlerts', {}, 'expiredCount')).expiredCount).toBe(1);
    expect(await refused(graph, 'resolveAlert', { alertId: alert.alertId, by: 'ann' })).toMatchObject({
      code: 'INVALID_TRANSITION',
      from: 'EXPIRED',
      allowed: [],
    });
    expect(await refused(graph, 'resolveAlert', { alertId: 'none', by: 'ann' })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is found by severity, status, instrument, account and time, and counted', async () => {
    await raise({ dedupKey: 'about', severity: 'MEDIUM', scope: { symbol: 'BTCUSD', accountId: ACCOUNT } });
    const { bySeverity, byInstrument, byAccount, active, counts, history } = await ask(
      graph,
      `query ($id: ID!) {
        bySeverity: riskAlerts(filter: { severities: [MEDIUM] }) { nodes { severity } }
        byInstrument: riskAlerts(filter: { symbol: "BTC/USD" }) { nodes { instrument { displayName } } }
        byAccount: riskAlerts(filter: { accountId: $id, statuses: [ACTIVE] }) { nodes { account { accountId } } }
        active: activeAlerts(severity: MEDIUM, first: 100) { nodes { status } }
        counts: alertCounts(accountId: $id) { status severity count }
        history: riskAlerts(filter: { from: "2020-01-01T00:00:00Z" }, sortOrder: ASC) { totalCount } }`,
      { id: REFERENCE },
    );
    expect(bySeverity.nodes).toEqual([{ severity: 'MEDIUM' }]);
    expect(byInstrument.nodes).toEqual([{ instrument: { displayName: 'Bitcoin' } }]);
    expect(byAccount.nodes).toEqual([{ account: { accountId: ACCOUNT } }]);
    expect(active.nodes).toEqual([{ status: 'ACTIVE' }]);
    expect(counts).toEqual([{ status: 'ACTIVE', severity: 'MEDIUM', count: 1 }]);
    expect(history.totalCount).toBeGreaterThan(4);
    expect(await fault(graph, '{ activeAlerts(first: 101) { nodes { alertId } } }')).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  });

  it('past fifty an hour is counted in a summary, unless it is critical', async () => {
    clock += 3_700_000;
    for (let i = 0; i < 50; i++) expect((await raise({ dedupKey: `flood-${i}`, severity: 'LOW' })).isNew).toBe(true);
    const summary = await raise({ dedupKey: 'flood-50', severity: 'LOW' });
    expect(summary).toMatchObject({ isNew: true, alert: { metricName: 'alert_rate', severity: 'HIGH' } });
    expect(await raise({ dedupKey: 'flood-51' })).toMatchObject({
      isNew: false,
      alert: { alertId: summary.alert.alertId, occurrences: 2 },
    });
    expect(await raise({ dedupKey: 'flood-52', severity: 'CRITICAL' })).toMatchObject({
      isNew: true,
      alert: { severity: 'CRITICAL' },
    });
  });
});

describe('metrics and snapshots', () => {
  const metric = (more: object = {}) => ({
    accountId: ACCOUNT,
    unrealizedPnl: '1',
    realizedPnl: '2',
    totalExposure: '100',
    netExposure: '-100',
    var95: '5',
    calculatedAt: '2026-01-01T00:00:00Z',
    ...more,
  });
  const METRICS = 'metrics { metricId var99 isPortfolio isLowConfidence instrument { symbol } account { accountId } }';

  it('are recorded in batches, completed once, and never changed', async () => {
    const input = { metrics: [metric(), metric({ symbol: 'ETHUSD', calculatedAt: '2026-01-02T00:00:00Z' })] };
    const { metrics } = await done(graph, 'recordRiskMetrics', input, METRICS);
    expect(metrics).toMatchObject([{ isPortfolio: true }, { instrument: { symbol: 'ETH-USD' } }]);
    const { metricId } = metrics[0];
    const late = { metricId, var99: '7', expectedShortfall: '8' };
    expect(await refused(graph, 'completeRiskMetric', { metricId, var99: '4' })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    expect(await done(graph, 'completeRiskMetric', late, 'metric { var99 expectedShortfall }')).toEqual({
      metric: { var99: '7', expectedShortfall: '8' },
    });
    expect(await refused(graph, 'completeRiskMetric', late)).toMatchObject({ code: 'CONFLICT' });
    await expect(graph.sql('risk', 'update risk_metrics set var_95 = 0')).rejects.toThrow('late');
    const wrong = { metrics: [metric({ totalExposure: '99' })] };
    expect(await refused(graph, 'recordRiskMetrics', wrong)).toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  it('are read by id, account, instrument and as a series', async () => {
    const { series, latest, any } = await ask(
      graph,
      `query ($id: ID!) {
        series: riskMetrics(filter: { accountId: $id, symbol: "PORTFOLIO", to: "2026-01-02T00:00:00Z" }, sortOrder: ASC) { nodes { metricId var95 } }
        latest: latestRiskMetric(accountId: $id, symbol: "ETH-USD") { metricId calculatedAt }
        any: latestRiskMetric(symbol: "ETH-USD") { metricId } }`,
      { id: ACCOUNT },
    );
    expect(series.nodes).toEqual([{ metricId: expect.any(String), var95: '5' }]);
    expect(latest.calculatedAt).toBe('2026-01-02T00:00:00Z');
    expect(any.metricId).toBe(latest.metricId);
    const { riskMetric } = await ask(graph, 'query ($id: ID!) { riskMetric(id: $id) { metricId } }', {
      id: latest.metricId,
    });
    expect(riskMetric).toEqual({ metricId: latest.metricId });
  });

  it('are deleted when they are old, and only then', async () => {
    const before = now().toISOString();
    expect(await refused(graph, 'deleteRiskMetrics', { before })).toMatchObject({ code: 'VALIDATION_FAILED' });
    const { deletedCount } = await done(graph, 'deleteRiskMetrics', { before: '2026-02-01T00:00:00Z' }, 'deletedCount');
    expect(deletedCount).toBe(2);
  });

  it('of positions are what each source said, by account, instrument, venue and source', async () => {
    const insert = (at: string, rows: string) =>
      graph.sql(
        'risk',
        `insert into position_snapshots (account_id, instrument_id, source, venue, quantity, market_value, snapshot_timestamp)
         select '${REFERENCE}', column1, column2, column3, column4::numeric, column5::numeric, '${at}' from (values ${rows}) as given`,
      );
    await insert(
      '2026-01-01T00:00:00Z',
      `('BTC-USD', 'trading', null, 1, 100), ('ETH-USD', 'trading', null, -2, -20), ('BTC', 'exchange', 'exchange', 3, 300)`,
    );
    await insert('2026-01-02T00:00:00Z', `('BTC-USD', 'trading', null, 2, 220)`);
    const { early, late, bySource, byVenue, series, sums } = await ask(
      graph,
      `query ($id: ID!) {
        early: positionsAsOf(at: "2026-01-01T12:00:00Z", accountId: $id, source: TRADING) { instrumentId quantity }
        late: positionsAsOf(at: "2026-01-02T00:00:00Z", accountId: $id) { instrumentId quantity source }
        bySource: positionSnapshots(filter: { source: EXCHANGE }) { nodes { snapshotId venue } }
        byVenue: positionSnapshots(filter: { venue: "exchange" }) { totalCount }
        series: positionSnapshots(filter: { accountId: $id, symbol: "BTC/USD" }, sortOrder: ASC) { nodes { at quantity } }
        sums: aggregatedPositions(groupBy: SOURCE) { key exposure count } }`,
      { id: ACCOUNT },
    );
    expect(early).toEqual([
      { instrumentId: 'BTC-USD', quantity: '1' },
      { instrumentId: 'ETH-USD', quantity: '-2' },
    ]);
    expect(late).toEqual([
      { instrumentId: 'BTC', quantity: '3', source: 'EXCHANGE' },
      { instrumentId: 'BTC-USD', quantity: '2', source: 'TRADING' },
    ]);
    expect(byVenue.totalCount).toBe(1);
    expect(series.nodes.map(({ quantity }: { quantity: string }) => quantity)).toEqual(['1', '2']);
    expect(sums).toEqual([
      { key: 'exchange', exposure: '300', count: 1 },
      { key: 'trading', exposure: '220', count: 1 },
    ]);
    const id = bySource.nodes[0].snapshotId;
    const { positionSnapshot } = await ask(graph, 'query ($id: ID!) { positionSnapshot(id: $id) { quantity } }', {
      id,
    });
    expect(positionSnapshot).toEqual({ quantity: '3' });
    await expect(graph.sql('risk', 'update position_snapshots set quantity = 0')).rejects.toThrow('append-only');
    const { deletedCount } = await done(
      graph,
      'deletePositionSnapshots',
      { before: '2026-01-02T00:00:00Z' },
      'deletedCount',
    );
    expect(deletedCount).toBe(3);
  });
});

describe('whoever tries to get round the rules', () => {
  it('sets no limit of nothing, below nothing, or of more than can be kept', async () => {
    for (const threshold of ['0', '-1', '9999999999999999']) {
      const refusal = await refused(graph, 'setRiskLimit', { type: 'LEVERAGE', threshold, by: 'ann' });
      expect(refusal).toMatchObject({ code: 'VALIDATION_FAILED' });
    }
  });

  it('does not approve what he asked for himself under another form of his name', async () => {
    const limit = { type: 'LEVERAGE', by: 'ann' };
    await done(graph, 'setRiskLimit', { ...limit, threshold: '3' });
    const looser = await done(graph, 'setRiskLimit', { ...limit, threshold: '9' }, 'pendingChange { changeId }');
    const { changeId } = looser.pendingChange;
    for (const by of ['ANN', 'Ａnn', 'an\u200bn']) {
      expect((await refused(graph, 'approveLimitChange', { changeId, by })).message).toContain('cannot approve it');
    }
    await done(graph, 'rejectLimitChange', { changeId, by: 'bob', reason: 'no' });
  });
});

describe('what is old', () => {
  it('goes: breaches that are over once their alerts are gone, and results of stress tests; what lasts stays', async () => {
    await done(graph, 'setRiskLimit', { type: 'DRAWDOWN', threshold: '0.9', by: 'ann' });
    await graph.sql(
      'risk',
      `with old as (
         insert into risk_breaches (limit_id, limit_version, state_id, current_value, threshold_value, utilisation,
                                    peak_value, started_at, ended_at)
         select limit_id, 1, state, 1, 1, 1, 1, timestamptz '2020-01-01' + nth * interval '1 day',
                case when nth < 3 then timestamptz '2020-02-01' end
           from (select limit_id from risk_limits where limit_type = 'drawdown') as limits,
                unnest(array['alone', 'with an alert', 'lasting']) with ordinality as states(state, nth)
         returning breach_id, state_id)
       insert into risk_alerts (severity, status, metric_name, message, breach_id, dedup_key, triggered_at, last_occurred_at)
       select 'critical', 'active', 'drawdown', 'x', breach_id, 'old', '2020-01-01', '2020-01-01' from old
        where state_id = 'with an alert'`,
    );
    await graph.sql(
      'risk',
      `insert into stress_test_results (account_id, scenario, loss, is_margin_call, is_liquidated, is_stale, requested_by,
                                        calculated_at)
       select 'x', name, 1, false, false, false, 'ann', at::timestamptz
         from (values ('old', '2020-01-01'), ('new', now()::text)) as results(name, at)`,
    );
    const { db } = (graph.subgraphs.get('risk') as Subgraph).createContext({}) as Context;
    const retain = () => new Retention({ db, feed: { ring: () => undefined } as Feed }).run(new Date());
    const left = async () => {
      const breaches = await graph.sql(
        'risk',
        `select state_id from risk_breaches where started_at < '2020-03-01' order by 1`,
      );
      const results = await graph.sql(
        'risk',
        `select scenario from stress_test_results where account_id = 'x' order by 1`,
      );
      return [...breaches.map((row) => row.state_id), ...results.map((row) => row.scenario)];
    };
    await retain();
    expect(await left()).toEqual(['lasting', 'with an alert', 'new']);
    await graph.sql(
      'risk',
      `update risk_alerts set status = 'resolved', resolved_at = triggered_at, resolved_by = 'ann' where dedup_key = 'old'`,
    );
    await retain();
    expect(await left()).toEqual(['lasting', 'new']);
    const change = `update stress_test_results set loss = 0 where account_id = 'x'`;
    await expect(graph.sql('risk', change)).rejects.toThrow('append-only');
    await graph.sql('risk', `update risk_breaches set ended_at = now() where state_id = 'lasting'`);
  });
});
