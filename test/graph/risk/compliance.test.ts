/** Compliance reports of what happened in a period, and how long that is kept. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ACCOUNT, ask, done, looked, openDesk, price, REFERENCE, refused, trade, until } from './watch-desk.ts';

let graph: TestGraph;
let clock = 0;
const at = () => new Date(Date.now() + clock).toISOString();

beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS, now: () => new Date(Date.now() + clock) });
  await openDesk(graph);
});
afterAll(() => graph.close());

const REPORT = 'report { reportId kind from to accountId payload isCut generatedBy generatedAt }';

const generate = async (kind: string, from: string, to: string, more: object = {}) =>
  (await done(graph, 'generateComplianceReport', { kind, from, to, by: 'carol', ...more }, REPORT)).report;

const openBreaches = async () =>
  (await ask(graph, '{ riskBreaches(filter: { isOpen: true }) { totalCount } }')).riskBreaches;

describe('a report', () => {
  let from: string;

  it('of broken limits says how often, how long and how far', async () => {
    from = at();
    await trade(graph, 'desk', '5', '100');
    await done(graph, 'setRiskLimit', { type: 'NOTIONAL', scope: { symbol: 'BTC-USD' }, threshold: '1000', by: 'ann' });
    for (const value of ['250', '100', '240']) {
      await price(graph, 'BTC-USD', value);
      await until(async () => expect(await openBreaches()).toEqual({ totalCount: value === '100' ? 0 : 1 }));
    }
    clock += 100_000;
    const report = await generate('LIMIT_BREACHES', from, at());
    expect(report).toMatchObject({ kind: 'LIMIT_BREACHES', accountId: null, isCut: false, generatedBy: 'carol' });
    expect(Date.parse(report.from)).toBe(Date.parse(from));
    const { limits, breaches } = report.payload;
    expect(limits).toMatchObject([{ type: 'notional', count: 2, openCount: 1, peakUtilisation: '1.25' }]);
    expect(limits[0].brokenSeconds).toBeGreaterThanOrEqual(100);
    expect(breaches).toMatchObject([
      { accountId: REFERENCE, symbol: 'BTC-USD', threshold: '1000', peakValue: '1200', endedAt: null, limitVersion: 1 },
      { peakValue: '1250', endedAt: expect.any(String) },
    ]);
    expect(breaches[0].alertIds).toHaveLength(1);
    const before = await generate('LIMIT_BREACHES', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z');
    expect(before.payload).toEqual({ limits: [], breaches: [] });
  });

  it('of performance says what accounts and instruments have gained', async () => {
    const point = (ago: number, pnl: number) =>
      graph.sql(
        'risk',
        `insert into portfolio_points (account_id, minute, total_pnl, equity, exposure)
         values ($1, date_trunc('minute', $2::timestamptz - $3 * interval '1 day'), $4, 1000, 500)`,
        [REFERENCE, at(), ago, pnl],
      );
    await point(6, 10);
    await point(4, 25);
    await point(3, 18.5);
    const metric = {
      accountId: ACCOUNT,
      symbol: 'BTC-USD',
      realizedPnl: '0',
      totalExposure: '500',
      netExposure: '500',
    };
    const daysAgo = (days: number) => new Date(Date.parse(at()) - days * 86_400_000).toISOString();
    for (const [days, unrealizedPnl] of [
      [6, '10'],
      [3, '18.5'],
    ] as const) {
      const metrics = [{ ...metric, unrealizedPnl, calculatedAt: daysAgo(days) }];
      await done(graph, 'recordRiskMetrics', { metrics });
    }
    const { payload } = await generate('PERFORMANCE_ATTRIBUTION', daysAgo(5), daysAgo(2), { accountId: ACCOUNT });
    expect(payload).toEqual({
      accounts: [
        {
          accountId: REFERENCE,
          pnlAtBegin: '10',
          pnlAtEnd: '18.5',
          pnl: '8.5',
          equityAtEnd: '1000',
          peakExposure: '500',
        },
      ],
      instruments: [{ accountId: REFERENCE, symbol: 'BTC-USD', pnl: '8.5', exposureAtEnd: '500' }],
    });
  });

  it('of compliance says who did what, in its order', async () => {
    const { activeAlerts } = await ask(graph, '{ activeAlerts { nodes { alertId } } }');
    const [{ alertId }] = activeAlerts.nodes;
    await done(graph, 'acknowledgeAlert', { alertId, by: 'bob' });
    await done(graph, 'triggerCircuitBreaker', { reason: 'a drill', by: 'ann' });
    await done(graph, 'resetCircuitBreaker', { reason: 'it is over', by: 'ann' });
    clock += 1_000;
    const { payload } = await generate('COMPLIANCE_TRAIL', from, at());
    const steps = payload.steps.map(({ what, by }: Record<string, string>) => `${what} ${by}`);
    expect(steps.filter((step: string) => !step.startsWith('ALERT_ESCALATED'))).toEqual([
      'LIMIT_VERSION ann',
      'ALERT_RAISED system',
      'ALERT_RESOLVED system',
      'ALERT_RAISED system',
      'ALERT_ACKNOWLEDGED bob',
      'CIRCUIT_BREAKER_OPEN ann',
      'CIRCUIT_BREAKER_CLOSED ann',
    ]);
    const ofNobody = await generate('COMPLIANCE_TRAIL', from, at(), { accountId: 'custody:nobody' });
    expect(ofNobody.payload.steps).toEqual([]);
  });

  it('is kept as it is, and found by kind, account and time', async () => {
    const { complianceReports } = await ask(
      graph,
      '{ complianceReports(filter: { kind: PERFORMANCE_ATTRIBUTION }) { totalCount nodes { reportId accountId } } }',
    );
    expect(complianceReports).toMatchObject({ totalCount: 1, nodes: [{ accountId: REFERENCE }] });
    const [{ reportId }] = complianceReports.nodes;
    const found = await ask(
      graph,
      `query ($id: ID!, $account: ID!, $to: DateTime!) {
        complianceReport(id: $id) { kind }
        one: complianceReports(filter: { accountId: $account }) { totalCount }
        early: complianceReports(filter: { to: $to }) { totalCount } }`,
      { id: reportId, account: ACCOUNT, to: from },
    );
    expect(found).toEqual({
      complianceReport: { kind: 'PERFORMANCE_ATTRIBUTION' },
      one: { totalCount: 1 },
      early: { totalCount: 0 },
    });
    await expect(graph.sql('risk', `update compliance_reports set payload = '{}'`)).rejects.toThrow();
    expect(await ask(graph, '{ complianceReport(id: "none") { kind } }')).toEqual({ complianceReport: null });
  });

  it.each([
    ['that ends before it begins', '2026-02-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['of more than a year', '2024-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['of the future', '2026-01-01T00:00:00Z', '2026-12-31T00:00:00Z'],
  ])('is refused of a period %s', async (_, begin, to) => {
    const input = { kind: 'LIMIT_BREACHES', from: begin, to, by: 'carol' };
    expect(await refused(graph, 'generateComplianceReport', input)).toMatchObject({ code: 'VALIDATION_FAILED' });
  });
});

describe('what is old', () => {
  const ages = async () => {
    const count = async (table: string, column: string) => {
      const [row] = await graph.sql(
        'risk',
        `select count(*)::int as old from ${table} where ${column} < $1::timestamptz - interval '80 days'`,
        [at()],
      );
      return row.old;
    };
    return {
      metrics: await count('risk_metrics', 'calculation_timestamp'),
      snapshots: await count('position_snapshots', 'snapshot_timestamp'),
      points: await count('portfolio_points', 'minute'),
      alerts: await count('risk_alerts', 'triggered_at'),
    };
  };

  it('is removed by the monitor when its time is over, and an open alert never', async () => {
    await done(graph, 'capturePositions', {});
    await looked(graph);
    const days = (count: number) => count * 86_400_000;
    const [{ open }] = await graph.sql(
      'risk',
      `select count(*)::int as open from risk_alerts where status in ('active', 'acknowledged')`,
    );
    expect(open).toBeGreaterThan(0);
    const pass = async (count: number) => {
      clock += days(count);
      await looked(graph);
      return ages();
    };
    const early = await pass(85);
    for (const count of Object.values(early)) expect(count).toBeGreaterThan(0);
    expect((await pass(6)).alerts).toBe(open); // what is over is gone after 90 days
    const later = await pass(100);
    expect(later).toMatchObject({ snapshots: 0 });
    expect(later.points).toBeGreaterThan(0);
    expect((await pass(185)).points).toBeLessThan(later.points + 2);
    const [{ oldest }] = await graph.sql(
      'risk',
      `select $1::timestamptz - min(minute) < interval '366 days' as oldest from portfolio_points`,
      [at()],
    );
    expect(oldest).toBe(true);
  });
});
