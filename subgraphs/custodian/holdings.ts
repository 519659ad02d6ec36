/** What accounts hold: positions, and balances of money. Both are rows of `holdings`. */

import { assetCode } from '../../platform/asset-code.ts';
import { identifier, type Sql, sql } from '../../platform/database/sql.ts';
import { equals, is } from '../../platform/filters.ts';
import { childList, entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import { isStorable } from '../../platform/texts.ts';
import type { Context } from './context.ts';
import type { CustodyBalanceFilter, CustodyPositionFilter } from './generated/resolvers.ts';

/** A row of `holdings`. */
export interface HoldingRow {
  holdingId: string;
  accountId: string;
  asset: string;
  isCash: boolean;
  availableQuantity: string;
  reservedQuantity: string;
  heldQuantity: string;
  lockedQuantity: string;
  quantity: string;
  averageCost: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type HoldingPage = Connection<HoldingRow>;

export const holdings = entity<HoldingRow>({
  name: 'CustodyHolding',
  table: 'holdings',
  key: 'holding_id',
  keyType: 'uuid',
});

export const accountHoldings = childList<HoldingRow>({
  name: 'CustodyAccount.holdings',
  table: 'holdings',
  parent: 'account_id',
  keyType: 'text',
  orderBy: 'asset',
  limit: 500,
});

export const holdingList = connectionSource<HoldingRow>({
  table: 'holdings',
  id: 'holding_id',
  sorts: { ASSET: 'asset', QUANTITY: 'quantity', AVAILABLE: 'available_quantity', UPDATED_AT: 'updated_at' },
  parents: { asset: 'text' },
});

/** The holding of that id, when it is money or is not, as asked for. */
export async function holdingById(context: Context, id: string, isCash: boolean): Promise<HoldingRow | null> {
  const found = await context.load(holdings, id);
  return found?.isCash === isCash ? found : null;
}

/** The account's positions, or its balances of money. */
export async function holdingsOf(context: Context, accountId: string, isCash: boolean): Promise<HoldingRow[]> {
  return (await context.list(accountHoldings, accountId)).filter((holding) => holding.isCash === isCash);
}

/** What the account holds of the asset, or null when it never held any; asked in one tick they share a statement. */
export async function holdingOf(
  context: Context,
  accountId: string,
  asset: string,
  isCash: boolean,
): Promise<HoldingRow | null> {
  const code = assetCode(asset, ['asset']);
  if (!isStorable(accountId)) return null;
  const found = await context.batch('holdingOf', [accountId, code] as const, async (keys) => {
    const rows = await context.db.query<HoldingRow>(
      sql`select holdings.* from holdings
            join unnest(${keys.map(([id]) => id)}::text[], ${keys.map(([, symbol]) => symbol)}::text[])
              as wanted(account_id, asset) using (account_id, asset)`,
    );
    return keys.map(([id, symbol]) => rows.find((row) => row.accountId === id && row.asset === symbol) ?? null);
  });
  return found?.isCash === isCash ? found : null;
}

/** The conditions of a filter. Throws a validation Refusal on an asset code that is none. */
export function holdingConditions(
  filter: CustodyPositionFilter | CustodyBalanceFilter | null | undefined,
  isCash: boolean,
): Sql[] {
  const { accountId, clientId, asset, minQuantity, minAvailable, updatedAfter } = filter ?? {};
  return [
    ...is('is_cash', isCash),
    ...equals('account_id', accountId),
    ...equals('client_id', clientId).map(
      (theirs) => sql`account_id in (select account_id from accounts where ${theirs})`,
    ),
    ...equals('asset', asset && assetCode(asset, ['filter', 'asset'])),
    ...atLeast('quantity', minQuantity),
    ...atLeast('available_quantity', minAvailable),
    ...(updatedAfter ? [sql`updated_at > ${updatedAfter}::timestamptz`] : []),
  ];
}

function atLeast(column: string, least: string | null | undefined): Sql[] {
  return least ? [sql`${identifier(column)} >= ${least}::numeric`] : [];
}
