import type { Operation } from './operation.ts';

const ACCOUNTS = 'test/graph/custodian/accounts.test.ts';
const SETTLEMENTS = 'test/graph/custodian/settlements.test.ts';
const TRANSFERS = 'test/graph/custodian/transfers.test.ts';
const TRADES = 'test/graph/custodian/exchange-trades.test.ts';

const FOUND = 'is found by its account, its client, its asset and how much it is';

/** domain.md §4.2 */
export const operations: Operation[] = [
  {
    repository: 'Position',
    operation: 'create',
    fields: ['Mutation.depositCustodyAsset'],
    test: [ACCOUNTS, 'stands for the account of its client at the exchange'],
  },
  { repository: 'Position', operation: 'getById', fields: ['Query.custodyPosition'], test: [ACCOUNTS, FOUND] },
  {
    repository: 'Position',
    operation: 'getByAccountAndSymbol',
    fields: ['Query.custodyPositionOf'],
    test: [ACCOUNTS, FOUND],
  },
  {
    repository: 'Position',
    operation: 'getByAccount',
    fields: ['CustodyAccount.positions', 'Query.custodyPositions'],
    test: [ACCOUNTS, 'stands for the account of its client at the exchange'],
  },
  { repository: 'Position', operation: 'query', fields: ['Query.custodyPositions'], test: [ACCOUNTS, FOUND] },
  {
    repository: 'Position',
    operation: 'update',
    fields: ['Mutation.completeSettlement', 'Mutation.adjustCustodyBalance'],
    test: [SETTLEMENTS, 'is completed by hand in parts, each with its share of the payment'],
  },
  {
    repository: 'Position',
    operation: 'updateAvailableQuantity',
    fields: ['Mutation.lockCustodyAsset', 'Mutation.releaseCustodyAsset'],
    test: [ACCOUNTS, 'is locked and released by deltas, never past what is there'],
  },
  {
    repository: 'Position',
    operation: 'delete',
    fields: ['Mutation.closeCustodyAccount'],
    test: [ACCOUNTS, 'is frozen, thawed and closed when it is empty, and says so in the audit trail'],
  },
  {
    repository: 'Settlement',
    operation: 'create',
    fields: ['Mutation.initiateSettlement'],
    test: [SETTLEMENTS, 'reserves what both sides will give, and is given again under its external id'],
  },
  {
    repository: 'Settlement',
    operation: 'getById',
    fields: ['Query.settlement'],
    test: ['test/graph/custodian/contract.test.ts', '%s answers every field, three deep'],
  },
  {
    repository: 'Settlement',
    operation: 'getByExternalId',
    fields: ['Query.settlementByExternalId'],
    test: [SETTLEMENTS, 'reserves what both sides will give, and is given again under its external id'],
  },
  {
    repository: 'Settlement',
    operation: 'query',
    fields: ['Query.settlements'],
    test: [SETTLEMENTS, 'is found by what it is'],
  },
  {
    repository: 'Settlement',
    operation: 'updateStatus',
    fields: ['Mutation.startSettlement', 'Mutation.failSettlement', 'Mutation.retrySettlement'],
    test: [SETTLEMENTS, 'gives back what it reserved when it is cancelled, or fails halfway'],
  },
  {
    repository: 'Settlement',
    operation: 'complete',
    fields: ['Mutation.completeSettlement'],
    test: [SETTLEMENTS, 'is completed by hand in parts, each with its share of the payment'],
  },
  {
    repository: 'Settlement',
    operation: 'cancel',
    fields: ['Mutation.cancelSettlement'],
    test: [SETTLEMENTS, 'gives back what it reserved when it is cancelled, or fails halfway'],
  },
  {
    repository: 'Settlement',
    operation: 'getPendingByAccount',
    fields: ['Query.pendingSettlements'],
    test: [SETTLEMENTS, 'settles what is due, in the order of expected dates, and nothing before'],
  },
  {
    repository: 'Balance',
    operation: 'upsert',
    fields: ['Mutation.depositCustodyAsset'],
    test: [ACCOUNTS, 'tells every posting, both sides of it'],
  },
  { repository: 'Balance', operation: 'getById', fields: ['Query.custodyBalance'], test: [ACCOUNTS, FOUND] },
  {
    repository: 'Balance',
    operation: 'getByAccountAndCurrency',
    fields: ['Query.custodyBalanceOf'],
    test: [ACCOUNTS, FOUND],
  },
  { repository: 'Balance', operation: 'getByAccount', fields: ['CustodyAccount.balances'], test: [ACCOUNTS, FOUND] },
  { repository: 'Balance', operation: 'query', fields: ['Query.custodyBalances'], test: [ACCOUNTS, FOUND] },
  {
    repository: 'Balance',
    operation: 'updateAvailableBalance',
    fields: ['Mutation.adjustCustodyBalance'],
    test: [TRANSFERS, 'is posted when a second person approves it'],
  },
  {
    repository: 'Balance',
    operation: 'atomicUpdate',
    fields: ['Mutation.withdrawCustodyAsset', 'Mutation.depositCustodyAsset'],
    test: [ACCOUNTS, 'takes what two withdraw at once no more than once, and a repeat not at all'],
  },
  {
    repository: 'SettlementService',
    operation: 'ProcessSettlementQueue',
    fields: ['Mutation.processSettlementQueue'],
    test: [SETTLEMENTS, 'is worked by many at once, each settlement exactly once'],
  },
  {
    repository: 'SettlementService',
    operation: 'ListPendingSettlements',
    fields: ['Query.pendingSettlements', 'Portfolio.pendingSettlements'],
    test: [TRADES, 'finds both sides equal, while settlements are under way and after'],
  },
  {
    repository: 'SettlementService',
    operation: 'GetSettlementStatus',
    fields: ['Query.settlement', 'ExchangeTrade.settlement', 'Subscription.settlementChanges'],
    test: [TRADES, 'is settled by the service by itself, at the ring of a bell'],
  },
  {
    repository: 'TransferService',
    operation: 'InitiateTransfer',
    fields: ['Mutation.requestTransfer'],
    test: [TRANSFERS, 'goes its way: reserved, approved by others, settled'],
  },
  {
    repository: 'TransferService',
    operation: 'ApproveTransfer',
    fields: ['Mutation.approveTransfer', 'Mutation.rejectTransfer', 'Mutation.cancelTransfer'],
    test: [TRANSFERS, 'ends with one rejection, and what it reserved is available again'],
  },
  {
    repository: 'TransferService',
    operation: 'GetTransferHistory',
    fields: ['Query.transfers'],
    test: [TRANSFERS, 'goes its way: reserved, approved by others, settled'],
  },
  {
    repository: 'CustodyService',
    operation: 'GetMasterBalance',
    fields: ['Query.masterBalance', 'Client.masterBalance'],
    test: [ACCOUNTS, FOUND],
  },
  {
    repository: 'CustodyService',
    operation: 'GetSegregatedBalance',
    fields: ['Query.segregatedBalances'],
    test: [ACCOUNTS, FOUND],
  },
  {
    repository: 'CustodyService',
    operation: 'CreateCustodyAccount',
    fields: ['Mutation.openCustodyAccount'],
    test: [ACCOUNTS, 'is opened once, as one master a client and segregated ones below it'],
  },
  {
    repository: 'CustodyService',
    operation: 'GetAuditTrail',
    fields: ['Query.custodyAuditTrail'],
    test: [ACCOUNTS, 'is frozen, thawed and closed when it is empty, and says so in the audit trail'],
  },
  {
    repository: 'Reconciliation',
    operation: 'run',
    fields: ['Mutation.runReconciliation', 'Query.reconciliationRuns'],
    test: [TRADES, 'finds both sides equal, while settlements are under way and after'],
  },
  {
    repository: 'Reconciliation',
    operation: 'breaks',
    fields: ['Query.reconciliationBreaks', 'Subscription.reconciliationBreakChanges'],
    test: [TRADES, 'of a difference of %s at 100 dollars'],
  },
  {
    repository: 'Reconciliation',
    operation: 'assign',
    fields: ['Mutation.assignBreak'],
    test: [TRADES, 'leads from a break to its end: assigned, resolved, back again, written off by two'],
  },
  {
    repository: 'Reconciliation',
    operation: 'resolve',
    fields: ['Mutation.resolveBreak'],
    test: [TRADES, 'leads from a break to its end: assigned, resolved, back again, written off by two'],
  },
  {
    repository: 'Reconciliation',
    operation: 'writeOff',
    fields: ['Mutation.writeOffBreak', 'Mutation.approveRequest'],
    test: [TRADES, 'leads from a break to its end: assigned, resolved, back again, written off by two'],
  },
  {
    repository: 'Compliance',
    operation: 'check',
    fields: ['Query.complianceChecks', 'Mutation.sanctionParty', 'Mutation.liftSanction'],
    test: [TRANSFERS, 'rejects a transfer to somebody on the list, and lets it be when he is taken off'],
  },
  {
    repository: 'Compliance',
    operation: 'freezeAccount',
    fields: ['Mutation.freezeAccount', 'Mutation.unfreezeAccount'],
    test: [SETTLEMENTS, 'waits while the source is frozen'],
  },
  {
    repository: 'Compliance',
    operation: 'haltTransfers',
    fields: ['Mutation.haltTransfers', 'Mutation.resumeTransfers'],
    test: [TRANSFERS, 'stops every transfer at once, until it is lifted'],
  },
  {
    repository: 'Chaos',
    operation: 'delaySettlements',
    fields: ['Mutation.injectCustodianFault', 'Settlement.waitReason'],
    test: ['test/graph/chaos/custodian.test.ts', 'wait as long as they are delayed, say so, and are settled then'],
  },
  {
    repository: 'Chaos',
    operation: 'rejectTransfers',
    fields: ['Mutation.injectCustodianFault'],
    test: ['test/graph/chaos/kinds.test.ts', 'refuses commands before anything is done'],
  },
  {
    repository: 'Chaos',
    operation: 'bankHoliday',
    fields: ['Mutation.injectCustodianFault'],
    test: [
      'test/graph/chaos/custodian.test.ts',
      'meet a holiday while it is there: nothing is settled, and dates are counted past it',
    ],
  },
  {
    repository: 'Chaos',
    operation: 'partialSettlementFailure',
    fields: ['Mutation.injectCustodianFault'],
    test: [
      'test/graph/chaos/custodian.test.ts',
      'fail in about the share that is asked for, the same ones at every look',
    ],
  },
  {
    repository: 'Chaos',
    operation: 'offline',
    fields: ['Mutation.injectCustodianFault'],
    test: ['test/graph/chaos/kinds.test.ts', 'is down until it is cleared, and can be looked at meanwhile'],
  },
  {
    repository: 'Chaos',
    operation: 'status',
    fields: ['Query.custodianFaults', 'Query.custodianHealth'],
    test: ['test/graph/chaos/contract.test.ts', 'are injected, renewed and cleared by their run'],
  },
  {
    repository: 'Chaos',
    operation: 'clearAll',
    fields: ['Mutation.clearCustodianFaults'],
    test: ['test/graph/chaos/contract.test.ts', 'are injected, renewed and cleared by their run'],
  },
];
