import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../platform/errors.ts';
import {
  ACTIVE_ORDER_STATUSES,
  moveOrder,
  ORDER_TRANSITIONS,
  type OrderStatus,
} from '../../../subgraphs/trading/rules/order-lifecycle.ts';
import {
  moveStrategy,
  STRATEGY_TRANSITIONS,
  STRATEGY_VERBS,
  type StrategyStatus,
  type StrategyVerb,
} from '../../../subgraphs/trading/rules/strategy-lifecycle.ts';

/** The table of domain.md §6.4, written out a second time. */
const ORDER_TABLE: Record<OrderStatus, string> = {
  pending: 'submitted cancelled rejected',
  submitted: 'accepted partially_filled filled rejected cancelled expired',
  accepted: 'partially_filled filled cancelled expired',
  partially_filled: 'partially_filled filled cancelled expired',
  filled: '',
  cancelled: '',
  rejected: '',
  expired: '',
};
const orderStatuses = Object.keys(ORDER_TABLE) as OrderStatus[];

function attempt<Result>(work: () => Result): Result | Refusal['userError'] {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) return error.userError;
    throw error;
  }
}

describe('the life of an order', () => {
  const steps = orderStatuses.flatMap((from) => orderStatuses.map((to) => [from, to] as const));

  it.each(steps)('%s → %s is allowed exactly as the table says', (from, to) => {
    const allowed = ORDER_TABLE[from].split(' ').filter(Boolean);
    const answer = attempt(() => moveOrder(from, to));
    if (allowed.includes(to)) expect(answer).toBe(to);
    else {
      expect(answer).toMatchObject({
        code: 'INVALID_TRANSITION',
        from: from.toUpperCase(),
        to: to.toUpperCase(),
        allowed: allowed.map((status) => status.toUpperCase()),
      });
    }
  });

  it('is active in the states that lead on', () => {
    expect(ACTIVE_ORDER_STATUSES).toEqual(['pending', 'submitted', 'accepted', 'partially_filled']);
    expect(Object.keys(ORDER_TRANSITIONS)).toHaveLength(8);
  });
});

describe('the life of a strategy', () => {
  const allowed: Record<StrategyVerb, StrategyStatus[]> = {
    start: ['inactive'],
    pause: ['active'],
    resume: ['paused'],
    stop: ['active', 'paused', 'error'],
    fail: ['active', 'paused'],
    reset: ['stopped', 'error'],
  };
  const leadsTo: Record<StrategyVerb, StrategyStatus> = {
    start: 'active',
    pause: 'paused',
    resume: 'active',
    stop: 'stopped',
    fail: 'error',
    reset: 'inactive',
  };
  const statuses: StrategyStatus[] = ['inactive', 'active', 'paused', 'stopped', 'error'];
  const steps = (Object.keys(allowed) as StrategyVerb[]).flatMap((verb) =>
    statuses.map((from) => [verb, from] as const),
  );

  it.each(steps)('%s from %s', (verb, from) => {
    const answer = attempt(() => moveStrategy(from, verb));
    if (allowed[verb].includes(from)) expect(answer).toBe(leadsTo[verb]);
    else expect(answer).toMatchObject({ code: 'INVALID_TRANSITION', from: from.toUpperCase() });
  });

  it('has a command for every transition of the table and for no other', () => {
    const byCommand = Object.values(STRATEGY_VERBS).flatMap(({ from, to }) => from.map((start) => `${start} ${to}`));
    const byTable = statuses.flatMap((from) => STRATEGY_TRANSITIONS[from].map((to) => `${from} ${to}`));
    expect(byCommand.sort()).toEqual(byTable.sort());
  });
});
