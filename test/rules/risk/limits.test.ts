/** Which limit is in force, how far it is used, and what that is called. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dec } from '../../../platform/decimal.ts';
import {
  checkTerms,
  effectiveLimits,
  type LimitTerms,
  type LimitType,
  loosens,
  measured,
  warningShare,
} from '../../../subgraphs/risk/rules/limit-terms.ts';
import {
  type Band,
  bandOf,
  SEVERITIES,
  severityIn,
  severityOf,
  utilisationOf,
} from '../../../subgraphs/risk/rules/utilisation.ts';

const NONE = { instrumentId: null, asset: null, accountId: null, strategyId: null };
const limit = (threshold: number, terms: Partial<LimitTerms> = {}): LimitTerms => ({
  ...NONE,
  limitType: 'notional',
  direction: 'both',
  thresholdValue: dec(threshold),
  warningValue: null,
  ...terms,
});
const btc = { ...NONE, instrumentId: 'BTC-USD', accountId: 'exchange:a' };
const thresholds = (limits: LimitTerms[]) => limits.map(({ thresholdValue }) => thresholdValue.toNumber());

describe('of several limits', () => {
  const everywhere = limit(1);
  const ofBtc = limit(2, { instrumentId: 'BTC-USD' });
  const ofAccount = limit(3, { accountId: 'exchange:a' });
  const ofStrategy = limit(4, { strategyId: 's' });

  it('the most specific is in force', () => {
    expect(thresholds(effectiveLimits([everywhere], btc))).toEqual([1]);
    expect(thresholds(effectiveLimits([everywhere, ofBtc], btc))).toEqual([2]);
    expect(thresholds(effectiveLimits([ofAccount, ofBtc, everywhere], btc))).toEqual([3]);
    expect(thresholds(effectiveLimits([ofBtc, everywhere], { ...btc, instrumentId: 'ETH-USD' }))).toEqual([1]);
  });

  it('one that names a strategy is for the strategy alone', () => {
    expect(thresholds(effectiveLimits([everywhere, ofStrategy], btc))).toEqual([1]);
    expect(thresholds(effectiveLimits([everywhere, ofStrategy], { ...btc, strategyId: 's' }))).toEqual([4]);
  });

  it('one side may have its own, the other keeps the common one', () => {
    const short = limit(5, { direction: 'short' });
    expect(thresholds(effectiveLimits([everywhere, short], btc)).sort()).toEqual([1, 5]);
    const long = limit(6, { direction: 'long' });
    expect(thresholds(effectiveLimits([everywhere, short, long], btc)).sort()).toEqual([5, 6]);
  });

  it('does not depend on the order in which they are read', () => {
    const all = [
      everywhere,
      ofBtc,
      ofAccount,
      limit(7, { direction: 'long' }),
      limit(8, { limitType: 'concentration' }),
    ];
    const expected = new Set(effectiveLimits(all, btc));
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
        expect(new Set(effectiveLimits(shuffled, btc))).toEqual(expected);
      }),
    );
  });
});

describe('a limit', () => {
  it.each([
    [{ thresholdValue: dec(0) }, /positive/],
    [{ warningValue: dec(10) }, /below the threshold/],
    [{ limitType: 'leverage' as LimitType, direction: 'long' as const }, /no side/],
    [{ limitType: 'var' as LimitType, instrumentId: 'BTC-USD' }, /not about one instrument/],
    [{ limitType: 'delta' as LimitType }, /names an asset/],
    [{ asset: 'BTC' }, /not about an asset/],
    [{ limitType: 'leverage' as LimitType, strategyId: 's' }, /not about one strategy/],
  ])('is refused when its parts do not go together: %o', (terms, message) => {
    expect(() => checkTerms(limit(10, terms))).toThrow(message);
  });

  it('counts only its own side', () => {
    expect(measured(dec(-5), 'long').toNumber()).toBe(0);
    expect(measured(dec(-5), 'short').toNumber()).toBe(-5);
    expect(measured(dec(-5), 'both').toNumber()).toBe(-5);
  });

  it('warns at 0.8 of positions and 0.75 of money unless it says otherwise', () => {
    expect(warningShare(limit(10, { limitType: 'position_size' })).toNumber()).toBe(0.8);
    expect(warningShare(limit(10)).toNumber()).toBe(0.75);
    expect(warningShare(limit(10, { warningValue: dec(6) })).toNumber()).toBe(0.6);
  });

  it('is loosened by a higher threshold and by going away', () => {
    expect(loosens(limit(10), limit(11))).toBe(true);
    expect(loosens(limit(10), null)).toBe(true);
    expect(loosens(limit(10), limit(10))).toBe(false);
    expect(loosens(null, limit(10))).toBe(false);
  });
});

describe('the band of a utilisation', () => {
  const walk = (...path: number[]) => {
    let band: Band = 'ok';
    return path.map((utilisation) => {
      band = bandOf(dec(utilisation), dec('0.8'), band);
      return band;
    });
  };

  it('is left 2 % below where it is entered', () => {
    expect(walk(0.79, 0.8, 0.79, 0.784, 0.783)).toEqual(['ok', 'warning', 'warning', 'warning', 'ok']);
    expect(walk(0.999, 1, 0.981, 0.98, 0.979)).toEqual(['warning', 'breached', 'breached', 'breached', 'warning']);
    expect(walk(2, 0.5)).toEqual(['breached', 'ok']);
  });

  it('is never below what the same utilisation gives without a past', () => {
    const order: Band[] = ['ok', 'warning', 'breached'];
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), fc.constantFrom(...order), (units, before) => {
        const utilisation = dec(units).div(10_000);
        const fresh = bandOf(utilisation, dec('0.8'), 'ok');
        expect(order.indexOf(bandOf(utilisation, dec('0.8'), before))).toBeGreaterThanOrEqual(order.indexOf(fresh));
      }),
    );
  });

  it('has a severity', () => {
    const of = (utilisation: string) => severityOf(dec(utilisation));
    expect(['0.49', '0.5', '0.75', '0.9', '0.9999', '1', '7'].map(of)).toEqual([
      null,
      ...(['low', 'medium', 'high', 'high', 'critical', 'critical'] as const),
    ]);
    expect(severityIn('breached', dec('0.98'))).toBe('critical');
    expect(severityIn('warning', dec('0.8'))).toBe('medium');
    expect(SEVERITIES).toHaveLength(4);
  });

  it('comes from the amount whatever its sign', () => {
    expect(utilisationOf(dec(-50), dec(100)).toNumber()).toBe(0.5);
  });
});
