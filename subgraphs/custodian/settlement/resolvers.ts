import { existing } from '../../../platform/loaders.ts';
import { accounts } from '../accounts.ts';
import type { Context } from '../context.ts';
import type { MutationResolvers, QueryResolvers, Resolvers } from '../generated/resolvers.ts';
import { transfers } from '../transfer/transfers.ts';
import { processQueue } from './queue.ts';
import {
  cancelSettlement,
  completeSettlement,
  failSettlement,
  initiateSettlement,
  retrySettlement,
  startSettlement,
} from './settlement-commands.ts';
import {
  isOpen,
  ofAccount,
  settlementByExternalId,
  settlementConditions,
  settlementList,
  settlements,
  tradeSettlements,
} from './settlements.ts';

const accountOf = (context: Context, id: string) => existing(context.load(accounts, id), 'CustodyAccount', id);

const settlement = ({ settlementId }: { settlementId?: string }, _: object, context: Context) =>
  settlementId === undefined ? null : context.load(settlements, settlementId);

const isNew = ({ isNew: made }: { isNew?: boolean }) => made ?? false;

export const settlementQueries = {
  settlement: (_, { id }, context) => context.load(settlements, id),
  settlementByExternalId: (_, { externalId }, context) => settlementByExternalId(context, externalId),
  settlements: (_, { filter, ...page }, context) => context.connect(settlementList, page, settlementConditions(filter)),
  pendingSettlements: (_, { accountId, ...page }, context) =>
    context.connect(settlementList, page, [...ofAccount(accountId), isOpen]),
} satisfies QueryResolvers;

export const settlementMutations = {
  initiateSettlement: (_, { input }, context) => initiateSettlement(context, input),
  startSettlement: (_, { input }, context) => startSettlement(context, input),
  completeSettlement: (_, { input }, context) => completeSettlement(context, input),
  failSettlement: (_, { input }, context) => failSettlement(context, input),
  cancelSettlement: (_, { input }, context) => cancelSettlement(context, input),
  retrySettlement: (_, { input }, context) => retrySettlement(context, input),
  processSettlementQueue: async (_, { input }, context) => {
    const asOf = input.asOf ? new Date(input.asOf) : context.now();
    return { items: await processQueue(context, input.limit ?? 100, asOf), readToken: null, errors: [] };
  },
} satisfies MutationResolvers;

export const settlementResolvers = {
  Settlement: {
    __resolveReference: ({ settlementId }, context) => context.load(settlements, settlementId),
    type: ({ instructionType }) => instructionType,
    account: ({ accountId }, _, context) => accountOf(context, accountId),
    source: ({ sourceAccountId }, _, context) => accountOf(context, sourceAccountId),
    destination: ({ destinationAccountId }, _, context) => accountOf(context, destinationAccountId),
    asset: ({ asset }) => ({ code: asset }),
    currency: ({ currency }) => (currency === null ? null : { code: currency }),
    exchangeTrade: ({ exchangeTradeId }) => (exchangeTradeId === null ? null : { tradeId: exchangeTradeId }),
    transfer: ({ transferId }, _, context) => (transferId === null ? null : context.load(transfers, transferId)),
    retryOf: ({ retryOf }, _, context) => (retryOf === null ? null : context.load(settlements, retryOf)),
    expectedDate: ({ expectedSettlementDate }) => expectedSettlementDate,
  },
  SettlementQueueItem: { settlement },
  ProcessSettlementQueuePayload: {
    items: ({ items }) => items ?? [],
  },
  ExchangeTrade: {
    __resolveReference: ({ tradeId }) => ({ tradeId }),
    settlement: async ({ tradeId }, _, context) => (await context.list(tradeSettlements, tradeId)).at(-1) ?? null,
  },
  InitiateSettlementPayload: { settlement, isNew },
  StartSettlementPayload: { settlement },
  CompleteSettlementPayload: { settlement },
  FailSettlementPayload: { settlement },
  CancelSettlementPayload: { settlement },
  RetrySettlementPayload: { settlement },
} satisfies Resolvers;
