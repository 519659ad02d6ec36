/** What comes from outside or leaves at once, and what is locked and released by hand. */
import { assetCode } from '../../platform/asset-code.ts';
import { type CommandPayload, command } from '../../platform/command.ts';
import { type Decimal, dec, toWire } from '../../platform/decimal.ts';
import { refuse } from '../../platform/errors.ts';
import { boundedText } from '../../platform/texts.ts';
import { requireAsset } from './assets.ts';
import type { Context } from './context.ts';
import type {
  DepositCustodyAssetInput,
  LockCustodyAssetInput,
  ReleaseCustodyAssetInput,
  WithdrawCustodyAssetInput,
} from './generated/resolvers.ts';
import { checkOpen, holdAccount, lockHoldings } from './locks.ts';
import { post } from './posting.ts';
import { type Bucket, move, outside, shift } from './rules/entries.ts';
import { positiveAmount } from './rules/ids.ts';
import { checkNoStop } from './transfer/stops.ts';

export type MovementPayload = CommandPayload<{ holdingId: string; postingId: string }>;

const REFERENCE_LENGTH = 255;

/** Credits an account that is not closed, in an asset that market data knows. */
export async function depositCustodyAsset(context: Context, input: DepositCustodyAssetInput): Promise<MovementPayload> {
  const remember = await requireAsset(context, input.asset);
  return command(context, 'depositCustodyAsset', input, async (tx) => {
    const { asset, amount, refId } = readMovement(input);
    const unitCost = input.unitCost ? positiveAmount(input.unitCost, ['input', 'unitCost']) : null;
    const account = await holdAccount(tx, input.accountId);
    checkOpen(account, 'accountId', true);
    await remember(tx);
    const { accountId } = account;
    const { holdingId } = (await lockHoldings(tx, [{ accountId, asset }]))(accountId, asset);
    const entries = move(outside(asset), { accountId, asset, bucket: 'AVAILABLE', unitCost }, amount);
    return { holdingId, postingId: await post(tx, context, { kind: 'DEPOSIT', refType: 'EXTERNAL', refId }, entries) };
  });
}

/** Debits what an active account has available. */
export function withdrawCustodyAsset(context: Context, input: WithdrawCustodyAssetInput): Promise<MovementPayload> {
  return command(context, 'withdrawCustodyAsset', input, async (tx) => {
    const { asset, amount, refId } = readMovement(input);
    await checkNoStop(tx, input.accountId);
    const account = await holdAccount(tx, input.accountId);
    checkOpen(account, 'accountId');
    const { accountId } = account;
    const { holdingId } = await takeable(tx, accountId, asset, 'AVAILABLE', amount);
    const entries = move({ accountId, asset, bucket: 'AVAILABLE' }, outside(asset), amount);
    return {
      holdingId,
      postingId: await post(tx, context, { kind: 'WITHDRAWAL', refType: 'EXTERNAL', refId }, entries),
    };
  });
}

/** Available → held. */
export function lockCustodyAsset(context: Context, input: LockCustodyAssetInput): Promise<MovementPayload> {
  return hold(context, 'lockCustodyAsset', input, 'AVAILABLE', 'HELD');
}

/** Held → available; more than is held is refused. */
export function releaseCustodyAsset(context: Context, input: ReleaseCustodyAssetInput): Promise<MovementPayload> {
  return hold(context, 'releaseCustodyAsset', input, 'HELD', 'AVAILABLE');
}

function hold(
  context: Context,
  operation: string,
  input: LockCustodyAssetInput,
  from: Bucket,
  to: Bucket,
): Promise<MovementPayload> {
  return command(context, operation, input, async (tx) => {
    const { asset, amount, refId } = readMovement(input);
    const account = await holdAccount(tx, input.accountId);
    if (from === 'AVAILABLE') checkOpen(account, 'accountId', true);
    const { accountId } = account;
    const { holdingId } = await takeable(tx, accountId, asset, from, amount);
    const kind = from === 'AVAILABLE' ? 'HOLD' : 'UNHOLD';
    const entries = shift({ accountId, asset }, from, to, amount);
    return { holdingId, postingId: await post(tx, context, { kind, refType: 'HOLD', refId }, entries) };
  });
}

async function takeable(
  tx: Parameters<typeof lockHoldings>[0],
  accountId: string,
  asset: string,
  bucket: Bucket,
  amount: Decimal,
) {
  const path = ['input', 'amount'];
  const known = await tx.asset.findUnique({ where: { code: asset } });
  if (!known) throw refuse.insufficientFunds(asset, dec(0), amount, path);
  const holding = (await lockHoldings(tx, [{ accountId, asset }]))(accountId, asset);
  if (bucket === 'HELD' && holding.held.lt(amount)) {
    throw refuse.validation(`${toWire(holding.held)} ${asset} are held, fewer than ${toWire(amount)}.`, path);
  }
  if (bucket === 'AVAILABLE' && holding.available.lt(amount)) {
    throw refuse.insufficientFunds(asset, holding.available, amount, path);
  }
  return holding;
}

function readMovement(input: { asset: string; amount: string; reference?: string | null | undefined }) {
  const { reference = null } = input;
  return {
    asset: assetCode(input.asset),
    amount: positiveAmount(input.amount, ['input', 'amount']),
    refId: reference === null ? crypto.randomUUID() : boundedText(reference, REFERENCE_LENGTH, ['input', 'reference']),
  };
}
