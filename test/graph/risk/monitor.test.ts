/** Limits that are watched: warnings, breaches, alerts and the circuit breaker, as trades and prices move. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { DOMAINS } from '../../../platform/domains.ts';
import type { Subgraph } from '../../../platform/subgraph.ts';
import type { Context } from '../../../subgraphs/risk/context.ts';
import { takeSteps } from '../../../subgraphs/risk/monitor/breaches.ts';
import { type Reading, stateIdOf } from '../../../subgraphs/risk/monitor/states.ts';
import {
  growthOf,
  maximumDrawdown,
  returnsOnCapital,
  sharpeRatio,
  sortinoRatio,
} from '../../../subgraphs/risk/rules/returns.ts';
import type { Band } from '../../../subgraphs/risk/rules/utilisation.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { type Watcher, watch } from '../../support/watch.ts';
import { ACCOUNT, ask, done, looked, openDesk, price, REFERENCE, refused, trade, until } from './watch-desk.ts';

let graph: TestGraph;
let alerts: Watcher;
let clock = 0;

const ALERTS = `subscription { alertChanges { kind cursor at alert {
  alertId severity status metricName occurrences escalationLevel notified limit { limitId } breach { breachId } } } }`;

beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS, now: () => new Date(Date.now() + clock) });
  await openDesk(graph);
  alerts = watch(graph.client, 'alertChanges', ALERTS);
  await alerts.begun();
});
afterAll(async () => {
  await alerts.leave();
  await graph.close();
});

const limit = (threshold: string, more: object = {}) =>
  done(
    graph,
    'setRiskLimit',
    { type: 'NOTIONAL', scope: { symbol: 'BTC-USD' }, threshold, by: 'ann', ...more },
    'limit { limitId isEnabled version } pendingChange { changeId }',
  );

const plain = (value: Decimal | null) => value?.toDecimalPlaces(8).toFixed();

const told = (status: string, severity: string) =>
  alerts.until(({ alert }) => alert?.status === status && alert.severity === severity);

const open = async () =>
  await ask(
    graph,
    '{ activeAlerts { nodes { severity metricName } } riskBreaches(filter: { isOpen: true }) { totalCount } }',
  );

describe('a limit that is watched', () => {
  it('warns, breaks and is kept again as the price moves, each step in one transaction', async () => {
    await limit('1000');
    await trade(graph, 'desk', '5', '100');
    await price(graph, 'BTC-USD', '160');
    await told('ACTIVE', 'MEDIUM');
    await price(graph, 'BTC-USD', '250');
    const { alert } = await told('ACTIVE', 'CRITICAL');
    expect(alert).toMatchObject({ metricName: 'notional', notified: ['RISK_TEAM', 'HEAD_OF_TRADING'] });
    const { activeAlerts, riskBreaches } = await open();
    expect(activeAlerts.nodes).toEqual([{ severity: 'CRITICAL', metricName: 'notional' }]);
    expect(riskBreaches.totalCount).toBe(1);

    await price(graph, 'BTC-USD', '400');
    await price(graph, 'BTC-USD', '100');
    await told('RESOLVED', 'CRITICAL');
    expect(await open()).toEqual({ activeAlerts: { nodes: [] }, riskBreaches: { totalCount: 0 } });
    const { riskBreaches: all } = await ask(
      graph,
      `{ riskBreaches { nodes { startedAt endedAt limitVersion account { accountId } instrument { symbol }
         alerts { status resolvedBy } limit { threshold utilisation { utilisation band } } } } }`,
    );
    expect(all.nodes).toEqual([
      {
        startedAt: expect.any(String),
        endedAt: expect.any(String),
        limitVersion: 1,
        account: { accountId: ACCOUNT },
        instrument: { symbol: 'BTC-USD' },
        alerts: [{ status: 'RESOLVED', resolvedBy: 'system' }],
        limit: { threshold: '1000', utilisation: [{ utilisation: '0.5', band: 'OK' }] },
      },
    ]);
  });

  it('tells how far it is used, live and when asked', async () => {
    await looked(graph);
    const { portfolio, limitUtilisation, instrument, complianceStatus } = await ask(
      graph,
      `query ($id: ID!) {
        portfolio(accountId: $id) { limits { utilisation limit { type } } openAlerts { nodes { alertId } }
          risk { grossExposure totalPnl level isStale exposures { instrument { displayName } concentration } deltas { asset units } } }
        limitUtilisation(filter: { band: OK }) { current threshold }
        instrument(symbol: "BTC-USD") { limits { threshold } limitUtilisation { current } }
        complianceStatus { isCompliant checkedCount breachedCount }
      }`,
      { id: ACCOUNT },
    );
    expect(portfolio).toEqual({
      limits: [{ utilisation: '0.5', limit: { type: 'NOTIONAL' } }],
      openAlerts: { nodes: [] },
      risk: {
        grossExposure: '500',
        totalPnl: '0',
        level: 'LOW',
        isStale: false,
        exposures: [{ instrument: { displayName: 'Bitcoin' }, concentration: '1' }],
        deltas: [
          { asset: 'BTC', units: '5' },
          { asset: 'USD', units: '-500' },
        ],
      },
    });
    expect(limitUtilisation).toEqual([{ current: '500', threshold: '1000' }]);
    expect(instrument).toEqual({ limits: [{ threshold: '1000' }], limitUtilisation: [{ current: '500' }] });
    expect(complianceStatus).toEqual({ isCompliant: true, checkedCount: 1, breachedCount: 0 });
    const told = watch(
      graph.client,
      'limitUtilisationChanges',
      'subscription { limitUtilisationChanges { kind cursor at utilisation { utilisation } } }',
    );
    await told.until(({ utilisation }) => utilisation?.utilisation === '0.5');
    await told.leave();
  });

  it('is lowered at once and breaks at once; its alert cannot be resolved while it is broken', async () => {
    const before = alerts.changes().length;
    await limit('400');
    await until(async () =>
      expect(alerts.changes().slice(before).at(-1)?.alert).toMatchObject({ severity: 'CRITICAL', status: 'ACTIVE' }),
    );
    const alert = alerts.changes().at(-1)?.alert;
    const refusal = await refused(graph, 'resolveAlert', { alertId: alert.alertId, by: 'bob' });
    expect(refusal).toMatchObject({ code: 'VALIDATION_FAILED', message: expect.stringContaining('still broken') });
    await done(graph, 'acknowledgeAlert', { alertId: alert.alertId, by: 'bob' });
    expect(await refused(graph, 'acknowledgeAlert', { alertId: alert.alertId, by: 'bob' })).toMatchObject({
      code: 'INVALID_TRANSITION',
      from: 'ACKNOWLEDGED',
      allowed: ['RESOLVED', 'EXPIRED'],
    });
  });

  it('ends its breach when it goes out of force, which a second person approves', async () => {
    const { limitUtilisation } = await ask(graph, '{ limitUtilisation { limit { limitId } } }');
    const { limitId } = limitUtilisation[0].limit;
    const { pendingChange } = await done(graph, 'disableLimit', { limitId, by: 'ann' }, 'pendingChange { changeId }');
    const { changeId } = pendingChange;
    expect(await refused(graph, 'approveLimitChange', { changeId, by: 'ann' })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    await done(graph, 'approveLimitChange', { changeId, by: 'bob' });
    await until(async () =>
      expect(await open()).toEqual({ activeAlerts: { nodes: [] }, riskBreaches: { totalCount: 0 } }),
    );
  });
});

describe('a breach', () => {
  it('begins and ends once, whoever sees it, and only from the band that its state is in', async () => {
    const { db } = (graph.subgraphs.get('risk') as Subgraph).createContext({}) as Context;
    const [{ limit_id: limitId }] = await graph.sql('risk', 'select limit_id from risk_limits limit 1');
    const place = { accountId: REFERENCE, strategyId: null, instrumentId: 'ETH-USD', asset: null };
    const stateId = stateIdOf(limitId, place);
    const reading = (current: string): Reading => ({
      ...place,
      stateId,
      limitId,
      limitVersion: 1,
      limitType: 'notional',
      current: dec(current),
      threshold: dec(100),
      utilisation: dec(current).div(100),
      warningAt: dec('0.75'),
      isStale: false,
    });
    const trace = 'ab'.repeat(16);
    const take = async (before: Band, band: 'ok' | 'breached', current: string) =>
      (await takeSteps(db, [{ reading: reading(current), before, band }], new Date(Date.now() + clock), trace)).size;
    const stored = async () => {
      const [row] = await graph.sql(
        'risk',
        `select band, (select count(*)::int from risk_breaches where state_id = $1 and ended_at is null) as open,
                (select count(*)::int from risk_breaches where state_id = $1) as breaches,
                (select count(*)::int from risk_alerts join alert_escalations using (alert_id)
                  where dedup_key = 'breached:' || $1 and status = 'active' and severity = 'critical') as alerts
           from limit_states where state_id = $1`,
        [stateId],
      );
      return row;
    };
    const taken = await Promise.all([take('ok', 'breached', '150'), take('ok', 'breached', '150')]);
    expect(taken.toSorted()).toEqual([0, 1]);
    expect(await stored()).toEqual({ band: 'breached', open: 1, breaches: 1, alerts: 1 });
    expect(await take('warning', 'ok', '10')).toBe(0);
    expect(await stored()).toEqual({ band: 'breached', open: 1, breaches: 1, alerts: 1 });
    expect(await take('breached', 'ok', '10')).toBe(1);
    expect(await stored()).toEqual({ band: 'ok', open: 0, breaches: 1, alerts: 0 });
    const traces = await graph.sql(
      'risk',
      `select distinct relation from change_log
        where trace like '%' || $1 || '%' and relation in ('limit_states', 'risk_breaches', 'risk_alerts') order by relation`,
      [trace],
    );
    expect(traces.map(({ relation }) => relation)).toEqual(['limit_states', 'risk_alerts', 'risk_breaches']);
    const { riskStatus } = await ask(graph, '{ riskStatus { lastAlertMicroseconds lastAlertAt } }');
    expect(riskStatus).toEqual({ lastAlertMicroseconds: expect.any(Number), lastAlertAt: expect.any(String) });
  });
});

describe('an order that is to be placed', () => {
  const check = async (side: string, quantity: string, more: object = {}) => {
    const input = { strategyId: 'desk', accountId: ACCOUNT, symbol: 'btc/usd', side, quantity, ...more };
    const { preTradeCheck } = await ask(
      graph,
      `query ($input: PreTradeCheckInput!) { preTradeCheck(input: $input) {
        isAllowed score isStale asOf checks { name isPassed message utilisation limit { type } } } }`,
      { input },
    );
    return preTradeCheck;
  };

  it('is looked at by the limits in force, with what is held', async () => {
    await done(graph, 'setRiskLimit', { type: 'POSITION_SIZE', threshold: '10', by: 'ann' });
    await until(async () =>
      expect(await check('BUY', '4.9')).toMatchObject({ isAllowed: true, score: '99', isStale: false }),
    );
    const refusal = await check('BUY', '5');
    expect(refusal).toMatchObject({ isAllowed: false, score: '100' });
    expect(refusal.checks).toEqual([
      { name: 'circuit_breaker', isPassed: true, message: 'Trading may go on.', utilisation: null, limit: null },
      {
        name: 'position_size',
        isPassed: false,
        message: 'It would reach the limit: 10 of 10.',
        utilisation: '1',
        limit: { type: 'POSITION_SIZE' },
      },
    ]);
    expect(await check('SELL', '14.9')).toMatchObject({ isAllowed: true });
    expect(await check('SELL', '15')).toMatchObject({ isAllowed: false });
  });

  it('may always reduce what is held, and nothing else until the circuit breaker is closed again', async () => {
    await done(graph, 'triggerCircuitBreaker', { reason: 'a drill', by: 'ann' });
    await until(async () => expect(await check('BUY', '1')).toMatchObject({ isAllowed: false }));
    expect(await check('SELL', '1')).toMatchObject({ isAllowed: true });
    expect(await check('SELL', '6')).toMatchObject({ isAllowed: false });
    clock += 61 * 60_000;
    await looked(graph);
    await until(async () => {
      const { circuitBreaker } = await ask(graph, '{ circuitBreaker { state cause } }');
      expect(circuitBreaker).toEqual({ state: 'HALF_OPEN', cause: 'MANUAL' });
    });
    expect(await check('SELL', '1')).toMatchObject({ isAllowed: true });
    expect(await check('BUY', '1')).toMatchObject({ isAllowed: false });
    await done(graph, 'resetCircuitBreaker', { reason: 'it is over', by: 'ann' });
    expect(await refused(graph, 'resetCircuitBreaker', { reason: 'again', by: 'ann' })).toMatchObject({
      code: 'INVALID_TRANSITION',
    });
    const { circuitBreakerEvents } = await ask(
      graph,
      '{ circuitBreakerEvents(sortOrder: ASC) { nodes { from to by cause } } }',
    );
    expect(circuitBreakerEvents.nodes).toEqual([
      { from: 'CLOSED', to: 'OPEN', by: 'ann', cause: 'MANUAL' },
      { from: 'OPEN', to: 'HALF_OPEN', by: 'system', cause: null },
      { from: 'HALF_OPEN', to: 'CLOSED', by: 'ann', cause: null },
    ]);
  });
});

describe('what is calculated', () => {
  it('is told as often as the client wants it, once it is there', async () => {
    const document = (interval: string) =>
      `subscription { riskMetricChanges(accountId: "${ACCOUNT}", symbol: "PORTFOLIO", minIntervalMs: ${interval}) {
        kind cursor metric { metricId } } }`;
    const told = watch(graph.client, 'riskMetricChanges', document('0'));
    await told.begun();
    for (let time = 1; time <= 2; time++) {
      const { metric } = await done(graph, 'calculateRisk', { accountId: ACCOUNT }, 'metric { metricId }');
      await told.until(({ metric: one }) => one?.metricId === metric.metricId);
    }
    await told.leave();
    const refusal = graph.client.subscribe(document('60001'))[Symbol.asyncIterator]().next();
    await expect(refusal).rejects.toThrow('minIntervalMs must be from 0 to 60000, but got 60001.');
  });

  it('is stored of an account and each instrument, and read back', async () => {
    const { metric, metrics } = await done(
      graph,
      'calculateRisk',
      { accountId: ACCOUNT },
      'metric { metricId isPortfolio totalExposure var95 isLowConfidence isStale } metrics { instrument { symbol } totalExposure }',
    );
    expect(metric).toMatchObject({ isPortfolio: true, totalExposure: '500', var95: null, isLowConfidence: true });
    expect(metrics).toEqual([{ instrument: { symbol: 'BTC-USD' }, totalExposure: '500' }]);
    const { latestRiskMetric, varHistory, openPositions } = await ask(
      graph,
      `{ latestRiskMetric(accountId: "${REFERENCE}") { metricId } varHistory(accountId: "${ACCOUNT}") { date metric { metricId } }
         openPositions { nodes { riskMetric { totalExposure instrument { symbol } } } } }`,
    );
    expect(latestRiskMetric.metricId).toBe(metric.metricId);
    const today = new Date(Date.now() + clock).toISOString().slice(0, 10); // the clock may have passed midnight on its way
    expect(varHistory.find(({ date }: { date: string }) => date === today)?.metric.metricId).toBe(metric.metricId);
    expect(openPositions.nodes).toEqual([{ riskMetric: { totalExposure: '500', instrument: { symbol: 'BTC-USD' } } }]);
  });

  it('takes snapshots of positions, which are there as of an instant', async () => {
    const before = new Date(Date.now() + clock - 1_000).toISOString();
    const { capturedCount, at } = await done(graph, 'capturePositions', {}, 'capturedCount at');
    expect(capturedCount).toBe(1);
    const { then, now, sums } = await ask(
      graph,
      `query ($before: DateTime!, $at: DateTime!) {
        then: positionsAsOf(at: $before) { quantity }
        now: positionsAsOf(at: $at, symbol: "BTC-USD") { quantity marketValue source strategy { strategyId } }
        sums: aggregatedPositions(groupBy: INSTRUMENT) { key source quantity marketValue count } }`,
      { before, at },
    );
    expect(then).toEqual([]);
    expect(now).toEqual([{ quantity: '5', marketValue: '500', source: 'TRADING', strategy: { strategyId: 'desk' } }]);
    expect(sums).toEqual([{ key: 'BTC-USD', source: 'TRADING', quantity: '5', marketValue: '500', count: 1 }]);
  });

  it('says what shocks would cost and where P&L comes from', async () => {
    const { results } = await done(
      graph,
      'runStressTests',
      { accountId: ACCOUNT, scenarios: ['bitcoin-drop'], customShocks: [{ asset: 'BTC', shock: '0.1' }], by: 'ann' },
      'results { scenario loss equityBefore isMarginCall }',
    );
    expect(results).toEqual([
      { scenario: 'bitcoin-drop', loss: '100', equityBefore: '0', isMarginCall: true },
      { scenario: 'custom', loss: '-50', equityBefore: '0', isMarginCall: false },
    ]);
    await price(graph, 'BTC-USD', '110');
    await until(async () => {
      const { pnlAttribution } = await ask(
        graph,
        `{ pnlAttribution(accountId: "${ACCOUNT}") { total parts { key totalPnl } } }`,
      );
      expect(pnlAttribution).toEqual({ total: '50', parts: [{ key: 'BTC-USD', totalPnl: '50' }] });
    });
    const { riskStatus, dailyRiskSummary } = await ask(
      graph,
      `{ riskStatus { isMonitor isFollowing portfolioCount limitCount breachCount circuitBreaker { state } }
         dailyRiskSummary { breachCount circuitBreakerCount isComplete } }`,
    );
    expect(riskStatus).toMatchObject({
      isMonitor: true,
      isFollowing: true,
      portfolioCount: 1,
      limitCount: 1,
      breachCount: 0,
    });
    expect(dailyRiskSummary).toMatchObject({ isComplete: false });
  });

  it('says what the last days have earned, and at what risk', async () => {
    const fields = 'totalPnl sharpeRatio sortinoRatio maximumDrawdown';
    const report = async () =>
      (await ask(graph, `{ portfolioRisk(accountId: "${ACCOUNT}") { ${fields} } }`)).portfolioRisk;
    const days = [
      { ago: 3, equity: 1_000, totalPnl: 0 },
      { ago: 2, equity: 5_100, totalPnl: 100 }, // 4,000 were paid in
      { ago: 1, equity: 5_049, totalPnl: 49 },
    ];
    await graph.sql('risk', 'delete from portfolio_points where account_id = $1', [REFERENCE]);
    for (const { ago, equity, totalPnl } of days) {
      const hours = [`12 hours', ${totalPnl - 7}`, `13 hours', ${totalPnl}`]; // the last of a day stands for it
      await graph.sql(
        'risk',
        `insert into portfolio_points (account_id, minute, total_pnl, equity, exposure)
         select $1, date_trunc('day', $4::timestamptz, 'UTC') - $2 * interval '1 day' + of_day.at, of_day.pnl, $3, 0
           from (values ${hours.map((hour) => `(interval '${hour})`).join(', ')}) as of_day(at, pnl)`,
        [REFERENCE, ago, equity, new Date(Date.now() + clock)],
      );
    }
    const { service } = (graph.subgraphs.get('risk') as Subgraph).createContext({}) as Context;
    await service.portfolios.history.refresh(true);
    const { totalPnl, ...told } = await report();
    const today = { equity: 0, totalPnl };
    const points = [...days, today].map((day) => ({ equity: dec(day.equity), totalPnl: dec(day.totalPnl) }));
    const returns = returnsOnCapital(points);
    expect(returns.slice(0, 2).map((rate) => rate.toFixed())).toEqual(['0.1', '-0.01']);
    expect(told).toEqual({
      sharpeRatio: plain(sharpeRatio(returns)),
      sortinoRatio: plain(sortinoRatio(returns)),
      maximumDrawdown: plain(maximumDrawdown(growthOf(returns))),
    });
  });
});
