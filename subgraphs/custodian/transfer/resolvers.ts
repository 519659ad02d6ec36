import { existing } from '../../../platform/loaders.ts';
import { accounts } from '../accounts.ts';
import type { Context } from '../context.ts';
import type { MutationResolvers, QueryResolvers, Resolvers } from '../generated/resolvers.ts';
import { breaks } from '../reconciliation/breaks.ts';
import { settlements } from '../settlement/settlements.ts';
import { adjustCustodyBalance, adjustments } from './adjustments.ts';
import { liftSanction, sanctionedParties, sanctionParty } from './compliance.ts';
import { HALT_ID, halts, haltTransfers, resumeTransfers } from './halt.ts';
import { decideTransferReview } from './reviews.ts';
import { TIERS } from './tiers.ts';
import { approveTransfer, cancelTransfer, rejectTransfer, requestTransfer } from './transfer-commands.ts';
import {
  approvalConditions,
  approvalRequestList,
  approvalRequests,
  complianceConditions,
  complianceList,
  transferConditions,
  transferList,
  transfers,
  votesOf,
} from './transfers.ts';
import { approveRequest, rejectRequest } from './voting.ts';

const accountOf = (context: Context, id: string) => existing(context.load(accounts, id), 'CustodyAccount', id);

const transfer = ({ transferId }: { transferId?: string }, _: object, context: Context) =>
  transferId === undefined ? null : context.load(transfers, transferId);

const request = ({ requestId }: { requestId?: string }, _: object, context: Context) =>
  requestId === undefined ? null : context.load(approvalRequests, requestId);

const halt = (_: object, __: object, context: Context) => context.load(halts, HALT_ID);

export const transferQueries = {
  transfer: (_, { id }, context) => context.load(transfers, id),
  transfers: (_, { filter, ...page }, context) => context.connect(transferList, page, transferConditions(filter)),
  approvalRequest: (_, { id }, context) => context.load(approvalRequests, id),
  approvalRequests: (_, { filter, ...page }, context) =>
    context.connect(approvalRequestList, page, approvalConditions(filter)),
  approvalTiers: () =>
    TIERS.map(({ fromUsd, minutes: [leastMinutes, mostMinutes], ...tier }) => ({
      ...tier,
      fromUsd: fromUsd.toFixed(),
      leastMinutes,
      mostMinutes,
    })),
  transferHalt: halt,
  complianceChecks: (_, { filter, ...page }, context) =>
    context.connect(complianceList, page, complianceConditions(filter)),
  sanctionedParties: (_, { startsWith }, context) => sanctionedParties(context, startsWith),
  custodyAdjustment: (_, { id }, context) => context.load(adjustments, id),
} satisfies QueryResolvers;

export const transferMutations = {
  requestTransfer: (_, { input }, context) => requestTransfer(context, input),
  approveTransfer: (_, { input }, context) => approveTransfer(context, input),
  rejectTransfer: (_, { input }, context) => rejectTransfer(context, input),
  decideTransferReview: (_, { input }, context) => decideTransferReview(context, input),
  cancelTransfer: (_, { input }, context) => cancelTransfer(context, input),
  approveRequest: (_, { input }, context) => approveRequest(context, input),
  rejectRequest: (_, { input }, context) => rejectRequest(context, input),
  haltTransfers: (_, { input }, context) => haltTransfers(context, input),
  resumeTransfers: (_, { input }, context) => resumeTransfers(context, input),
  sanctionParty: (_, { input }, context) => sanctionParty(context, input),
  liftSanction: (_, { input }, context) => liftSanction(context, input),
  adjustCustodyBalance: (_, { input }, context) => adjustCustodyBalance(context, input),
} satisfies MutationResolvers;

export const transferResolvers = {
  Transfer: {
    __resolveReference: ({ transferId }, context) => context.load(transfers, transferId),
    from: ({ fromAccountId }, _, context) => accountOf(context, fromAccountId),
    to: ({ toAccountId }, _, context) => accountOf(context, toAccountId),
    asset: ({ asset }) => ({ code: asset }),
    approval: ({ approvalRequestId: id }, _, context) => (id === null ? null : context.load(approvalRequests, id)),
    review: ({ reviewRequestId: id }, _, context) => (id === null ? null : context.load(approvalRequests, id)),
    settlement: ({ settlementId: id }, _, context) => (id === null ? null : context.load(settlements, id)),
    complianceChecks: async ({ transferId }, _, context) => {
      const page = await context.connect(
        complianceList,
        { first: 100 },
        complianceConditions({ subjectId: transferId }),
      );
      return page.nodes;
    },
  },
  ApprovalRequest: {
    __resolveReference: ({ requestId }, context) => context.load(approvalRequests, requestId),
    subject: ({ subjectType }) => subjectType,
    account: ({ accountId }, _, context) => accountOf(context, accountId),
    votes: ({ requestId }, _, context) => context.list(votesOf, requestId),
    transfer: ({ subjectType, subjectId }, _, context) =>
      subjectType === 'TRANSFER' || subjectType === 'REVIEW' ? context.load(transfers, subjectId) : null,
    adjustment: ({ subjectType, subjectId }, _, context) =>
      subjectType === 'ADJUSTMENT' ? context.load(adjustments, subjectId) : null,
    break: ({ subjectType, subjectId }, _, context) =>
      subjectType === 'WRITE_OFF' ? context.load(breaks, subjectId) : null,
  },
  ComplianceCheck: { account: ({ accountId }, _, context) => accountOf(context, accountId) },
  CustodyAdjustment: {
    account: ({ accountId }, _, context) => accountOf(context, accountId),
    asset: ({ asset }) => ({ code: asset }),
  },
  TransferHalt: { isHalted: ({ status }) => status === 'HALTED', since: ({ updatedAt }) => updatedAt },
  RequestTransferPayload: { transfer },
  ApproveTransferPayload: { transfer },
  RejectTransferPayload: { transfer },
  CancelTransferPayload: { transfer },
  DecideTransferReviewPayload: { transfer },
  ApproveRequestPayload: { request },
  RejectRequestPayload: { request },
  HaltTransfersPayload: {
    halt: ({ haltId }, _, context) => (haltId === undefined ? null : context.load(halts, haltId)),
  },
  ResumeTransfersPayload: {
    halt: ({ haltId }, _, context) => (haltId === undefined ? null : context.load(halts, haltId)),
  },
  AdjustCustodyBalancePayload: {
    request,
    adjustment: ({ adjustmentId: id }, _, context) => (id === undefined ? null : context.load(adjustments, id)),
  },
} satisfies Resolvers;
