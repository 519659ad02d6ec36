/** What accounts hold, and the entries that it is made of. */
import { dec } from '../../../platform/decimal.ts';
import { existing } from '../../../platform/loaders.ts';
import { accounts } from '../accounts.ts';
import type { Context } from '../context.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { type HoldingRow, holdingById } from '../holdings.ts';
import { usdPriceOf, usdValue } from '../prices.ts';

const account = ({ accountId: id }: { accountId: string }, _: object, context: Context) =>
  existing(context.load(accounts, id), 'CustodyAccount', id);

const parts = {
  account,
  asset: ({ asset }: HoldingRow) => ({ code: asset }),
  available: ({ availableQuantity }: HoldingRow) => availableQuantity,
  locked: ({ lockedQuantity }: HoldingRow) => lockedQuantity,
};

const lockedParts = {
  reserved: ({ reservedQuantity }: HoldingRow) => reservedQuantity,
  held: ({ heldQuantity }: HoldingRow) => heldQuantity,
};

export const holdingResolvers = {
  CustodyPosition: {
    ...parts,
    ...lockedParts,
    __resolveReference: ({ positionId }, context) => holdingById(context, positionId, false),
    positionId: ({ holdingId }) => holdingId,
    price: ({ asset }, _, context) => usdPriceOf(context, asset),
    marketValue: async ({ asset, quantity }, _, context) => {
      const price = await usdPriceOf(context, asset);
      return price === null ? null : usdValue(dec(quantity), dec(price)).toFixed();
    },
  },
  CustodyBalance: {
    ...parts,
    ...lockedParts,
    __resolveReference: ({ balanceId }, context) => holdingById(context, balanceId, true),
    balanceId: ({ holdingId }) => holdingId,
    total: ({ quantity }) => quantity,
  },
  CustodyHolding: parts,
  CustodyLedgerEntry: { account, asset: ({ asset }) => ({ code: asset }) },
  CustodyAuditEntry: {
    subject: ({ subjectType }) => subjectType,
    account: ({ accountId }, _, context) => (accountId === null ? null : context.load(accounts, accountId)),
    from: ({ fromStatus }) => fromStatus,
    to: ({ toStatus }) => toStatus,
  },
} satisfies Resolvers;
