/** Money and coins that enter or leave the exchange. */
import { assetCode } from '../../platform/asset-code.ts';
import { beforehand, type CommandPayload, command } from '../../platform/command.ts';
import type { Decimal } from '../../platform/decimal.ts';
import { refuse } from '../../platform/errors.ts';
import { boundedText } from '../../platform/texts.ts';
import { requireAsset } from './assets.ts';
import type { Context, Tx } from './context.ts';
import type { DepositInput, WithdrawInput } from './generated/resolvers.ts';
import { type LockedAccount, type LockedPurse, lockAccountAndPurse } from './locks.ts';
import { positiveAmount } from './rules/money.ts';
import { transfer } from './rules/settlement.ts';
import { ID_LENGTH } from './rules/texts.ts';
import { writeAtCommit } from './writes.ts';

export type TransferPayload = CommandPayload<{ balanceId: string; postingId?: string }>;

/** Credits an account that is not closed, in an asset that market data knows. */
export async function deposit(context: Context, input: DepositInput): Promise<TransferPayload> {
  const requireKnown = await beforehand(context.domain, () => requireAsset(context, input.accountId, input.asset));
  return command(context, 'deposit', input, async (tx) => {
    const { amount, asset, reference } = readTransfer(input);
    const { account, purse } = await lockAccountAndPurse(tx, input.accountId, asset);
    if (account.status === 'CLOSED') throw refuse.validation('The account is CLOSED.', ['input', 'accountId']);
    requireKnown();
    return pay(tx, context, account, purse, { asset, amount, reference });
  });
}

/** Debits what an active account has available. */
export function withdraw(context: Context, input: WithdrawInput): Promise<TransferPayload> {
  return command(context, 'withdraw', input, async (tx) => {
    const { amount, asset, reference } = readTransfer(input);
    const { account, purse } = await lockAccountAndPurse(tx, input.accountId, asset);
    if (account.status !== 'ACTIVE') {
      throw refuse.validation(`The account is ${account.status}; only an ACTIVE one withdraws.`, [
        'input',
        'accountId',
      ]);
    }
    return pay(tx, context, account, purse, { asset, amount: amount.neg(), reference });
  });
}

function readTransfer(input: DepositInput) {
  const { reference = null } = input;
  return {
    asset: assetCode(input.asset),
    amount: positiveAmount(input.amount, ['input', 'amount']),
    reference: reference === null ? null : boundedText(reference, ID_LENGTH, ['input', 'reference']),
  };
}

function pay(
  tx: Tx,
  { traceId }: Context,
  { accountId }: LockedAccount,
  { balanceId, purses, at }: LockedPurse,
  { asset, amount, reference }: { asset: string; amount: Decimal; reference: string | null },
): { balanceId: string; postingId: string } {
  const { available } = purses.of(accountId, asset);
  if (available.plus(amount).isNegative()) {
    throw refuse.insufficientFunds(asset, available, amount.abs(), ['input', 'amount']);
  }
  const postingId = crypto.randomUUID();
  const movements = transfer(accountId, asset, amount, reference ?? postingId);
  purses.apply(movements);
  writeAtCommit(tx, { at, traceId, postings: [{ postingId, movements }], purses });
  return { balanceId, postingId };
}
