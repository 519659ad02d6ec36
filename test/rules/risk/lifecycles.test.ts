/** States of alerts and of the circuit breaker, escalation, and what a shock would cost. */
import { describe, expect, it } from 'vitest';
import { dec } from '../../../platform/decimal.ts';
import {
  ALERT_STATUSES,
  type AlertStatus,
  checkStep,
  isEscalationDue,
  nextStatuses,
  targetsOf,
} from '../../../subgraphs/risk/rules/alert-lifecycle.ts';
import * as breaker from '../../../subgraphs/risk/rules/breaker.ts';
import { symbolsFor, usdRate } from '../../../subgraphs/risk/rules/conversion.ts';
import { leverageOf, riskLevelOf } from '../../../subgraphs/risk/rules/portfolio.ts';
import { STRESS_SCENARIOS, stressed } from '../../../subgraphs/risk/rules/stress.ts';

describe('an alert', () => {
  const steps: [AlertStatus, AlertStatus][] = ALERT_STATUSES.flatMap((from) =>
    ALERT_STATUSES.map((to): [AlertStatus, AlertStatus] => [from, to]),
  );
  it.each(steps)('from %s to %s', (from, to) => {
    const step = () => checkStep(from, to);
    if (nextStatuses(from).includes(to)) expect(step).not.toThrow();
    else expect(step).toThrow(/cannot become/);
  });

  const raised = {
    severity: 'high',
    status: 'active',
    escalationLevel: 0,
    triggeredAt: '2026-01-01T00:00:00Z',
  } as const;
  const later = (minutes: number) => new Date(Date.parse(raised.triggeredAt) + minutes * 60_000);

  it('escalates after 15 minutes when high and after 5 when critical, never otherwise', () => {
    expect(isEscalationDue(raised, later(14.99))).toBe(false);
    expect(isEscalationDue(raised, later(15))).toBe(true);
    expect(isEscalationDue({ ...raised, severity: 'critical' }, later(5))).toBe(true);
    expect(isEscalationDue({ ...raised, severity: 'medium' }, later(1_000))).toBe(false);
  });

  it('does not once somebody has taken it up, nor twice', () => {
    expect(isEscalationDue({ ...raised, status: 'acknowledged' }, later(60))).toBe(false);
    expect(isEscalationDue({ ...raised, escalationLevel: 1 }, later(60))).toBe(false);
  });

  it('reaches who the rules name', () => {
    expect(targetsOf('high', 0)).toEqual(['risk_team']);
    expect(targetsOf('high', 1)).toEqual(['head_of_trading', 'chief_risk_officer']);
    expect(targetsOf('critical', 0)).toEqual(['risk_team', 'head_of_trading']);
    expect(targetsOf('critical', 1)).toEqual(['chief_executive', 'board']);
    expect(targetsOf('low', 0)).toEqual([]);
  });
});

describe('the circuit breaker', () => {
  const signs = { totalPnl: dec(0), recentPeak: dec(0), activeCriticalAlerts: 0 };

  it.each([
    ['a total loss', { totalPnl: dec(-1_000_001), recentPeak: dec(-1_000_001) }, 'total_loss'],
    ['a rapid loss', { totalPnl: dec(-150_000), recentPeak: dec(100_000) }, 'rapid_loss'],
    ['critical alerts', { activeCriticalAlerts: 5 }, 'critical_alerts'],
    ['a loss of just a million', { totalPnl: dec(-1_000_000), recentPeak: dec(-1_000_000) }, undefined],
    ['a fall of less', { totalPnl: dec('-249999.99') }, undefined],
    ['four critical alerts', { activeCriticalAlerts: 4 }, undefined],
  ])('on %s', (_, given, cause) => {
    expect(breaker.tripOf({ ...signs, ...given })?.cause).toBe(cause);
  });

  it('lets reductions through in every state, and nothing else unless it is closed', () => {
    expect(breaker.lets('closed', false)).toBe(true);
    expect(breaker.lets('half_open', true)).toBe(true);
    expect(breaker.lets('half_open', false)).toBe(false);
    expect(breaker.lets('open', true)).toBe(true);
    expect(breaker.lets('open', false)).toBe(false);
  });

  it('moves on after an hour, and ten minutes later', () => {
    const at = new Date('2026-01-01T00:00:00Z');
    expect(breaker.movesOnAt('open', at)?.toISOString()).toBe('2026-01-01T01:00:00.000Z');
    expect(breaker.movesOnAt('half_open', at)?.toISOString()).toBe('2026-01-01T00:10:00.000Z');
    expect(breaker.movesOnAt('closed', at)).toBeNull();
    expect(() => breaker.checkStep('closed', 'half_open')).toThrow(/cannot become/);
    expect(() => breaker.checkStep('half_open', 'open')).not.toThrow();
  });
});

describe('a shock', () => {
  const scenario = { shocks: { BTC: '-0.5' }, otherShock: '0' };
  it('costs what is held times what it loses; a short gains', () => {
    const long = stressed([{ asset: 'BTC', value: dec(1_000) }], dec(400), scenario);
    expect(long.loss.toFixed()).toBe('500');
    expect(long.lossRatio?.toFixed()).toBe('1.25');
    expect(long).toMatchObject({ isMarginCall: true, isLiquidated: true });
    const short = stressed([{ asset: 'BTC', value: dec(-1_000) }], dec(400), scenario);
    expect(short.loss.toFixed()).toBe('-500');
    expect(short).toMatchObject({ isMarginCall: false, isLiquidated: false });
  });
  it('has scenarios that leave a dollar a dollar', () => {
    for (const { shocks } of STRESS_SCENARIOS) expect(shocks.USD).toBe('0');
  });
});

describe('a portfolio', () => {
  it('has no leverage without equity', () => {
    expect(leverageOf(dec(100), dec(0))).toBeNull();
    expect(leverageOf(dec(100), null)).toBeNull();
    expect(leverageOf(dec(100), dec(50))?.toFixed()).toBe('2');
  });
  it('is as dangerous as the worse of its leverage and its value at risk', () => {
    expect(riskLevelOf(dec(5), null, dec(100))).toBe('low');
    expect(riskLevelOf(dec('5.1'), dec(1), dec(100))).toBe('medium');
    expect(riskLevelOf(dec(1), dec(31), dec(100))).toBe('high');
    expect(riskLevelOf(dec(21), null, null)).toBe('critical');
  });
});

describe('what an asset is worth in dollars', () => {
  const prices = new Map(
    Object.entries({ 'ETH-BTC': '0.05', 'BTC-USD': '50000', 'SOL-USDT': '100', 'USDT-USD': '0.99' }).map(
      ([symbol, price]) => [symbol, { price, at: '' }] as const,
    ),
  );
  it.each([
    ['USD', '1'],
    ['BTC', '50000'],
    ['ETH', '2500'],
    ['SOL', '99'],
    ['XRP', undefined],
    ['USDC', undefined],
  ])('%s', (asset, rate) => {
    expect(usdRate(asset, prices)?.toFixed()).toBe(rate);
  });
  it('is told by markets that are known', () => {
    expect(symbolsFor('USD')).toEqual([]);
    expect(symbolsFor('SOL')).toContain('SOL-USDT');
  });
});
