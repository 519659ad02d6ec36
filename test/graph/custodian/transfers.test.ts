/** Transfers and their approvals, compliance, the halt, and corrections by two persons. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import type { Feed } from '../../../platform/feed/feed.ts';
import type { Subgraph } from '../../../platform/subgraph.ts';
import { newYorkInstant } from '../../../subgraphs/custodian/calendar/new-york.ts';
import type { Context } from '../../../subgraphs/custodian/context.ts';
import { settings } from '../../../subgraphs/custodian/settings.ts';
import { expireRequests } from '../../../subgraphs/custodian/transfer/voting.ts';
import type { Context as RiskContext } from '../../../subgraphs/risk/context.ts';
import { SettlementWatch } from '../../../subgraphs/risk/monitor/settlement-watch.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { watch } from '../../support/watch.ts';
import { ask, done, open, refused, send } from '../exchange/floor.ts';
import { until } from '../risk/watch-desk.ts';
import { audit } from './audit.ts';
import { admit, identify, inside, quote } from './vault.ts';

const at = (time: string) => newYorkInstant({ date: '2026-11-18', time });

let now = at('10:00:00');
let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS, now: () => now });
  await quote(graph, { BTC: '50000' }, now);
});
afterAll(() => graph.close());

const TRANSFER = `transferId status usdValue failureReason approval { requestId status required approvedCount tier }
  settlement { settlementId status dueAt } complianceChecks { kind result }`;

const request = async (input: object) =>
  (await done(graph, 'requestTransfer', { requestedBy: 'anna', ...input }, `transfer { ${TRANSFER} }`)).transfer;

const approve = async (transferId: string, approverId: string) =>
  (await done(graph, 'approveTransfer', { transferId, approverId }, `transfer { ${TRANSFER} }`)).transfer;

const stateOf = async (transferId: string) =>
  (await ask(graph, `query ($id: ID!) { transfer(id: $id) { ${TRANSFER} } }`, { id: transferId })).transfer;

const work = (asOf: Date) => done(graph, 'processSettlementQueue', { asOf: asOf.toISOString(), limit: 500 });

/** A transfer of US dollars between the accounts of two clients, of whom the exchange knows the one that pays. */
async function prepared(amount: string, more: object = {}, isKnown = true) {
  const from = await admit(graph, { USD: '9000000' });
  if (isKnown) await identify(graph, from);
  const to = await admit(graph);
  const ends = { fromAccountId: from.segregated, toAccountId: to.segregated, asset: 'USD', amount, ...more };
  return { from, to, input: ends };
}

describe('a transfer', () => {
  it.each([
    ['9999.99999999', 1, 1],
    ['10000', 2, 2],
    ['99999.99999999', 2, 2],
    ['100000', 3, 3],
    ['1000000', 4, 4],
  ])('of %s dollars needs %i approvals', async (amount, required, tier) => {
    const { input } = await prepared(amount);
    expect((await request(input)).approval).toMatchObject({ status: 'PENDING', required, tier, approvedCount: 0 });
  });

  it('goes its way: reserved, approved by others, settled', async () => {
    const { from, to, input } = await prepared('20000');
    const { transferId, ...requested } = await request(input);
    expect(requested).toMatchObject({
      status: 'PENDING_APPROVAL',
      settlement: null,
      complianceChecks: expect.arrayContaining([{ kind: 'SANCTIONS', result: 'PASS' }]),
    });
    expect(await inside(graph, from.segregated)).toEqual({ USD: '8980000 + 20000 + 0' });
    const vote = { transferId, approverId: 'anna' };
    expect(await refused(graph, 'approveTransfer', vote)).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await approve(transferId, 'ben')).toMatchObject({
      status: 'PENDING_APPROVAL',
      approval: { approvedCount: 1 },
    });
    expect(await refused(graph, 'approveTransfer', { transferId, approverId: 'ben' })).toMatchObject({
      code: 'CONFLICT',
    });
    const approved = await approve(transferId, 'cleo');
    expect(approved).toMatchObject({
      status: 'APPROVED',
      approval: { status: 'APPROVED' },
      settlement: { status: 'PENDING' },
    });
    expect(Date.parse(approved.settlement.dueAt)).toBe(at('10:05:00').getTime()); // tier 2 waits five minutes
    expect(await refused(graph, 'approveTransfer', { transferId, approverId: 'dora' })).toMatchObject({
      from: 'APPROVED',
    });
    await work(at('10:05:00'));
    expect(await stateOf(transferId)).toMatchObject({ status: 'COMPLETED', settlement: { status: 'COMPLETED' } });
    expect(await inside(graph, from.segregated)).toEqual({ USD: '8980000 + 0 + 0' });
    expect(await inside(graph, to.segregated)).toEqual({ USD: '20000 + 0 + 0' });
    expect(await refused(graph, 'cancelTransfer', { transferId, actor: 'anna' })).toMatchObject({ from: 'COMPLETED' });
    const { transfers, approvalRequests } = await ask(
      graph,
      `query ($id: ID!) {
        transfers(filter: { accountId: $id, statuses: [COMPLETED], asset: "USD", minUsdValue: "20000", requestedBy: "anna" }) {
          nodes { transferId from { accountId } to { accountId } } }
        approvalRequests(filter: { accountId: $id, subject: TRANSFER, requestedBy: "anna" }) {
          nodes { votes { approverId decision } transfer { transferId } } }
      }`,
      { id: from.segregated },
    );
    expect(transfers.nodes).toEqual([
      { transferId, from: { accountId: from.segregated }, to: { accountId: to.segregated } },
    ]);
    expect(approvalRequests.nodes).toEqual([
      {
        transfer: { transferId },
        votes: [
          { approverId: 'ben', decision: 'APPROVE' },
          { approverId: 'cleo', decision: 'APPROVE' },
        ],
      },
    ]);
  });

  it('ends with one rejection, and what it reserved is available again', async () => {
    const { from, input } = await prepared('20000');
    const { transferId } = await request(input);
    await approve(transferId, 'ben');
    await done(graph, 'rejectTransfer', { transferId, approverId: 'cleo', reason: 'what for?' });
    expect(await stateOf(transferId)).toMatchObject({
      status: 'REJECTED',
      failureReason: 'what for?',
      approval: { status: 'REJECTED' },
    });
    expect(await inside(graph, from.segregated)).toEqual({ USD: '9000000 + 0 + 0' });
    expect(await refused(graph, 'approveTransfer', { transferId, approverId: 'dora' })).toMatchObject({
      from: 'REJECTED',
    });
  });

  it('is cancelled before or after its approval, as long as it has not begun', async () => {
    const { from, input } = await prepared('500');
    const [early, late] = [await request(input), await request(input)];
    await approve(late.transferId, 'ben');
    for (const { transferId } of [early, late]) await done(graph, 'cancelTransfer', { transferId, actor: 'anna' });
    expect(await stateOf(early.transferId)).toMatchObject({ status: 'CANCELLED', approval: { status: 'CANCELLED' } });
    expect(await stateOf(late.transferId)).toMatchObject({ status: 'CANCELLED', settlement: { status: 'CANCELLED' } });
    expect(await inside(graph, from.segregated)).toEqual({ USD: '9000000 + 0 + 0' });
  });

  it('fails with its settlement', async () => {
    const { input } = await prepared('500', { isUrgent: true });
    const { transferId } = await request(input);
    const { settlement } = await approve(transferId, 'ben');
    await done(graph, 'failSettlement', { settlementId: settlement.settlementId, reason: 'refused by the bank' });
    expect(await stateOf(transferId)).toMatchObject({ status: 'FAILED', failureReason: 'refused by the bank' });
    const again = { settlementId: settlement.settlementId };
    expect((await refused(graph, 'retrySettlement', again)).message).toContain('new approvals');
  });

  it('leaves to the world outside', async () => {
    const { from, input } = await prepared('100', { toAccountId: 'external', rail: 'ACH' });
    const { transferId, complianceChecks } = await request(input);
    expect(complianceChecks).toContainEqual({ kind: 'COUNTERPARTY', result: 'REVIEW' });
    await approve(transferId, 'ben');
    await work(newYorkInstant({ date: '2026-11-20', time: '09:00:00' }));
    expect(await inside(graph, from.segregated)).toEqual({ USD: '8999900 + 0 + 0' });
  });

  it('expires when nobody decides in time', async () => {
    const { from, input } = await prepared('20000');
    const { transferId } = await request(input);
    await approve(transferId, 'ben');
    const before = now;
    now = new Date(now.getTime() + 24 * 3_600_000);
    expect(await refused(graph, 'approveTransfer', { transferId, approverId: 'cleo' })).toMatchObject({
      from: 'TIMED_OUT',
    });
    const context = graph.subgraphs.get('custodian')?.createContext({}) as Context;
    const counts = await Promise.all([expireRequests(context), expireRequests(context)]);
    expect(counts[0] + counts[1]).toBeGreaterThan(0);
    now = before;
    expect(await stateOf(transferId)).toMatchObject({ status: 'EXPIRED', approval: { status: 'TIMED_OUT' } });
    expect(await inside(graph, from.segregated)).toEqual({ USD: '9000000 + 0 + 0' });
  });

  it.each([
    ['more than is there', { amount: '9000000.00000001' }, 'INSUFFICIENT_FUNDS'],
    ['more than ten million', { amount: '10000000.00000001' }, 'VALIDATION_FAILED'],
    ['nothing', { amount: '0' }, 'VALIDATION_FAILED'],
    ['to a house account', { toAccountId: 'fees' }, 'VALIDATION_FAILED'],
    ['to nobody', { toAccountId: 'nobody' }, 'NOT_FOUND'],
    ['from outside', { fromAccountId: 'external' }, 'VALIDATION_FAILED'],
  ])('is refused of %s', async (_, more, code) => {
    const { input } = await prepared('1');
    expect(await refused(graph, 'requestTransfer', { requestedBy: 'anna', ...input, ...more })).toMatchObject({ code });
  });
});

describe('compliance', () => {
  const kinds = ({ complianceChecks }: { complianceChecks: { kind: string; result: string }[] }) =>
    Object.fromEntries(complianceChecks.map(({ kind, result }) => [kind, result]));

  it('knows a client by what the exchange says of him', async () => {
    const { from, input } = await prepared('100', {}, false);
    expect(kinds(await request(input))).toMatchObject({ KYC: 'REVIEW' }); // nobody says anything
    const accountId = await open(graph, {}, { clientId: from.clientId });
    await done(graph, 'linkVenueAccount', { accountId: from.segregated, venueAccountId: accountId });
    for (const [status, result, state] of [
      ['APPROVED', 'PASS', 'PENDING_APPROVAL'],
      ['PENDING', 'REVIEW', 'REQUESTED'],
      ['REJECTED', 'FAIL', 'REJECTED'],
    ]) {
      await graph.sql('exchange', 'update accounts set kyc_status = $2 where account_id = $1', [accountId, status]);
      const transfer = await request(input);
      expect(kinds(transfer)).toMatchObject({ KYC: result });
      expect(transfer.status).toBe(state);
    }
  });

  it('takes payments just below what must be looked at for one that was cut in pieces', async () => {
    const { from, input } = await prepared('8000');
    expect(kinds(await request({ ...input, amount: '7999.99' }))).toMatchObject({ AML: 'PASS' });
    expect((await request({ ...input, amount: '10000' })).complianceChecks).toContainEqual({
      kind: 'AML',
      result: 'REVIEW',
    });
    for (const amount of ['8000', '9999.99']) expect(kinds(await request({ ...input, amount })).AML).toBe('PASS');
    const third = await request({ ...input, amount: '9000' });
    expect(third).toMatchObject({
      status: 'REJECTED',
      failureReason: expect.stringContaining('number 3 within 24 hours'),
    });
    expect(kinds(await request({ ...input, toAccountId: from.master })).AML).toBe('PASS'); // it stays his
    expect(kinds(await request({ ...input, amount: '1' })).AML).toBe('PASS');
  });

  it('asks two persons at least for what must be looked at', async () => {
    const before = { ...settings };
    Object.assign(settings, { amlReviewUsd: 1_000 });
    const { input } = await prepared('1000');
    const transfer = await request(input);
    Object.assign(settings, before);
    expect(transfer).toMatchObject({ status: 'PENDING_APPROVAL', approval: { tier: 1, required: 2 } });
  });

  it('looks how much of one asset the receiver would have', async () => {
    const before = { ...settings };
    Object.assign(settings, { concentrationLimitPercent: 75 });
    const from = await admit(graph, { BTC: '1', USD: '1' });
    await identify(graph, from);
    const { segregated: fromAccountId } = from;
    const { segregated: toAccountId } = await admit(graph, { USD: '1000' });
    const give = (amount: string, asset = 'BTC') => request({ fromAccountId, toAccountId, asset, amount });
    const [little, half, most, money] = [
      await give('0.019'),
      await give('0.02'), // 1,000 dollars beside 1,000
      await give('0.0601'),
      await give('1', 'USD'),
    ];
    Object.assign(settings, before);
    expect([little, half, most, money].map((one) => [kinds(one).CONCENTRATION, one.status])).toEqual([
      ['PASS', 'PENDING_APPROVAL'],
      ['REVIEW', 'REQUESTED'],
      ['FAIL', 'REJECTED'],
      ['PASS', 'PENDING_APPROVAL'],
    ]);
  });

  it('rejects a transfer to somebody on the list, and lets it be when he is taken off', async () => {
    const { to, from, input } = await prepared('100');
    await done(graph, 'sanctionParty', { partyId: to.clientId, reason: 'listed', actor: 'law' });
    expect(await refused(graph, 'sanctionParty', { partyId: to.clientId, reason: 'x', actor: 'law' })).toMatchObject({
      code: 'CONFLICT',
    });
    const transfer = await request(input);
    expect(transfer).toMatchObject({ status: 'REJECTED', approval: null });
    expect(await inside(graph, from.segregated)).toEqual({ USD: '9000000 + 0 + 0' });
    const { sanctionedParties, complianceChecks } = await ask(
      graph,
      `query ($party: String!, $id: ID!) { sanctionedParties(startsWith: $party) { partyId reason }
        complianceChecks(filter: { subjectId: $id, result: FAIL }) { nodes { kind details } } }`,
      { party: to.clientId, id: transfer.transferId },
    );
    expect(sanctionedParties).toEqual([{ partyId: to.clientId, reason: 'listed' }]);
    expect(complianceChecks.nodes).toMatchObject([{ kind: 'SANCTIONS' }]);
    await done(graph, 'liftSanction', { partyId: to.clientId });
    expect(await request(input)).toMatchObject({ status: 'PENDING_APPROVAL' });
  });

  it('rejects what would be too much for a client in a day, also when two ask at once', async () => {
    const from = await admit(graph, { USD: '40000000' });
    await identify(graph, from);
    const to = await admit(graph);
    const big = { fromAccountId: from.segregated, toAccountId: to.segregated, asset: 'USD', amount: '9000000' };
    const statuses = await Promise.all(Array.from({ length: 3 }, async () => (await request(big)).status));
    expect(statuses.toSorted()).toEqual(['PENDING_APPROVAL', 'PENDING_APPROVAL', 'REJECTED']);
  });
});

describe('a transfer with which compliance is not sure', () => {
  const REVIEW = `${TRANSFER} review { requestId status subject votes { approverId decision reason } }`;
  const decide = async (transferId: string, decision: string) =>
    (
      await done(
        graph,
        'decideTransferReview',
        { transferId, decision, officerId: 'olga', reason: 'papers seen' },
        `transfer { ${REVIEW} }`,
      )
    ).transfer;
  const reviewOf = async (transferId: string) =>
    (await ask(graph, `query ($id: ID!) { transfer(id: $id) { ${REVIEW} } }`, { id: transferId })).transfer;

  it('waits for its decision before anybody is asked to approve it, and then goes its way', async () => {
    const { from, input } = await prepared('20000', { isUrgent: true }, false);
    const { transferId, ...requested } = await request(input);
    expect(requested).toMatchObject({ status: 'REQUESTED', approval: null, settlement: null });
    expect(await inside(graph, from.segregated)).toEqual({ USD: '8980000 + 20000 + 0' });
    const { review } = await reviewOf(transferId);
    expect(review).toMatchObject({ status: 'PENDING', subject: 'REVIEW', votes: [] });

    expect(await refused(graph, 'approveTransfer', { transferId, approverId: 'ben' })).toMatchObject({
      code: 'INVALID_TRANSITION',
      from: 'REQUESTED',
      allowed: ['PENDING_APPROVAL', 'REJECTED', 'EXPIRED', 'CANCELLED'],
    });
    const bypass = { requestId: review.requestId, approverId: 'ben' };
    expect((await refused(graph, 'approveRequest', bypass)).message).toContain('decideTransferReview');
    const own = { transferId, decision: 'APPROVE', officerId: 'Anna', reason: 'mine' };
    expect((await refused(graph, 'decideTransferReview', own)).message).toContain('asked for himself');
    const force = `update transfers set status = 'PENDING_APPROVAL' where transfer_id = '${transferId}'`;
    await expect(graph.sql('custodian', force)).rejects.toThrow('the decision of compliance');

    expect(await decide(transferId, 'APPROVE')).toMatchObject({
      status: 'PENDING_APPROVAL',
      approval: { required: 2, approvedCount: 0, status: 'PENDING' },
      review: { status: 'APPROVED', votes: [{ approverId: 'olga', decision: 'APPROVE', reason: 'papers seen' }] },
    });
    expect(await refused(graph, 'approveTransfer', { transferId, approverId: 'olga' })).toMatchObject({
      code: 'CONFLICT',
    });
    const again = { transferId, decision: 'REJECT', officerId: 'oleg', reason: 'no' };
    expect(await refused(graph, 'decideTransferReview', again)).toMatchObject({ from: 'APPROVED' });
    await approve(transferId, 'ben');
    await approve(transferId, 'cleo');
    await work(at('12:00:00'));
    expect((await stateOf(transferId)).status).toBe('COMPLETED');
    expect(await inside(graph, from.segregated)).toEqual({ USD: '8980000 + 0 + 0' });
    const { custodyAuditTrail } = await ask(
      graph,
      'query ($id: ID!) { custodyAuditTrail(filter: { subject: TRANSFER, subjectId: $id }, sortOrder: ASC) { nodes { to } } }',
      { id: transferId },
    );
    expect(custodyAuditTrail.nodes.map(({ to }: { to: string }) => to)).toEqual([
      'REQUESTED',
      'PENDING_APPROVAL',
      'APPROVED',
      'PROCESSING',
      'COMPLETED',
    ]);
  });

  it('ends when that is against it, comes too late, or is not waited for; what was reserved is available again', async () => {
    const { from, input } = await prepared('500', {}, false);
    const [turnedDown, late, given] = [await request(input), await request(input), await request(input)];
    expect(await inside(graph, from.segregated)).toEqual({ USD: '8998500 + 1500 + 0' });
    expect(await decide(turnedDown.transferId, 'REJECT')).toMatchObject({
      status: 'REJECTED',
      failureReason: 'papers seen',
      review: { status: 'REJECTED' },
    });
    await done(graph, 'cancelTransfer', { transferId: given.transferId, actor: 'anna' });
    expect(await reviewOf(given.transferId)).toMatchObject({ status: 'CANCELLED', review: { status: 'CANCELLED' } });
    const before = now;
    now = new Date(now.getTime() + 24 * 3_600_000);
    await expireRequests(graph.subgraphs.get('custodian')?.createContext({}) as Context);
    now = before;
    expect(await reviewOf(late.transferId)).toMatchObject({ status: 'EXPIRED', review: { status: 'TIMED_OUT' } });
    expect(await inside(graph, from.segregated)).toEqual({ USD: '9000000 + 0 + 0' });
    const sure = await request({ ...input, toAccountId: from.master });
    expect(sure.status).toBe('PENDING_APPROVAL'); // it stays his
    const none = { transferId: sure.transferId, decision: 'APPROVE', officerId: 'olga', reason: 'x' };
    expect(await refused(graph, 'decideTransferReview', none)).toMatchObject({ from: 'PENDING_APPROVAL' });
  });
});

describe('whoever tries to get round the rules', () => {
  it('is the same person in capitals and in letters of another width', async () => {
    const { input } = await prepared('20000');
    const { transferId, approval } = await request(input);
    for (const approverId of ['ANNA', 'ａnna', 'an\u200bna', 'Anna']) {
      expect((await refused(graph, 'approveTransfer', { transferId, approverId })).message).toContain('for himself');
    }
    await approve(transferId, 'ben');
    expect(await refused(graph, 'approveTransfer', { transferId, approverId: 'BEN' })).toMatchObject({
      code: 'CONFLICT',
    });
    const own = `insert into votes (request_id, approver_id, decision) values ('${approval.requestId}', 'ANNA', 'APPROVE')`;
    await expect(graph.sql('custodian', own)).rejects.toThrow('nobody approves');
    const votes = await Promise.all(
      ['Cleo', 'cleo'].map((approverId) => send(graph, 'approveTransfer', { transferId, approverId })),
    );
    expect(votes.flatMap(({ errors }) => errors)).toHaveLength(1);
  });

  it('gets nothing to or from somebody who has come on the list meanwhile', async () => {
    const { to, input } = await prepared('500', { isUrgent: true });
    const [waiting, approved] = [await request(input), await request(input)];
    await approve(approved.transferId, 'ben');
    await done(graph, 'sanctionParty', { partyId: to.clientId, reason: 'listed', actor: 'law' });
    const vote = { transferId: waiting.transferId, approverId: 'ben' };
    expect((await refused(graph, 'approveTransfer', vote)).message).toContain('is on the list');
    await work(at('12:00:00'));
    const { settlement, status } = await stateOf(approved.transferId);
    expect(status).toBe('APPROVED');
    const { settlementId } = settlement;
    expect((await refused(graph, 'startSettlement', { settlementId })).message).toContain('is on the list');
    await done(graph, 'liftSanction', { partyId: to.clientId });
    await work(at('12:00:00'));
    expect((await stateOf(approved.transferId)).status).toBe('COMPLETED');
  });

  it('finds an account that is closed by now closed to corrections', async () => {
    const { segregated: accountId } = await admit(graph);
    const wanted = { accountId, asset: 'BTC', amount: '5', reason: 'found', requestedBy: 'anna' };
    const { request: asked } = await done(graph, 'adjustCustodyBalance', wanted, 'request { requestId }');
    await done(graph, 'closeCustodyAccount', { accountId });
    const vote = { requestId: asked.requestId, approverId: 'ben' };
    const { request: voted } = await done(graph, 'approveRequest', vote, 'request { adjustment { status } }');
    expect(voted.adjustment.status).toBe('FAILED');
    expect(await inside(graph, accountId)).toEqual({ BTC: '0 + 0 + 0' });
  });

  it('is not given an instruction of another price under the same external id', async () => {
    const { segregated: accountId } = await admit(graph, { BTC: '1' });
    const { segregated: counterpartyAccountId } = await admit(graph, { USD: '100' });
    const terms = {
      type: 'TRANSFER',
      accountId,
      counterpartyAccountId,
      asset: 'BTC',
      quantity: '0.1',
      currency: 'USD',
    };
    const known = { ...terms, cashAmount: '10', externalId: `known-${accountId}` };
    await done(graph, 'initiateSettlement', known);
    await done(graph, 'initiateSettlement', known);
    for (const other of [{ cashAmount: '11' }, { currency: null, cashAmount: null }]) {
      expect(await refused(graph, 'initiateSettlement', { ...known, ...other })).toMatchObject({ code: 'CONFLICT' });
    }
  });
});

describe('the halt', () => {
  it('stops every transfer at once, until it is lifted', async () => {
    const { input } = await prepared('500');
    const waiting = await request(input);
    const approved = await request(input);
    const { settlement } = await approve(approved.transferId, 'ben');
    await done(graph, 'haltTransfers', { reason: 'keys may be lost', actor: 'chief' });
    const vote = { transferId: waiting.transferId, approverId: 'ben' };
    expect((await refused(graph, 'requestTransfer', { requestedBy: 'anna', ...input })).message).toContain('halted');
    expect((await refused(graph, 'approveTransfer', vote)).message).toContain('halted');
    await work(at('12:00:00'));
    expect(await stateOf(approved.transferId)).toMatchObject({ status: 'APPROVED', settlement });
    expect(await refused(graph, 'haltTransfers', { reason: 'again', actor: 'chief' })).toMatchObject({
      from: 'HALTED',
    });
    const { settlementId } = settlement;
    for (const [name, input_] of [
      ['startSettlement', { settlementId }],
      ['withdrawCustodyAsset', { accountId: input.fromAccountId, asset: 'USD', amount: '1' }],
    ] as const) {
      expect((await refused(graph, name, input_)).message).toContain('halted');
    }
    const { transferHalt } = await ask(graph, '{ transferHalt { isHalted reason actor } }');
    expect(transferHalt).toEqual({ isHalted: true, reason: 'keys may be lost', actor: 'chief' });
    await done(graph, 'resumeTransfers', { actor: 'chief' });
    await done(graph, 'approveTransfer', vote);
    await work(at('12:00:00'));
    expect((await stateOf(waiting.transferId)).status).toBe('COMPLETED');
  });
});

describe('a correction by hand', () => {
  it('is posted when a second person approves it', async () => {
    const { segregated: accountId } = await admit(graph, { BTC: '1' });
    const wanted = { accountId, asset: 'BTC', amount: '-0.4', reason: 'counted twice', requestedBy: 'anna' };
    const { request: asked } = await done(
      graph,
      'adjustCustodyBalance',
      wanted,
      'request { requestId } adjustment { status }',
    );
    const { requestId } = asked;
    expect(await refused(graph, 'approveRequest', { requestId, approverId: 'anna' })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    expect(await inside(graph, accountId)).toEqual({ BTC: '1 + 0 + 0' });
    const voted = await done(
      graph,
      'approveRequest',
      { requestId, approverId: 'ben' },
      'request { status adjustment { status } }',
    );
    expect(voted.request).toEqual({ status: 'APPROVED', adjustment: { status: 'COMPLETED' } });
    expect(await inside(graph, accountId)).toEqual({ BTC: '0.6 + 0 + 0' });
    const { request: other } = await done(
      graph,
      'adjustCustodyBalance',
      { ...wanted, amount: '5' },
      'request { requestId }',
    );
    await done(graph, 'rejectRequest', { requestId: other.requestId, approverId: 'ben', reason: 'no' });
    const { request: third } = await done(
      graph,
      'adjustCustodyBalance',
      { ...wanted, amount: '-5' },
      'request { requestId }',
    );
    const failed = await done(
      graph,
      'approveRequest',
      { requestId: third.requestId, approverId: 'ben' },
      'request { adjustment { status } }',
    );
    expect(failed.request.adjustment.status).toBe('FAILED');
    expect(await inside(graph, accountId)).toEqual({ BTC: '0.6 + 0 + 0' });
  });
});

describe('what is late', () => {
  it('is told by risk, one alert for each account, until it is done', async () => {
    const { segregated: accountId } = await admit(graph);
    const deposit = { type: 'DEPOSIT', accountId, asset: 'BTC' };
    const instruct = async (quantity: string) =>
      (await done(graph, 'initiateSettlement', { ...deposit, quantity }, 'settlement { settlementId traceId }'))
        .settlement;
    const [settlement, other] = [await instruct('2'), await instruct('1')]; // both with the same deadline
    const { db, graph: client, log } = (graph.subgraphs.get('risk') as Subgraph).createContext({}) as RiskContext;
    const watcher = new SettlementWatch({ db, graph: client, log, feed: { ring: () => undefined } as Feed });
    const alertOf = `query ($id: ID!) { riskAlerts(filter: { accountId: $id, metricName: "settlement_timeout" }) {
      nodes { severity status currentValue message traceId } } }`;
    const inState = async (status: string) => {
      await watcher.look(now);
      const { riskAlerts } = await ask(graph, alertOf, { id: `custody:${accountId}` });
      return riskAlerts.nodes.filter((alert: { status: string }) => alert.status === status);
    };
    const before = now;
    expect(await inState('ACTIVE')).toEqual([]);
    now = at('11:00:00');
    // The risk that runs here looks as well, now and then, and may have begun to a moment ago.
    const message = expect.stringContaining(`2 settlements of ${accountId}, 150000 USD, past the deadline`);
    const traceId = expect.toBeOneOf([settlement.traceId, other.traceId]);
    const told = { severity: 'HIGH', status: 'ACTIVE', currentValue: '2', message, traceId };
    await until(async () => expect(await inState('ACTIVE')).toEqual([told]));
    await done(graph, 'cancelSettlement', { settlementId: settlement.settlementId });
    await until(async () => expect(await inState('ACTIVE')).toMatchObject([{ currentValue: '1' }]));
    await work(now);
    await until(async () => {
      expect(await inState('ACTIVE')).toEqual([]);
      expect(await inState('RESOLVED')).not.toEqual([]);
    });
    now = before;
  });
});

describe('what waits for a person', () => {
  it('is told as long as it does', async () => {
    const field = 'approvalRequests';
    const document = `subscription { approvalRequests(approverId: "erin") { kind cursor request { requestId requestedBy } } }`;
    const erin = watch(graph.client, field, document);
    await erin.begun();
    const { input } = await prepared('20000');
    const own = await request({ ...input, requestedBy: 'erin' });
    const other = await request(input);
    const id = other.approval.requestId;
    await erin.until(({ kind, request: told }) => kind === 'UPSERT' && told?.requestId === id);
    const { approvalRequests } = await ask(
      graph,
      '{ approvalRequests(filter: { forApprover: "erin" }, first: 500) { nodes { requestId } } }',
    );
    const waiting = approvalRequests.nodes.map(({ requestId }: { requestId: string }) => requestId);
    expect(waiting).toContain(id);
    expect(waiting).not.toContain(own.approval.requestId);
    await approve(other.transferId, 'erin');
    await erin.until(({ kind, request: told }) => kind === 'DELETE' && told?.requestId === id);
    expect(erin.all.some(({ request: told }) => told?.requestId === own.approval.requestId)).toBe(false);
    await erin.leave();
  });
});

describe('no transfer', () => {
  it('proceeds without its approvals, whoever writes it', async () => {
    const { input } = await prepared('500');
    const { transferId } = await request(input);
    const force = `update transfers set status = 'APPROVED', reserved_amount = 0,
      settlement_id = (select settlement_id from settlements limit 1) where transfer_id = '${transferId}'`;
    await expect(graph.sql('custodian', force)).rejects.toThrow('needs its approvals');
    const own = `insert into votes (request_id, approver_id, decision)
      select approval_request_id, 'anna', 'APPROVE' from transfers where transfer_id = '${transferId}'`;
    await expect(graph.sql('custodian', own)).rejects.toThrow('nobody approves what he asked for');
  });

  it('is done twice with one key', async () => {
    const { input } = await prepared('500');
    const twice = { requestedBy: 'anna', ...input, idempotencyKey: `twice-${input.fromAccountId}` };
    const [one, two] = await Promise.all(
      [1, 2].map(() => send(graph, 'requestTransfer', twice, 'transfer { transferId }')),
    );
    expect(one.transfer).toEqual(two.transfer);
  });

  it('leaves the books uneven', async () => {
    expect(await audit(graph)).toEqual({});
    const { approvalTiers } = await ask(graph, '{ approvalTiers { tier fromUsd required leastMinutes mostMinutes } }');
    expect(approvalTiers).toHaveLength(4);
  });
});
