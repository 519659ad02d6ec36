import { describe, expect, it } from 'vitest';
import {
  ACCOUNT_TRANSITIONS,
  type AccountStatus,
  KYC_TRANSITIONS,
  type KycStatus,
  moveAccount,
  moveKyc,
  tradingBar,
} from '../../../subgraphs/exchange/rules/account-lifecycle.ts';
import {
  LIVE_ORDER_STATUSES,
  moveOrder,
  ORDER_TRANSITIONS,
  type OrderStatus,
  shownOrderStatus,
  storedOrderStatus,
} from '../../../subgraphs/exchange/rules/order-lifecycle.ts';
import { attempt } from './refusals.ts';

/** The tables of domain.md §3.3, written out a second time. */
const ORDER_TABLE: Record<OrderStatus, string> = {
  PENDING: 'OPEN REJECTED PARTIAL FILLED CANCELLED EXPIRED',
  OPEN: 'PARTIAL FILLED CANCELLED EXPIRED',
  PARTIAL: 'PARTIAL FILLED CANCELLED EXPIRED',
  FILLED: '',
  CANCELLED: '',
  REJECTED: '',
  EXPIRED: '',
};
const ACCOUNT_TABLE: Record<AccountStatus, string> = {
  ACTIVE: 'SUSPENDED CLOSED',
  SUSPENDED: 'ACTIVE CLOSED',
  CLOSED: '',
};
const KYC_TABLE: Record<KycStatus, string> = {
  PENDING: 'APPROVED REJECTED',
  APPROVED: 'REJECTED',
  REJECTED: 'PENDING',
};

/** Every step between the states of a table, with whether the table allows it. */
function steps<State extends string>(table: Record<State, string>) {
  const states = Object.keys(table) as State[];
  return states.flatMap((from) => states.map((to) => ({ from, to, allowed: table[from].split(' ').filter(Boolean) })));
}

describe('the life of an order', () => {
  it.each(steps(ORDER_TABLE))('$from → $to is allowed exactly as the table says', ({ from, to, allowed }) => {
    const answer = attempt(() => moveOrder(from, to));
    if (allowed.includes(to)) expect(answer).toBe(to);
    else {
      const shown = (status: string) => (status === 'PARTIAL' ? 'PARTIALLY_FILLED' : status);
      const names = { from: shown(from), to: shown(to), allowed: allowed.map(shown) };
      expect(answer).toMatchObject({ code: 'INVALID_TRANSITION', path: ['input', 'orderId'], ...names });
    }
  });

  it('is live in the states that lead on', () => {
    expect(LIVE_ORDER_STATUSES).toEqual(['PENDING', 'OPEN', 'PARTIAL']);
  });

  it('names each stored state as the graph does, and back', () => {
    const shown = (Object.keys(ORDER_TRANSITIONS) as OrderStatus[]).map(shownOrderStatus);
    expect(shown).toEqual(['PENDING', 'OPEN', 'PARTIALLY_FILLED', 'FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED']);
    expect(shown.map(storedOrderStatus)).toEqual(Object.keys(ORDER_TRANSITIONS));
  });
});

describe('the life of an account', () => {
  it.each(steps(ACCOUNT_TABLE))('$from → $to is allowed exactly as the table says', ({ from, to, allowed }) => {
    const answer = attempt(() => moveAccount(from, to));
    if (allowed.includes(to)) expect(answer).toBe(to);
    else expect(answer).toMatchObject({ code: 'INVALID_TRANSITION', from, to, allowed });
  });

  it('knows three states', () => expect(Object.keys(ACCOUNT_TRANSITIONS)).toHaveLength(3));
});

describe('identification', () => {
  it.each(steps(KYC_TABLE))('$from → $to is allowed exactly as the table says', ({ from, to, allowed }) => {
    const answer = attempt(() => moveKyc({ status: 'SUSPENDED', kycStatus: from }, to));
    if (allowed.includes(to)) expect(answer).toEqual({ kycStatus: to, status: 'SUSPENDED' });
    else expect(answer).toMatchObject({ code: 'INVALID_TRANSITION', from, to, allowed });
  });

  it('suspends an active account when an approval is revoked', () => {
    expect(moveKyc({ status: 'ACTIVE', kycStatus: 'APPROVED' }, 'REJECTED')).toEqual({
      status: 'SUSPENDED',
      kycStatus: 'REJECTED',
    });
  });

  it('leaves an active account active when it is refused at first', () => {
    expect(moveKyc({ status: 'ACTIVE', kycStatus: 'PENDING' }, 'REJECTED').status).toBe('ACTIVE');
  });

  it('is over for a closed account', () => {
    expect(attempt(() => moveKyc({ status: 'CLOSED', kycStatus: 'PENDING' }, 'APPROVED'))).toMatchObject({
      from: 'CLOSED',
      allowed: [],
    });
  });

  it('knows three states', () => expect(Object.keys(KYC_TRANSITIONS)).toHaveLength(3));
});

describe('who may trade', () => {
  it.each([
    ['ACTIVE', 'PENDING', false, null],
    ['ACTIVE', 'PENDING', true, 'KYC_NOT_APPROVED'],
    ['ACTIVE', 'APPROVED', true, null],
    ['ACTIVE', 'REJECTED', true, 'KYC_NOT_APPROVED'],
    ['SUSPENDED', 'APPROVED', false, 'ACCOUNT_NOT_ACTIVE'],
    ['CLOSED', 'APPROVED', true, 'ACCOUNT_NOT_ACTIVE'],
  ] as const)('%s with KYC %s, KYC required: %s → %s', (status, kycStatus, requireKyc, bar) => {
    expect(tradingBar({ status, kycStatus }, { requireKyc })).toBe(bar);
  });
});
