/** What the running monitor does by itself: it opens the circuit breaker, and takes alerts that nobody took up further. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, done, looked, openDesk, price, trade, until } from './watch-desk.ts';

const MINUTE_MS = 60_000;

let graph: TestGraph;
let clock = 0;

beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS, now: () => new Date(Date.now() + clock) });
  await openDesk(graph);
  // A limit that is far away: without one risk follows nobody.
  await done(graph, 'setRiskLimit', { type: 'POSITION_SIZE', threshold: '1000000', by: 'ann' });
});
afterAll(() => graph.close());

async function pass(minutes: number): Promise<void> {
  clock += minutes * MINUTE_MS;
  await looked(graph);
}

async function raise(severity: string, metricName: string): Promise<string> {
  const input = { severity, metricName, message: 'Look at this.', scope: {} };
  return (await done(graph, 'raiseAlert', input, 'alert { alertId }')).alert.alertId;
}

const BREAKER = '{ circuitBreaker { state cause reason triggerValue } }';

const untilOpen = (cause: string) =>
  until(async () => {
    await looked(graph);
    const { circuitBreaker } = await ask(graph, BREAKER);
    expect(circuitBreaker).toMatchObject({ state: 'OPEN', cause });
  });

async function reset(): Promise<void> {
  await done(graph, 'resetCircuitBreaker', { reason: 'it is over', by: 'ann' });
  await until(async () => expect((await ask(graph, BREAKER)).circuitBreaker.state).toBe('CLOSED'));
}

/** What is known of P&L has arrived at the monitor. */
const untilPnl = (total: string) =>
  until(async () => {
    const { pnlAttribution } = await ask(
      graph,
      '{ pnlAttribution(accountId: "00000000-0000-4000-8000-000000000001") { total } }',
    );
    expect(pnlAttribution.total).toBe(total);
  });

describe('an alert that nobody takes up', () => {
  it('escalates by itself: a critical one after 5 minutes, a high one after 15, no other; not one that was taken up', async () => {
    const ids = {
      critical: await raise('CRITICAL', 'critical'),
      taken: await raise('CRITICAL', 'taken'),
      high: await raise('HIGH', 'high'),
      medium: await raise('MEDIUM', 'medium'),
    };
    await done(graph, 'acknowledgeAlert', { alertId: ids.taken, by: 'bob' });
    const levels = async () => {
      const { riskAlerts } = await ask(graph, '{ riskAlerts { nodes { alertId escalationLevel } } }');
      const level = (id: string) =>
        riskAlerts.nodes.find(({ alertId }: { alertId: string }) => alertId === id)?.escalationLevel;
      return Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, level(id)]));
    };
    await pass(4);
    expect(await levels()).toEqual({ critical: 0, taken: 0, high: 0, medium: 0 });
    await pass(1);
    expect(await levels()).toEqual({ critical: 1, taken: 0, high: 0, medium: 0 });
    await pass(10);
    expect(await levels()).toEqual({ critical: 1, taken: 0, high: 1, medium: 0 });
    const { alert } = await ask(
      graph,
      'query ($id: ID!) { alert: riskAlert(id: $id) { notified escalations { level targets by } } }',
      { id: ids.critical },
    );
    expect(alert).toEqual({
      notified: ['RISK_TEAM', 'HEAD_OF_TRADING', 'CHIEF_EXECUTIVE', 'BOARD'],
      escalations: [
        { level: 0, targets: ['RISK_TEAM', 'HEAD_OF_TRADING'], by: 'system' },
        { level: 1, targets: ['CHIEF_EXECUTIVE', 'BOARD'], by: 'system' },
      ],
    });
    for (const alertId of Object.values(ids)) await done(graph, 'resolveAlert', { alertId, by: 'bob' });
  });

  it('expires when its time is over', async () => {
    const expiresAt = new Date(Date.now() + clock + MINUTE_MS).toISOString();
    const input = { severity: 'LOW', metricName: 'for now', message: 'Look soon.', scope: {}, expiresAt };
    const { alert } = await done(graph, 'raiseAlert', input, 'alert { alertId }');
    await pass(2);
    const { alert: after } = await ask(graph, 'query ($id: ID!) { alert: riskAlert(id: $id) { status } }', {
      id: alert.alertId,
    });
    expect(after.status).toBe('EXPIRED');
  });
});

describe('the circuit breaker opens by itself', () => {
  it('at the fifth critical alert, and again while they last', async () => {
    const ids: string[] = [];
    for (let i = 1; i <= 4; i++) ids.push(await raise('CRITICAL', `metric ${i}`));
    await looked(graph);
    expect((await ask(graph, BREAKER)).circuitBreaker.state).toBe('CLOSED');
    ids.push(await raise('CRITICAL', 'metric 5'));
    await untilOpen('CRITICAL_ALERTS');
    await done(graph, 'resetCircuitBreaker', { reason: 'I do not believe it', by: 'ann' });
    await untilOpen('CRITICAL_ALERTS');
    for (const alertId of ids) await done(graph, 'resolveAlert', { alertId, by: 'bob' });
    await reset();
    await looked(graph);
    expect((await ask(graph, BREAKER)).circuitBreaker.state).toBe('CLOSED');
  });

  it('at a fall of 250,000 within ten minutes, not at the same fall in more time', async () => {
    await trade(graph, 'desk', '20000', '100');
    await price(graph, 'BTC-USD', '90');
    await untilPnl('-200000');
    await looked(graph);
    await pass(11);
    await price(graph, 'BTC-USD', '80');
    await untilPnl('-400000');
    await looked(graph);
    expect((await ask(graph, BREAKER)).circuitBreaker.state).toBe('CLOSED');
    await pass(1);
    await price(graph, 'BTC-USD', '77.4');
    await untilPnl('-452000');
    await untilOpen('RAPID_LOSS');
    expect((await ask(graph, BREAKER)).circuitBreaker).toMatchObject({ triggerValue: '-252000' });
    await pass(11);
    await reset();
  });

  it('at a loss of more than a million, however slow', async () => {
    for (const [value, pnl] of [
      ['66', '-680000'],
      ['55', '-900000'],
      ['50', '-1000000'],
    ] as const) {
      await pass(11);
      await price(graph, 'BTC-USD', value);
      await untilPnl(pnl);
      await looked(graph);
    }
    expect((await ask(graph, BREAKER)).circuitBreaker.state).toBe('CLOSED');
    await price(graph, 'BTC-USD', '49.99');
    await untilOpen('TOTAL_LOSS');
    const { circuitBreakerEvents } = await ask(
      graph,
      '{ circuitBreakerEvents(sortOrder: ASC) { nodes { to cause by } } }',
    );
    expect(circuitBreakerEvents.nodes.filter(({ to }: { to: string }) => to === 'OPEN')).toEqual(
      ['CRITICAL_ALERTS', 'CRITICAL_ALERTS', 'RAPID_LOSS', 'TOTAL_LOSS'].map((cause) => ({
        to: 'OPEN',
        cause,
        by: 'system',
      })),
    );
  });
});
