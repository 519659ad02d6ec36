/** What commands give back: the things they name, as they are after the commit. */
import { accountLinks, accounts } from '../accounts.ts';
import type { Context } from '../context.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { holdingById } from '../holdings.ts';

const account = ({ accountId }: { accountId?: string }, _: object, context: Context) =>
  accountId === undefined ? null : context.load(accounts, accountId);

const link = ({ linkId }: { linkId?: string }, _: object, context: Context) =>
  linkId === undefined ? null : context.load(accountLinks, linkId);

const holding =
  (isCash: boolean) =>
  ({ holdingId }: { holdingId?: string }, _: object, context: Context) =>
    holdingId === undefined ? null : holdingById(context, holdingId, isCash);

const movement = { position: holding(false), balance: holding(true) };

export const payloads = {
  OpenCustodyAccountPayload: { account },
  FreezeAccountPayload: { account },
  UnfreezeAccountPayload: { account },
  CloseCustodyAccountPayload: { account },
  LinkVenueAccountPayload: { account, link },
  UnlinkVenueAccountPayload: { account },
  DepositCustodyAssetPayload: movement,
  WithdrawCustodyAssetPayload: movement,
  LockCustodyAssetPayload: movement,
  ReleaseCustodyAssetPayload: movement,
} satisfies Resolvers;
