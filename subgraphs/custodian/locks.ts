/**
 * Row locks of the commands, always in this order, so that no two commands wait for each other: the halt, an approval
 * request, a transfer or an adjustment, a settlement, accounts by id, holdings by account and asset.
 */
import { sql } from '../../platform/database/sql.ts';
import { type Decimal, dec } from '../../platform/decimal.ts';
import { refuse } from '../../platform/errors.ts';
import { isStorable } from '../../platform/texts.ts';
import type { Tx } from './context.ts';
import type { AccountKind, AccountStatus } from './rules/account-lifecycle.ts';
import { EXTERNAL_ACCOUNT_ID } from './rules/ids.ts';

export interface LockedAccount {
  accountId: string;
  clientId: string;
  kind: AccountKind;
  status: AccountStatus;
  version: number;
}

/**
 * Locks an account, for changing it.
 * @throws Refusal (not found); (conflict) on another version; (validation) when it is the custodian's own
 */
export async function lockAccount(
  tx: Tx,
  id: string,
  field = 'accountId',
  expectedVersion: number | null = null,
): Promise<LockedAccount> {
  const account = await readLocked(tx, id, field, sql`for no key update`);
  if (account.clientId === 'custodian') {
    throw refuse.validation('This account is the custodian’s own; it cannot be changed.', ['input', field]);
  }
  if (expectedVersion !== null && account.version !== expectedVersion) throw refuse.conflict(account.version);
  return account;
}

/**
 * Holds an account as it is while something moves in it; any number of commands may.
 * @throws Refusal (not found)
 */
export function holdAccount(tx: Tx, id: string, field = 'accountId'): Promise<LockedAccount> {
  return readLocked(tx, id, field, sql`for share`);
}

async function readLocked(tx: Tx, id: string, field: string, lock: ReturnType<typeof sql>): Promise<LockedAccount> {
  const [account] = isStorable(id)
    ? await tx.$queryRaw<LockedAccount[]>(
        sql`select account_id as "accountId", client_id as "clientId", kind, status, version
              from accounts where account_id = ${id} ${lock}`,
      )
    : [];
  if (!account) throw refuse.notFound('CustodyAccount', id, ['input', field]);
  return account;
}

/** @throws Refusal (validation) unless the account is ACTIVE; money may come into a FROZEN one where `mayBeFrozen` */
export function checkOpen(account: LockedAccount, field: string, mayBeFrozen = false): void {
  if (account.status === 'ACTIVE' || (mayBeFrozen && account.status === 'FROZEN')) return;
  const message = `The account ${account.accountId} is ${account.status}.`;
  throw refuse.validation(message, ['input', field]);
}

export interface LockedHolding {
  holdingId: string;
  accountId: string;
  asset: string;
  available: Decimal;
  reserved: Decimal;
  held: Decimal;
}

/** Holdings that a command has locked. */
export type LockedHoldings = (accountId: string, asset: string) => LockedHolding;

/**
 * Locks the holdings, made where they are missing; those of the world outside are none. The assets must be known
 * (assets.ts).
 */
export async function lockHoldings(
  tx: Tx,
  wanted: readonly { accountId: string; asset: string }[],
): Promise<LockedHoldings> {
  const places = wanted.filter(({ accountId }) => accountId !== EXTERNAL_ACCOUNT_ID);
  const accounts = places.map(({ accountId }) => accountId);
  const assets = places.map(({ asset }) => asset);
  await tx.$executeRaw(
    sql`insert into holdings (account_id, asset, is_cash)
        select distinct account_id, assets.code, assets.is_cash
          from unnest(${accounts}::text[], ${assets}::text[]) as wanted(account_id, code) join assets using (code)
         order by account_id, code
        on conflict (account_id, asset) do nothing`,
  );
  const rows = await tx.$queryRaw<LockedHolding[]>(
    sql`select holding_id as "holdingId", account_id as "accountId", asset, available_quantity as available,
               reserved_quantity as reserved, held_quantity as held
          from holdings
         where (account_id, asset) in (select * from unnest(${accounts}::text[], ${assets}::text[]))
         order by account_id, asset for no key update`,
  );
  return (accountId, asset) => {
    const found = rows.find((row) => row.accountId === accountId && row.asset === asset);
    if (!found) throw new Error(`The ${asset} of account ${accountId} are not locked`);
    return { ...found, available: dec(found.available), reserved: dec(found.reserved), held: dec(found.held) };
  };
}
