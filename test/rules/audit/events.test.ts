/** What a change of a domain is called in the trail, and whether it is in it. */
import { describe, expect, it } from 'vitest';
import type { Domain } from '../../../platform/domains.ts';
import { singular, typeOf } from '../../../subgraphs/audit/rules/entities.ts';
import { type Operation, typeOfChange } from '../../../subgraphs/audit/rules/event-types.ts';
import { eventOf, gapOf, type ToldChange } from '../../../subgraphs/audit/rules/events.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

const told = (changed: Partial<ToldChange> = {}): ToldChange => ({
  eventId: 'trading:abc:7',
  relation: 'orders',
  operation: 'INSERT',
  key: 'o1',
  transaction: 'abc:99',
  trace: `00-${TRACE}-00f067aa0ba902b7-00`,
  at: '2026-01-01T00:00:00.120000Z',
  row: { orderId: 'o1', status: 'pending', accountId: 'A', instrumentId: 'BTC-USD', strategyId: 's1' },
  ...changed,
});

describe('the type of an event', () => {
  const types: [Domain, string, Operation, Record<string, unknown>, string][] = [
    ['trading', 'orders', 'INSERT', { status: 'pending' }, 'order_created'],
    ['trading', 'orders', 'UPDATE', { status: 'filled' }, 'order_executed'],
    ['trading', 'orders', 'UPDATE', { status: 'cancelled' }, 'order_cancelled'],
    ['trading', 'trades', 'INSERT', {}, 'trade_recorded'],
    ['trading', 'strategies', 'UPDATE', { status: 'paused' }, 'strategy_halted'],
    ['trading', 'strategies', 'UPDATE', { status: 'active' }, 'strategy_updated'],
    ['trading', 'strategies', 'DELETE', { status: 'paused' }, 'strategy_deleted'],
    ['exchange', 'orders', 'INSERT', { status: 'PENDING' }, 'order_received'],
    ['exchange', 'orders', 'UPDATE', { status: 'PARTIAL' }, 'order_partially_filled'],
    ['exchange', 'trades', 'INSERT', {}, 'order_execution'],
    ['exchange', 'balances', 'UPDATE', {}, 'balance_updated'],
    ['custodian', 'settlements', 'INSERT', { status: 'PENDING' }, 'settlement_initiated'],
    ['custodian', 'settlements', 'UPDATE', { status: 'COMPLETED' }, 'settlement_complete'],
    [
      'custodian',
      'settlements',
      'UPDATE',
      { status: 'PENDING', deadlineAt: '2026-01-01T00:00:00Z', updatedAt: '2026-01-01T00:00:01Z' },
      'settlement_delayed',
    ],
    ['custodian', 'transfers', 'UPDATE', { status: 'APPROVED' }, 'transfer_approved'],
    ['risk', 'risk_alerts', 'INSERT', { metricName: 'notional' }, 'risk_alert_generated'],
    ['risk', 'risk_alerts', 'INSERT', { metricName: 'DRAWDOWN' }, 'drawdown_limit_breach'],
    ['risk', 'risk_alerts', 'UPDATE', { status: 'acknowledged' }, 'risk_alert_acknowledged'],
    ['risk', 'circuit_breakers', 'UPDATE', { state: 'open' }, 'circuit_breaker_open'],
    ['market-data', 'tickers', 'UPDATE', {}, 'price_update'],
    ['market-data', 'market_scenarios', 'UPDATE', { state: 'RUNNING', type: 'CRASH' }, 'price_shock_injected'],
    ['market-data', 'market_scenarios', 'UPDATE', { state: 'STOPPED', type: 'CRASH' }, 'market_scenario_stopped'],
    ['exchange', 'injected_faults', 'INSERT', { status: 'ACTIVE' }, 'chaos_injection_started'],
    ['exchange', 'injected_faults', 'UPDATE', { status: 'CLEARED' }, 'chaos_injection_ended'],
    ['custodian', 'account_links', 'INSERT', {}, 'account_link_created'],
    ['registry', 'config_entries', 'UPDATE', {}, 'config_entry_updated'],
  ];

  it.each(types)('%s %s %s %j is %s', (domain, relation, operation, row, type) => {
    expect(typeOfChange({ domain, relation, operation, row })).toBe(type);
  });

  it('says the type of the thing by the names of the graph', () => {
    expect(typeOf('trading', 'orders')).toBe('TradingOrder');
    expect(typeOf('custodian', 'account_links')).toBe('AccountLink');
    expect(['strategies', 'balances', 'classes', 'status'].map(singular)).toEqual([
      'strategy',
      'balance',
      'class',
      'status',
    ]);
  });
});

describe('an event', () => {
  it('holds what was changed, by whom, in which trace, and what it can be found by', () => {
    expect(eventOf('trading', told())).toMatchObject({
      eventId: 'trading:abc:7',
      timestamp: '2026-01-01T00:00:00.12Z',
      traceId: TRACE,
      spanId: '00f067aa0ba902b7',
      serviceName: 'trading',
      entityType: 'TradingOrder',
      entityId: 'o1',
      category: 'trade',
      tags: ['domain:trading', 'entity:order', 'account:A', 'symbol:BTC-USD', 'strategy:s1', 'order:o1'],
      metadata: { relation: 'orders', operation: 'INSERT', isTraced: true },
      payload: told().row,
      origin: 'feed',
    });
  });

  it('takes a trace id alone, and makes one of its transaction where there is none', () => {
    expect(eventOf('trading', told({ trace: TRACE.toUpperCase() }))).toMatchObject({ traceId: TRACE, spanId: null });
    const [one, same, other, elsewhere] = [
      eventOf('trading', told({ trace: null })),
      eventOf('trading', told({ trace: null, key: 'o2', eventId: 'trading:abc:8' })),
      eventOf('trading', told({ trace: null, transaction: 'abc:100' })),
      eventOf('exchange', told({ trace: null })),
    ].map((event) => event?.traceId);
    expect(one).toMatch(/^[0-9a-f]{32}$/);
    expect(same).toBe(one);
    expect(new Set([one, other, elsewhere]).size).toBe(3);
    expect(eventOf('trading', told({ trace: '0'.repeat(32) }))?.traceId).toBe(one);
  });

  it('of what changes by the second is there only where its trace is to be kept', () => {
    const tick = told({ relation: 'tickers', operation: 'UPDATE', key: 'BTC-USD', row: { symbol: 'BTC-USD' } });
    expect(eventOf('market-data', tick)).toBeNull();
    const kept = eventOf('market-data', { ...tick, trace: `00-${TRACE}-00f067aa0ba902b7-01` });
    expect(kept).toMatchObject({ eventType: 'price_update', entityType: 'Instrument', entityId: 'BTC-USD' });
    const books = told({ relation: 'newest_order_books', operation: 'UPDATE', key: 'BTC-USD kraken' });
    expect(eventOf('market-data', books)).toBeNull();
    const breach = told({ relation: 'risk_breaches', operation: 'UPDATE', row: { endedAt: null } });
    expect(eventOf('risk', breach)).toBeNull();
    expect(eventOf('risk', { ...breach, row: { endedAt: '2026-01-01T00:00:00Z' } })?.eventType).toBe(
      'limit_breach_ended',
    );
  });

  it('of chaos names its run and kind', () => {
    const fault = told({
      relation: 'injected_faults',
      row: { kind: 'LATENCY', runId: 'run-1', status: 'ACTIVE', target: '*', injectedBy: 'ann' },
    });
    expect(eventOf('exchange', fault)).toMatchObject({
      category: 'chaos',
      severity: 'warning',
      chaosType: 'LATENCY',
      correlationId: 'run-1',
      actorId: 'ann',
    });
  });

  it('of a very large row holds its hash', () => {
    const event = eventOf('trading', told({ row: { notes: 'x'.repeat(70_000) } }));
    expect(event?.payload).toEqual({ omittedBytes: 70_012, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it('of a gap is the same, however often the gap is met', () => {
    const gap = gapOf('trading', 'abc.1', 'abc.9', '2026-01-01T00:00:00Z');
    expect(gap).toEqual(gapOf('trading', 'abc.1', 'abc.9', '2026-01-01T00:00:00Z'));
    expect(gap).toMatchObject({ eventType: 'trail_gap', severity: 'critical', domain: 'trading' });
    expect(gap.eventId).not.toBe(gapOf('trading', 'abc.2', 'abc.9', '2026-01-01T00:00:00Z').eventId);
  });
});
