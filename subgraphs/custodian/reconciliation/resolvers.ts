import { existing } from '../../../platform/loaders.ts';
import { accounts } from '../accounts.ts';
import type { Context } from '../context.ts';
import type { MutationResolvers, QueryResolvers, Resolvers } from '../generated/resolvers.ts';
import { approvalRequests } from '../transfer/transfers.ts';
import { assignBreak, resolveBreak, writeOffBreak } from './break-commands.ts';
import { breakConditions, breakList, breaks, runConditions, runList, runs } from './breaks.ts';
import { runReconciliation } from './reconciling.ts';

const found = ({ breakId }: { breakId?: string }, _: object, context: Context) =>
  breakId === undefined ? null : context.load(breaks, breakId);

export const reconciliationQueries = {
  reconciliationRun: (_, { id }, context) => context.load(runs, id),
  reconciliationRuns: (_, { filter, ...page }, context) => context.connect(runList, page, runConditions(filter)),
  reconciliationBreak: (_, { id }, context) => context.load(breaks, id),
  reconciliationBreaks: (_, { filter, ...page }, context) => context.connect(breakList, page, breakConditions(filter)),
} satisfies QueryResolvers;

export const reconciliationMutations = {
  runReconciliation: (_, { input }, context) => runReconciliation(context, input),
  assignBreak: (_, { input }, context) => assignBreak(context, input),
  resolveBreak: (_, { input }, context) => resolveBreak(context, input),
  writeOffBreak: (_, { input }, context) => writeOffBreak(context, input),
} satisfies MutationResolvers;

export const reconciliationResolvers = {
  ReconciliationRun: {
    __resolveReference: ({ runId }, context) => context.load(runs, runId),
    account: ({ accountId }, _, context) => (accountId === null ? null : context.load(accounts, accountId)),
    breaks: ({ runId }, page, context) => context.connect(breakList, page, breakConditions({ runId })),
  },
  ReconciliationBreak: {
    __resolveReference: ({ breakId }, context) => context.load(breaks, breakId),
    run: ({ runId }, _, context) => existing(context.load(runs, runId), 'ReconciliationRun', runId),
    account: ({ accountId }, _, context) => existing(context.load(accounts, accountId), 'CustodyAccount', accountId),
    asset: ({ asset }) => ({ code: asset }),
    ageSeconds: ({ openedAt, resolvedAt }, _, context) => {
      const until = resolvedAt === null ? context.now().getTime() : Date.parse(resolvedAt);
      return Math.max(0, Math.floor((until - Date.parse(openedAt)) / 1_000));
    },
  },
  RunReconciliationPayload: {
    run: ({ runId }, _, context) => (runId === undefined ? null : context.load(runs, runId)),
  },
  AssignBreakPayload: { break: found },
  ResolveBreakPayload: { break: found },
  WriteOffBreakPayload: {
    break: found,
    request: ({ requestId }, _, context) =>
      requestId === undefined ? null : context.load(approvalRequests, requestId),
  },
} satisfies Resolvers;
