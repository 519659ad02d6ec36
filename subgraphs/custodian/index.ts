/** The custodian subgraph: what is kept for whom, and how it is settled, approved and reconciled. */
import { chaosResolvers } from '../../platform/chaos/resolvers.ts';
import { contractIn } from '../../platform/contract.ts';
import { rowOf } from '../../platform/feed/events.ts';
import { defineSubgraph } from '../../platform/subgraph.ts';
import { PrismaClient } from '../../prisma/custodian/generated/client.ts';
import { calendarMutations, calendarQueries, calendarResolvers } from './calendar/resolvers.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { reconciliationMutations, reconciliationQueries, reconciliationResolvers } from './reconciliation/resolvers.ts';
import { accountResolvers } from './resolvers/accounts.ts';
import { holdingResolvers } from './resolvers/holdings.ts';
import { Mutation } from './resolvers/Mutation.ts';
import { payloads } from './resolvers/payloads.ts';
import { Query } from './resolvers/Query.ts';
import { Subscription } from './resolvers/Subscription.ts';
import { type CustodianService, startCustodian } from './service.ts';
import { settlementMutations, settlementQueries, settlementResolvers } from './settlement/resolvers.ts';
import { transferMutations, transferQueries, transferResolvers } from './transfer/resolvers.ts';

const chaos = chaosResolvers('custodian');

const resolvers: Resolvers = {
  Query: {
    ...Query,
    ...calendarQueries,
    ...settlementQueries,
    ...transferQueries,
    ...reconciliationQueries,
    ...chaos.Query,
  },
  Mutation: {
    ...Mutation,
    ...calendarMutations,
    ...settlementMutations,
    ...transferMutations,
    ...reconciliationMutations,
    ...chaos.Mutation,
  },
  Subscription,
  ...accountResolvers,
  ...holdingResolvers,
  ...calendarResolvers,
  ...settlementResolvers,
  ...transferResolvers,
  ...reconciliationResolvers,
  ...payloads,
  CustodyAccountChange: { account: rowOf },
  SettlementChange: { settlement: rowOf },
  TransferChange: { transfer: rowOf },
  ApprovalRequestChange: { request: rowOf },
  ReconciliationBreakChange: { break: rowOf },
};

export const custodian = defineSubgraph<PrismaClient, CustodianService>({
  name: 'custodian',
  typeDefs: contractIn(new URL('./', import.meta.url)),
  resolvers,
  createPrisma: (adapter) => new PrismaClient({ adapter }),
  start: startCustodian,
});
