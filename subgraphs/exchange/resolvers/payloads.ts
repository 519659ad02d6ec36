/** What commands give back: the things they name, as they are after the commit. */
import { accounts } from '../accounts.ts';
import { balances } from '../balances.ts';
import type { Context } from '../context.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { orders } from '../orders.ts';

const account = ({ accountId }: { accountId?: string }, _: object, context: Context) =>
  accountId === undefined ? null : context.load(accounts, accountId);

const order = ({ orderId }: { orderId?: string }, _: object, context: Context) =>
  orderId === undefined ? null : context.load(orders, orderId);

const balance = ({ balanceId }: { balanceId?: string }, _: object, context: Context) =>
  balanceId === undefined ? null : context.load(balances, balanceId);

export const payloads: Resolvers = {
  CreateExchangeAccountPayload: { account },
  CreateSubAccountPayload: { account },
  UpdateAccountProfilePayload: { account },
  SuspendAccountPayload: { account },
  ReactivateAccountPayload: { account },
  CloseAccountPayload: { account },
  SetKycStatusPayload: { account },
  DepositPayload: { balance },
  WithdrawPayload: { balance },
  AdjustBalancePayload: { balance },
  PlaceExchangeOrderPayload: { order },
  CancelExchangeOrderPayload: { order },
};
