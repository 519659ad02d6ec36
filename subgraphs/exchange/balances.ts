/** Balances: what is stored of them and how they are read. */
import { assetCode } from '../../platform/asset-code.ts';
import { type Sql, sql } from '../../platform/database/sql.ts';
import { equalsUuid } from '../../platform/filters.ts';
import { childList, entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import { isUuid } from '../../platform/uuid.ts';
import type { Context } from './context.ts';
import { atLeast, equalsAsset, ofClient } from './filters.ts';
import type { ExchangeBalanceFilter } from './generated/resolvers.ts';

/** A row of `balances`; `symbol` is the asset's code. */
export interface ExchangeBalanceRow {
  balanceId: string;
  accountId: string;
  symbol: string;
  availableBalance: string;
  lockedBalance: string;
  totalBalance: string;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type ExchangeBalancePage = Connection<ExchangeBalanceRow>;

export const balances = entity<ExchangeBalanceRow>({
  name: 'ExchangeBalance',
  table: 'balances',
  key: 'balance_id',
  keyType: 'uuid',
});

export const accountBalances = childList<ExchangeBalanceRow>({
  name: 'ExchangeAccount.balances',
  table: 'balances',
  parent: 'account_id',
  keyType: 'uuid',
  orderBy: 'symbol',
  limit: 500,
});

export const balanceList = connectionSource<ExchangeBalanceRow>({
  table: 'balances',
  id: 'balance_id',
  sorts: {
    ASSET: 'symbol',
    TOTAL: 'total_balance',
    AVAILABLE: 'available_balance',
    UPDATED_AT: 'updated_at',
  },
});

/** The conditions of a filter. Throws a validation Refusal on an asset code that is none. */
export function balanceConditions(filter: ExchangeBalanceFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...equalsUuid('account_id', filter.accountId),
    ...ofClient(filter.clientId),
    ...equalsAsset('symbol', filter.asset),
    ...atLeast('total_balance', filter.minBalance),
    ...atLeast('available_balance', filter.minAvailable),
    ...(filter.updatedAfter ? [sql`updated_at > ${filter.updatedAfter}::timestamptz`] : []),
  ];
}

/** What the account holds of the asset, or null when it never held any; asked in one tick they share a statement. */
export function balanceOf(context: Context, accountId: string, asset: string): Promise<ExchangeBalanceRow | null> {
  const code = assetCode(asset, ['asset']);
  if (!isUuid(accountId)) return Promise.resolve(null);
  return context.batch('balanceOf', [accountId.toLowerCase(), code] as const, async (keys) => {
    const rows = await context.db.query<ExchangeBalanceRow>(
      sql`select balances.* from balances
            join unnest(${keys.map(([id]) => id)}::uuid[], ${keys.map(([, symbol]) => symbol)}::text[])
              as wanted(account_id, symbol) using (account_id, symbol)`,
    );
    return keys.map(([id, symbol]) => rows.find((row) => row.accountId === id && row.symbol === symbol) ?? null);
  });
}
