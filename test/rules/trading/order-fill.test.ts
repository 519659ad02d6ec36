import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dec, round8 } from '../../../platform/decimal.ts';
import { Refusal } from '../../../platform/errors.ts';
import { applyFill, applyLateFill, type FillState } from '../../../subgraphs/trading/rules/order-fill.ts';
import type { OrderStatus } from '../../../subgraphs/trading/rules/order-lifecycle.ts';
import { amounts, SEED } from './arbitraries.ts';

function order(quantity: string, status: OrderStatus = 'accepted'): FillState {
  return { status, quantity: dec(quantity), filledQuantity: dec(0), filledNotional: dec(0) };
}

const fill = (quantity: string, price: string) => ({ quantity: dec(quantity), price: dec(price) });

function refusalOf(work: () => unknown): Refusal['userError'] {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error.userError;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('filling an order', () => {
  it('moves to PARTIALLY_FILLED, then to FILLED', () => {
    const half = applyFill(order('1'), fill('0.5', '50100'));
    expect(half).toMatchObject({ status: 'partially_filled' });
    expect(half.averageFillPrice.toFixed()).toBe('50100');
    const whole = applyFill(half, fill('0.5', '50000'));
    expect(whole).toMatchObject({ status: 'filled' });
    expect(whole.filledQuantity.toFixed()).toBe('1');
    expect(whole.averageFillPrice.toFixed()).toBe('50050');
  });

  it('averages as the vector of domain.md §12.3', () => {
    const filled = [fill('0.5', '50000'), fill('0.3', '50100'), fill('0.2', '49950')].reduce<FillState>(
      applyFill,
      order('1'),
    );
    expect(filled).toMatchObject({ status: 'filled', averageFillPrice: dec('50020') });
  });

  it('refuses more than is left, and says how much that is', () => {
    const half = applyFill(order('1'), fill('0.4', '100'));
    const refused = refusalOf(() => applyFill(half, fill('0.60000001', '100')));
    expect(refused).toMatchObject({ code: 'VALIDATION_FAILED', path: ['input', 'quantity'] });
    expect(refused.message).toContain('at most what is left of the order, 0.6, but got 0.60000001');
  });

  it.each(['pending', 'filled', 'cancelled', 'rejected', 'expired'] as const)('refuses a fill while %s', (status) => {
    const refused = refusalOf(() => applyFill(order('1', status), fill('0.5', '100')));
    expect(refused).toMatchObject({ code: 'INVALID_TRANSITION', from: status.toUpperCase() });
  });

  it.each(['submitted', 'accepted', 'partially_filled'] as const)('takes a fill while %s', (status) => {
    expect(applyFill(order('1', status), fill('1', '100')).status).toBe('filled');
  });

  it('averages alike whatever the order of the executions, rounding once', () => {
    const executions = fc.array(
      fc.record({
        quantity: amounts({ integerDigits: 3, above: 0 }),
        price: amounts({ integerDigits: 6, above: 0 }),
      }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(executions, (fills) => {
        const quantity = fills.reduce((total, each) => total.plus(each.quantity), dec(0));
        const notional = fills.reduce((total, each) => total.plus(each.quantity.times(each.price)), dec(0));
        const start = order(quantity.toFixed());
        const there = fills.reduce<FillState>(applyFill, start);
        const back = fills.toReversed().reduce<FillState>(applyFill, start);
        expect(there).toEqual(back);
        expect(there.status).toBe('filled');
        expect(there).toMatchObject({ averageFillPrice: round8(notional.div(quantity)) });
      }),
      { seed: SEED },
    );
  });

  it('never passes the quantity and never falls', () => {
    fc.assert(
      fc.property(fc.array(amounts({ integerDigits: 1, above: 0 }), { maxLength: 12 }), (quantities) => {
        let state = order('20');
        for (const quantity of quantities) {
          const before = state.filledQuantity;
          try {
            state = applyFill(state, { quantity, price: dec(1) });
          } catch (error) {
            expect(error).toBeInstanceOf(Refusal);
          }
          expect(state.filledQuantity.gte(before) && state.filledQuantity.lte(state.quantity)).toBe(true);
          expect(state.status === 'filled').toBe(state.filledQuantity.eq(state.quantity));
        }
      }),
      { seed: SEED },
    );
  });
});

describe('an execution that comes to light when its order has ended', () => {
  it.each([
    ['cancelled', '1', 'cancelled'],
    ['expired', '1', 'expired'],
    ['rejected', '1', 'cancelled'],
    ['cancelled', '2', 'filled'],
    ['expired', '2', 'filled'],
    ['rejected', '2', 'filled'],
    ['accepted', '1', 'partially_filled'],
    ['submitted', '2', 'filled'],
  ] as const)('leaves one of 2 that was %s, by %s of it, %s', (before, quantity, after) => {
    const { status, filledQuantity } = applyLateFill(order('2', before), fill(quantity, '100'));
    expect([status, filledQuantity.toFixed()]).toEqual([after, quantity]);
  });

  it('is refused beyond its quantity, and where nobody has sent it', () => {
    expect(refusalOf(() => applyLateFill(order('2', 'cancelled'), fill('2.1', '100'))).code).toBe('VALIDATION_FAILED');
    expect(refusalOf(() => applyLateFill(order('2', 'pending'), fill('1', '100'))).code).toBe('INVALID_TRANSITION');
    const filled = { ...order('2', 'filled'), filledQuantity: dec('2'), filledNotional: dec('200') };
    expect(refusalOf(() => applyLateFill(filled, fill('1', '100'))).code).toBe('INVALID_TRANSITION');
  });
});
