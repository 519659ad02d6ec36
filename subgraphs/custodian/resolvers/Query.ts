import { isStorable } from '../../../platform/texts.ts';
import { accountConditions, accountList, accounts, clientAccounts } from '../accounts.ts';
import type { QueryResolvers } from '../generated/resolvers.ts';
import { holdingById, holdingConditions, holdingList, holdingOf } from '../holdings.ts';
import { auditConditions, auditList, ledgerConditions, ledgerList } from '../ledger.ts';

export const Query: QueryResolvers = {
  custodianFeed: (_, __, context) => context.feed.status(),
  custodianHealth: (_, __, context) => context.health.read(),

  custodyAccount: (_, { id }, context) => context.load(accounts, id),
  custodyAccounts: (_, { filter, ...page }, context) => context.connect(accountList, page, accountConditions(filter)),

  custodyPosition: (_, { id }, context) => holdingById(context, id, false),
  custodyPositionOf: (_, { accountId, asset }, context) => holdingOf(context, accountId, asset, false),
  custodyPositions: (_, { filter, ...page }, context) =>
    context.connect(holdingList, page, holdingConditions(filter, false)),

  custodyBalance: (_, { id }, context) => holdingById(context, id, true),
  custodyBalanceOf: (_, { accountId, asset }, context) => holdingOf(context, accountId, asset, true),
  custodyBalances: (_, { filter, ...page }, context) =>
    context.connect(holdingList, page, holdingConditions(filter, true)),

  masterBalance: async (_, { clientId }, context) =>
    (await context.list(clientAccounts, clientId)).length > 0 ? { clientId } : null,
  segregatedBalances: async (_, { clientId }, context) => {
    const all = isStorable(clientId) ? await context.list(clientAccounts, clientId) : [];
    const segregated = all.filter(({ kind }) => kind === 'SEGREGATED');
    return segregated.sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
  },

  custodyLedgerEntries: (_, { filter, ...page }, context) =>
    context.connect(ledgerList, page, ledgerConditions(filter)),
  custodyAuditTrail: (_, { filter, ...page }, context) => context.connect(auditList, page, auditConditions(filter)),
};
