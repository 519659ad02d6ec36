/** Conditions of the exchange's own filters; platform/filters.ts has those that every domain uses. */
import { assetCode } from '../../platform/asset-code.ts';
import { identifier, type Sql, sql } from '../../platform/database/sql.ts';
import { equals } from '../../platform/filters.ts';

type Optional = string | null | undefined;

/**
 * The column holds the asset, by its code.
 * @throws Refusal (validation) when it is no asset code
 */
export function equalsAsset(column: string, asset: Optional): Sql[] {
  return asset === null || asset === undefined ? [] : equals(column, assetCode(asset, ['filter', 'asset']));
}

/** The row's account is one of the client's. */
export function ofClient(clientId: Optional): Sql[] {
  return equals('user_id', clientId).map(
    (isTheirs) => sql`account_id in (select account_id from accounts where ${isTheirs})`,
  );
}

/** The amount in the column is that much, or more. */
export function atLeast(column: string, least: Optional): Sql[] {
  return least ? [sql`${identifier(column)} >= ${least}::numeric`] : [];
}
