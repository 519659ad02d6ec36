/** Setting a balance by hand, with its entries in the ledger. */
import { assetCode } from '../../platform/asset-code.ts';
import { beforehand, command } from '../../platform/command.ts';
import { sql } from '../../platform/database/sql.ts';
import { type Decimal, dec, toWire } from '../../platform/decimal.ts';
import { refuse } from '../../platform/errors.ts';
import { boundedText } from '../../platform/texts.ts';
import { requireAsset } from './assets.ts';
import type { Context, Tx } from './context.ts';
import type { AdjustBalanceInput } from './generated/resolvers.ts';
import { lockAccount, lockPurse } from './locks.ts';
import { isLiveOrder } from './orders.ts';
import { amountOf } from './rules/money.ts';
import { adjust } from './rules/settlement.ts';
import { ID_LENGTH } from './rules/texts.ts';
import type { TransferPayload } from './transfers.ts';
import { write } from './writes.ts';

/** Sets both parts of a balance; what is locked must be what the account's live orders reserve. */
export async function adjustBalance(context: Context, input: AdjustBalanceInput): Promise<TransferPayload> {
  const requireKnown = await beforehand(context.domain, () => requireAsset(context, input.accountId, input.asset));
  return command(context, 'adjustBalance', input, async (tx) => {
    const asset = assetCode(input.asset);
    const available = amountOf(input.available, ['input', 'available']);
    const reason = boundedText(input.reason, ID_LENGTH, ['input', 'reason']);
    const { accountId, status } = await lockAccount(tx, input.accountId);
    if (status === 'CLOSED') throw refuse.validation('The account is CLOSED.', ['input', 'accountId']);
    requireKnown();
    await checkVersion(tx, accountId, asset, input.expectedVersion ?? null);
    const { balanceId, purses, at } = await lockPurse(tx, accountId, asset);
    const held = purses.of(accountId, asset);
    const reserved = await reservedBy(tx, accountId, asset);
    const locked = amountOf(input.locked ?? toWire(reserved), ['input', 'locked']);
    if (!locked.eq(reserved)) {
      const message = `The live orders of the account reserve ${toWire(reserved)} ${asset}; that much must be locked, but got ${toWire(locked)}.`;
      throw refuse.validation(message, ['input', 'locked']);
    }
    const movements = adjust(held, available, locked, reason);
    if (movements.length === 0) return { balanceId };
    const postingId = crypto.randomUUID();
    purses.apply(movements);
    await write(tx, { at, traceId: context.traceId, postings: [{ postingId, movements }], purses });
    return { balanceId, postingId };
  });
}

/** @throws Refusal (conflict) when the balance has another version than the caller has seen */
async function checkVersion(tx: Tx, accountId: string, asset: string, expected: number | null): Promise<void> {
  if (expected === null) return;
  const [balance] = await tx.$queryRaw<{ version: number }[]>(
    sql`select version from balances where account_id = ${accountId}::uuid and symbol = ${asset} for no key update`,
  );
  if (balance?.version !== expected) throw refuse.conflict(balance?.version ?? null, balance ? undefined : NEVER_HELD);
}

const NEVER_HELD = 'The account never held the asset, so there is no version to expect.';

/** Whoever changes what an order reserves needs the balance too, which is locked. */
async function reservedBy(tx: Tx, accountId: string, asset: string): Promise<Decimal> {
  const [sum] = await tx.$queryRaw<{ reserved: Decimal }[]>(
    sql`select coalesce(sum(reserved_amount), 0) as reserved from orders
         where account_id = ${accountId}::uuid and reserved_asset = ${asset} and ${isLiveOrder}`,
  );
  return sum?.reserved ?? dec(0);
}
