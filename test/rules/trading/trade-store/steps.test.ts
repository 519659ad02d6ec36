/** The life of a managed trade (domain.md §9.3) and what it must satisfy (§9.4). */
import { describe, expect, it } from 'vitest';
import { dec } from '../../../../platform/decimal.ts';
import {
  isOpen,
  MANAGED_TRADE_TRANSITIONS,
  moveManagedTrade,
} from '../../../../subgraphs/trading/trade-store/rules/lifecycle.ts';
import {
  MANAGED_TRADE_FIELDS,
  type ManagedTrade,
  type ManagedTradeStatus,
} from '../../../../subgraphs/trading/trade-store/rules/managed-trade.ts';
import {
  type Adjustments,
  adjust,
  close,
  enter,
  exitPart,
  newTrade,
  reasonOf,
  type TradeTerms,
} from '../../../../subgraphs/trading/trade-store/rules/steps.ts';
import { refusalOf } from '../refusal.ts';
import { END, opened, START } from './trades.ts';

/** The table of domain.md §9.3, written out a second time. */
const TABLE: Record<ManagedTradeStatus, string> = {
  pending: 'open cancelled failed',
  open: 'partial_tp breakeven trailing closed failed',
  partial_tp: 'breakeven trailing closed',
  breakeven: 'partial_tp trailing closed',
  trailing: 'partial_tp breakeven closed',
  closed: '',
  cancelled: '',
  failed: '',
};
const statuses = Object.keys(TABLE) as ManagedTradeStatus[];

const closing = { price: dec(110), time: END, reason: 'manual' as const, fee: dec(0) };

describe('the life of a managed trade', () => {
  const steps = statuses.flatMap((from) => statuses.map((to) => [from, to] as const));

  it.each(steps)('%s → %s is allowed exactly as the table says', (from, to) => {
    const isAllowed = TABLE[from].split(' ').includes(to) || (from === to && isOpen({ status: from }));
    if (isAllowed) expect(moveManagedTrade(from, to)).toBe(to);
    else {
      expect(refusalOf(() => moveManagedTrade(from, to))).toMatchObject({
        code: 'INVALID_TRANSITION',
        from: from.toUpperCase(),
        to: to.toUpperCase(),
        allowed: MANAGED_TRADE_TRANSITIONS[from].map((status) => status.toUpperCase()),
      });
    }
  });

  it('is open in four states, not in OPEN alone', () => {
    expect(statuses.filter((status) => isOpen({ status }))).toEqual(['open', 'partial_tp', 'breakeven', 'trailing']);
  });

  it('ends once', () => {
    const closed = close(opened(), closing);
    expect(closed).toMatchObject({
      status: 'closed',
      exitPrice: '110',
      exitTime: END,
      pnlUsd: '10',
      closeReason: 'manual',
    });
    for (const again of [
      () => close(closed, closing),
      () => adjust(closed, { tpPrice: '200' }),
      () => exitPart(closed, { quantity: dec('0.5'), price: dec(1), fee: dec(0) }),
    ]) {
      expect(refusalOf(again)).toMatchObject({ code: 'INVALID_TRANSITION', from: 'CLOSED' });
    }
  });

  it('fails only before it has fills', () => {
    expect(adjust(opened(), { status: 'failed' }).status).toBe('failed');
    expect(refusalOf(() => adjust(opened({ exchangeOrderId: 'o' }), { status: 'failed' }))).toMatchObject({
      code: 'INVALID_TRANSITION',
    });
    expect(refusalOf(() => adjust(opened(), { status: 'closed' }))).toMatchObject({ code: 'VALIDATION_FAILED' });
  });
});

describe('a stop', () => {
  const long = opened({ slPrice: '90', tpPrice: '120' });
  const short = opened({ side: 'short', slPrice: '110', tpPrice: '80' });

  it('moves in the favour of the trade only', () => {
    expect(adjust(long, { slPrice: '95' })).toMatchObject({ slPrice: '95', status: 'open', initialSlPrice: '90' });
    expect(adjust(short, { slPrice: '105' })).toMatchObject({ slPrice: '105', status: 'open', initialSlPrice: '110' });
    for (const against of [() => adjust(long, { slPrice: '89' }), () => adjust(short, { slPrice: '111' })]) {
      expect(refusalOf(against)).toMatchObject({ code: 'VALIDATION_FAILED', path: ['input', 'stopLossPrice'] });
    }
  });

  it('at the entry or beyond makes the trade BREAKEVEN, unless it trails', () => {
    expect(adjust(long, { slPrice: '100' }).status).toBe('breakeven');
    expect(adjust(short, { slPrice: '99' }).status).toBe('breakeven');
    const trailing = adjust(long, { status: 'trailing', trailPercent: '0.025' });
    expect(adjust(trailing, { slPrice: '100' }).status).toBe('trailing');
  });

  it('stays below the target, and cannot be taken away', () => {
    expect(refusalOf(() => adjust(long, { slPrice: '120' }))).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(refusalOf(() => adjust(long, { slPrice: null }))).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(refusalOf(() => adjust(long, { tpPrice: '100' }))).toMatchObject({ path: ['input', 'takeProfitPrice'] });
  });

  it('given later measures the trade as long as it risks something', () => {
    expect(adjust(opened(), { slPrice: '90' }).initialSlPrice).toBe('90');
    expect(adjust(opened(), { slPrice: '101' }).initialSlPrice).toBeNull();
  });
});

describe('a trade is refused', () => {
  const cases: [string, Partial<TradeTerms>][] = [
    ['a long one with its stop above the entry', { slPrice: '101' }],
    ['a long one with its target below the entry', { tpPrice: '99' }],
    ['a short one with its stop below the entry', { side: 'short', slPrice: '99' }],
    ['a short one with its target above the entry', { side: 'short', tpPrice: '101' }],
    ['one with its stop at the entry', { slPrice: '100' }],
    ['one of nothing', { quantity: '0' }],
    ['one that is larger than it began', { initialQuantity: '0.5' }],
    ['one with less than no leverage', { leverage: '0.5' }],
    ['one that is liquidated as it is opened', { leverage: '200' }],
    ['one with a margin of its own', { marginUsd: '99.4' }],
    ['one with too much confidence', { confidence: '1.1' }],
    ['one that trails by all of its price', { trailPercent: '1' }],
    ['one with a negative fee', { entryFeeUsd: '-1' }],
    ['one with an empty text', { model: '' }],
    ['one with an exit that is not closed', { exitPrice: '100' }],
  ];
  it.each(cases)('%s', (_, terms) => {
    expect(refusalOf(() => opened(terms))).toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  it('one field of 46 at a time is adjusted, and only those that may be', () => {
    expect(Object.keys(MANAGED_TRADE_FIELDS)).toHaveLength(46);
    for (const name of [
      'tradeId',
      'symbol',
      'side',
      'entryPrice',
      'quantity',
      'version',
      'drop table managed_trades',
    ]) {
      const fields = { [name]: 'x' } as Adjustments;
      expect(refusalOf(() => adjust(opened(), fields))).toMatchObject({ path: ['input', name] });
    }
  });

  it('one that would end before it began', () => {
    expect(refusalOf(() => close(opened(), { ...closing, time: '2025-12-31T23:59:59.999999Z' }))).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  });
});

describe('a pending trade', () => {
  const planned = (terms: Partial<ManagedTrade> = {}) =>
    newTrade({ tradeId: 'o', symbol: 'BTC-USD', side: 'long', quantity: '2', entryTime: START, ...terms }, START);
  const fill = { quantity: dec('0.5'), price: dec(100), fee: dec(1), time: END };

  it('is opened by the first fill, for what was filled', () => {
    expect(enter(planned({ slPrice: '90', leverage: '2' }), fill)).toMatchObject({
      status: 'open',
      quantity: '0.5',
      initialQuantity: '0.5',
      entryPrice: '100',
      entryTime: END,
      marginUsd: '25',
      entryFeeUsd: '1',
      slPrice: '90',
      liquidationPrice: '50.5',
    });
  });

  it('may be planned anew, its stop too', () => {
    const lower = adjust(planned({ slPrice: '90' }), { slPrice: '85', tpPrice: '120' });
    expect(lower).toMatchObject({ status: 'pending', slPrice: '85', initialSlPrice: '85', tpPrice: '120' });
    expect(adjust(lower, { slPrice: null })).toMatchObject({ status: 'pending', slPrice: null, initialSlPrice: null });
    expect(refusalOf(() => adjust(lower, { slPrice: '120' }))).toMatchObject({ path: ['input', 'takeProfitPrice'] });
    expect(refusalOf(() => adjust(lower, { status: 'trailing' }))).toMatchObject({ code: 'INVALID_TRANSITION' });
  });

  it('keeps what of its bracket the market has passed as a note', () => {
    const trade = enter(planned({ slPrice: '101', tpPrice: '100', metadata: { desk: 'a' } }), fill);
    expect(trade).toMatchObject({ status: 'open', slPrice: null, tpPrice: null, initialSlPrice: null });
    expect(trade.metadata).toEqual({ desk: 'a', voidStopLossPrice: '101', voidTakeProfitPrice: '100' });
  });
});

it('the reason of an end is told from the order, the stop and the target', () => {
  const trade = opened({ slPrice: '90', tpPrice: '120', slOrderId: 'stop' });
  expect(reasonOf(trade, 'stop', 'market', dec(95))).toBe('sl');
  expect(reasonOf(trade, 'x', 'market', dec(121))).toBe('tp');
  expect(reasonOf(trade, 'x', 'market', dec(90))).toBe('sl');
  expect(reasonOf(trade, 'x', 'stop', dec(95))).toBe('sl');
  expect(reasonOf(trade, 'x', 'trailing_stop', dec(95))).toBe('trailing');
  expect(reasonOf(trade, 'x', 'market', dec(110))).toBe('strategy');
  expect(reasonOf(adjust(trade, { slPrice: '100' }), 'x', 'market', dec(100))).toBe('breakeven');
});
