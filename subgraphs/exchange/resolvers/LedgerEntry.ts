import { existing } from '../../../platform/loaders.ts';
import { accounts } from '../accounts.ts';
import type { LedgerEntryResolvers } from '../generated/resolvers.ts';
import { orders } from '../orders.ts';
import { trades } from '../trades.ts';

export const LedgerEntry: LedgerEntryResolvers = {
  account: ({ accountId }, _, context) => existing(context.load(accounts, accountId), 'ExchangeAccount', accountId),
  asset: ({ asset }) => ({ code: asset }),
  order: ({ refType, refId }, _, context) => (refType === 'ORDER' ? context.load(orders, refId) : null),
  trade: ({ refType, refId }, _, context) => (refType === 'TRADE' ? context.load(trades, refId) : null),
};
