/** What compliance finds of a transfer, and what is wrong between a trade and its settlements, at the edges. */
import { describe, expect, it } from 'vitest';
import { dec } from '../../../platform/decimal.ts';
import { faultOf } from '../../../subgraphs/custodian/reconciliation/explaining.ts';
import {
  amlFinding,
  type ComplianceKind,
  concentrationFinding,
  isToBeReviewed,
  type KycStatus,
  kycFinding,
} from '../../../subgraphs/custodian/rules/compliance.ts';

describe('compliance', () => {
  it.each<[ComplianceKind, boolean]>([
    ['KYC', true],
    ['VELOCITY', true],
    ['CONCENTRATION', true],
    ['AML', false], // takes two approvals
    ['COUNTERPARTY', false], // informs
  ])('that is not sure of %s holds a transfer to another owner: %s', (kind, isHeld) => {
    const finding = { kind, result: 'REVIEW' as const, details: 'x' };
    const passed = { kind: 'KYC', result: 'PASS', details: 'x' } as const;
    expect(isToBeReviewed([passed, finding], false)).toBe(isHeld);
    expect(isToBeReviewed([passed, finding], true)).toBe(false);
    expect(isToBeReviewed([passed], false)).toBe(false);
  });

  it.each<[string, KycStatus[], string]>([
    ['nobody', [], 'REVIEW'],
    ['all', ['APPROVED', 'APPROVED'], 'PASS'],
    ['one not yet', ['APPROVED', 'PENDING'], 'REVIEW'],
    ['one not at all', ['PENDING', 'REJECTED'], 'FAIL'],
  ])('of clients of whom the exchange knows %s', (_, statuses, result) => {
    expect(kycFinding(statuses)).toMatchObject({ kind: 'KYC', result });
  });

  it.each([
    ['100', [], 'REVIEW'],
    ['99.99999999', [], 'PASS'],
    ['99', ['80'], 'PASS'],
    ['99', ['80', '99'], 'FAIL'],
    ['80', ['80', '79.99999999'], 'PASS'],
    ['79', ['80', '80', '80'], 'PASS'],
    ['99', ['100', '100'], 'PASS'],
  ])('of %s dollars after %j, with a threshold of 100 and three pieces', (usdValue, earlier, result) => {
    const transfer = { usdValue: dec(usdValue), earlier: earlier.map((value) => dec(value)), isToSelf: false };
    const terms = { reviewUsd: dec(100), structuringCount: 3 };
    expect(amlFinding(transfer, terms).result).toBe(result);
    expect(amlFinding({ ...transfer, isToSelf: true }, terms).result).toBe('PASS');
  });

  it.each([
    ['49.99', 'PASS'],
    ['50', 'REVIEW'],
    ['75', 'REVIEW'],
    ['75.01', 'FAIL'],
  ])('of a share of %s percent', (share, result) => {
    const values = new Map([
      ['BTC', dec(share)],
      ['USD', dec(100).minus(share)],
    ]);
    const terms = { reviewPercent: dec(50), limitPercent: dec(75) };
    expect(concentrationFinding('BTC', false, values, terms).result).toBe(result);
    expect(concentrationFinding('BTC', true, values, terms).result).toBe('PASS');
    expect(concentrationFinding('BTC', false, new Map(), terms).result).toBe('PASS');
  });
});

describe('the settlements of a sale of 2 at 100 with a fee of 0.2', () => {
  const trade = {
    tradeId: 't',
    side: 'SELL',
    quantity: '2',
    price: '100',
    fee: '0.2',
    executedAt: '2026-01-05T12:00:00Z',
    account: { accountId: 'a' },
    instrument: { symbol: 'BTC-USD' },
  } as const;

  it.each([
    ['as agreed', '2', '199.8', null],
    ['twice', '4', '399.6', 'DUPLICATE'],
    ['a little more', '2.00000001', '199.8', 'DUPLICATE'],
    ['for too little', '2', '199.79999999', 'PRICE_MISMATCH'],
    ['in part', '1', '99.9', null],
  ])('%s', (_, quantity, cash, fault) => {
    expect(faultOf({ quantity: dec(quantity), cash: dec(cash) }, trade)).toBe(fault);
  });
});
