/** A missing resolver is no type error: every field of every type is selected once, where all of them say something. */

import {
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isLeafType,
  isObjectType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import { newYorkInstant } from '../../../subgraphs/custodian/calendar/new-york.ts';
import { BREAK_TRANSITIONS } from '../../../subgraphs/custodian/reconciliation/comparing.ts';
import { ACCOUNT_TRANSITIONS } from '../../../subgraphs/custodian/rules/account-lifecycle.ts';
import { SETTLEMENT_TRANSITIONS } from '../../../subgraphs/custodian/settlement/lifecycle.ts';
import { APPROVAL_TRANSITIONS, TRANSFER_TRANSITIONS } from '../../../subgraphs/custodian/transfer/lifecycle.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, done, open } from '../exchange/floor.ts';
import { admit, bring, quote } from './vault.ts';

const now = newYorkInstant({ date: '2026-11-18', time: '10:00:00' });

let graph: TestGraph;
let schema: GraphQLSchema;
const ids: Record<string, string> = {};
beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS, now: () => now });
  schema = graph.subgraphs.get('custodian')?.schema as GraphQLSchema;
  await quote(graph, { BTC: '50000' }, now);
  const { clientId, master, segregated } = await admit(graph, { BTC: '5', USD: '50000' });
  const exchange = await open(graph, { BTC: '4' }, { clientId });
  await done(graph, 'linkVenueAccount', { accountId: segregated, venueAccountId: exchange });
  const ends = { fromAccountId: segregated, toAccountId: master, asset: 'BTC', amount: '0.5', requestedBy: 'anna' };
  const { transfer } = await done(
    graph,
    'requestTransfer',
    { ...ends, memo: 'x' },
    'transfer { transferId approval { requestId } }',
  );
  const { transferId } = transfer;
  await done(graph, 'approveTransfer', { transferId, approverId: 'ben', reason: 'fine', signature: 's' });
  const approved = await done(
    graph,
    'approveTransfer',
    { transferId, approverId: 'cleo' },
    'transfer { settlement { settlementId } }',
  );
  const correction = { accountId: segregated, asset: 'USD', amount: '1', reason: 'found', requestedBy: 'anna' };
  const { adjustment } = await done(graph, 'adjustCustodyBalance', correction, 'adjustment { adjustmentId }');
  await bring(graph, segregated, 'USD', '1');
  const { run } = await done(
    graph,
    'runReconciliation',
    { accountId: segregated },
    'run { runId breaks { nodes { breakId } } }',
  );
  await done(graph, 'sanctionParty', { partyId: 'x', reason: 'y', actor: 'z' });
  Object.assign(ids, {
    clientId,
    segregated,
    exchange,
    transferId,
    requestId: transfer.approval.requestId,
    settlementId: approved.transfer.settlement.settlementId,
    adjustmentId: adjustment.adjustmentId,
    runId: run.runId,
    breakId: run.breaks.nodes[0].breakId,
  });
});
afterAll(() => graph.close());

/** The leaves of a type of this subgraph, and of what lies `depth` fields below it. */
function selection(type: GraphQLObjectType, depth: number): string {
  const fields = Object.values(type.getFields()).map((field) => {
    const inner = getNamedType(field.type);
    if (isLeafType(inner)) return field.name;
    if (depth === 0 || !isObjectType(inner)) return '';
    return `${field.name} { __typename ${selection(inner, depth - 1)} }`;
  });
  return fields.join(' ');
}

const ROOTS: Record<string, () => string> = {
  CustodyAccount: () => `custodyAccount(id: "${ids.segregated}")`,
  CustodyPosition: () => `custodyPositionOf(accountId: "${ids.segregated}", asset: "BTC")`,
  CustodyBalance: () => `custodyBalanceOf(accountId: "${ids.segregated}", asset: "USD")`,
  MasterBalance: () => `masterBalance(clientId: "${ids.clientId}")`,
  CustodyAuditEntry: () => 'custodyAuditTrail',
  CustodyLedgerEntryConnection: () => 'custodyLedgerEntries',
  BusinessDay: () => 'businessDays(from: "2026-11-01", to: "2026-12-31")',
  ExpectedSettlement: () => 'settlementDate(rail: ACH)',
  SettlementRailTerms: () => 'settlementRails',
  Settlement: () => `settlement(id: "${ids.settlementId}")`,
  SettlementConnection: () => 'settlements',
  Transfer: () => `transfer(id: "${ids.transferId}")`,
  TransferConnection: () => 'transfers',
  ApprovalRequest: () => `approvalRequest(id: "${ids.requestId}")`,
  ApprovalRequestConnection: () => 'approvalRequests',
  ApprovalTier: () => 'approvalTiers',
  TransferHalt: () => 'transferHalt',
  ComplianceCheckConnection: () => 'complianceChecks',
  SanctionedParty: () => 'sanctionedParties',
  CustodyAdjustment: () => `custodyAdjustment(id: "${ids.adjustmentId}")`,
  ReconciliationRun: () => `reconciliationRun(id: "${ids.runId}")`,
  ReconciliationBreak: () => `reconciliationBreak(id: "${ids.breakId}")`,
};

describe('the contract', () => {
  it.each(Object.entries(ROOTS))('%s answers every field, three deep', async (name, root) => {
    const listed = name === 'CustodyAuditEntry';
    const fields = selection(schema.getType(name) as GraphQLObjectType, 3);
    const { data, errors } = await graph.subgraph(
      'custodian',
      `{ it: ${root()} ${listed ? `{ nodes { ${fields} } }` : `{ ${fields} }`} }`,
    );
    expect(errors).toBeUndefined();
    expect(data.it).not.toBeNull();
    if (Array.isArray(data.it)) expect(data.it.length).toBeGreaterThan(0);
  });

  it('entities answer every field from their keys', async () => {
    const { custodyPositionOf, custodyBalanceOf } = await ask(
      graph,
      `query ($id: ID!) { custodyPositionOf(accountId: $id, asset: "BTC") { positionId }
        custodyBalanceOf(accountId: $id, asset: "USD") { balanceId } }`,
      { id: ids.segregated },
    );
    const these = [
      { __typename: 'Client', clientId: ids.clientId },
      { __typename: 'ExchangeAccount', accountId: ids.exchange },
      { __typename: 'ExchangeTrade', tradeId: crypto.randomUUID() },
      { __typename: 'Portfolio', accountId: ids.exchange },
      { __typename: 'Asset', code: 'BTC' },
      { __typename: 'CustodyAccount', accountId: ids.segregated },
      { __typename: 'CustodyPosition', ...custodyPositionOf },
      { __typename: 'CustodyBalance', ...custodyBalanceOf },
      { __typename: 'Settlement', settlementId: ids.settlementId },
      { __typename: 'Transfer', transferId: ids.transferId },
      { __typename: 'ApprovalRequest', requestId: ids.requestId },
      { __typename: 'ReconciliationRun', runId: ids.runId },
      { __typename: 'ReconciliationBreak', breakId: ids.breakId },
    ];
    for (const representation of these) {
      const { __typename } = representation;
      const fields = selection(schema.getType(__typename) as GraphQLObjectType, 1);
      const { data, errors } = await graph.subgraph(
        'custodian',
        `query Q($these: [_Any!]!) { _entities(representations: $these) { ... on ${__typename} { ${fields} } } }`,
        { these: [representation] },
      );
      expect(errors).toBeUndefined();
      expect(data._entities[0]).not.toBeNull();
    }
  });

  it('has a mutation for every payload, each answering `errors` and taking an idempotency key', () => {
    const all = Object.values(schema.getMutationType()?.getFields() ?? {});
    for (const { name, type, args } of all.filter((one) => !/^invalidate|Faults?$/.test(one.name))) {
      const payload = getNamedType(type);
      expect(payload.name.toLowerCase()).toBe(`${name}payload`.toLowerCase());
      expect(isObjectType(payload) && Object.keys(payload.getFields())).toContain('errors');
      const input = getNamedType(args[0]?.type);
      expect(input && 'getFields' in input && Object.keys(input.getFields())).toContain('idempotencyKey');
    }
  });

  it.each([
    ['CustodyAccountStatus', ACCOUNT_TRANSITIONS],
    ['SettlementStatus', SETTLEMENT_TRANSITIONS],
    ['TransferStatus', TRANSFER_TRANSITIONS],
    ['ApprovalStatus', APPROVAL_TRANSITIONS],
    ['ReconciliationBreakStatus', BREAK_TRANSITIONS],
  ])('names the states of %s as the rules do', (name, transitions) => {
    const type = schema.getType(name);
    expect(isEnumType(type) && type.getValues().map((value) => value.name)).toEqual(Object.keys(transitions));
  });

  it('has a health of its own', async () => {
    const [{ health }] = await graph.sql('custodian', 'select health_check() as health');
    expect(health).toMatchObject({ schema: 'custodian', status: 'healthy', accounts: 5, open_settlements: 1 });
  });
});
